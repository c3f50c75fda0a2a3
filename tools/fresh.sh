#!/usr/bin/env bash
# Runs the README's commands as on a fresh machine: in a new clone, with an empty home, cargo registry, cache of Burn and
# cache of pip. Prints the minutes of each.
#
# usage: tools/fresh.sh [--dry-run] [--folder DIR] [models|test]...
#
# Without a step: `make models`, then `make test`. What is committed is cloned, changes that are not are left out.
# Everything is written to DIR, which must not exist or be empty and is kept. Without one it is a folder in TMPDIR, which
# goes when every step has succeeded. Of your own folders only the installed programs are used (python3, rustup's shims
# and toolchains) and the settings of pip and cargo, which say where to download from; BURN_VERIFY_ZOO_MIRROR is kept.
# Exit codes: 0 every step succeeded, 1 one failed, 4 a wrong argument or a missing program, 130 Ctrl-C.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

wrong() {
    printf 'fresh.sh: %s\n' "$1" >&2
    sed -n 's/^# usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
    exit 4
}

dry= folder= steps=()
while [ $# -gt 0 ]; do
    case "$1" in
    --dry-run) dry=yes ;;
    --folder)
        [ -n "${2:-}" ] || wrong "--folder wants a folder"
        folder=$2
        shift
        ;;
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    models | test) steps+=("$1") ;;
    *) wrong "no such step or option: $1" ;;
    esac
    shift
done
[ ${#steps[@]} -gt 0 ] || steps=(models test)
for program in git make python3 cargo; do
    command -v "$program" >/dev/null || wrong "$program was not found"
done
if [ -n "$folder" ] && [ -e "$folder" ] && [ -n "$(ls -A "$folder" 2>&1)" ]; then
    wrong "$folder is no empty folder"
fi

kept=${folder:+yes}
if [ -n "$dry" ]; then
    folder=${folder:-${TMPDIR:-/tmp}/burn-verify-fresh-XXXXXX}
elif [ -z "$folder" ]; then
    folder=$(mktemp -d "${TMPDIR:-/tmp}/burn-verify-fresh-XXXXXX")
else
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
fi

# A shim of pyenv looks for Python below HOME, and a virtual environment is not what a fresh machine has.
python=$(python3 -c 'import sys; print(sys._base_executable)')
cargo_settings=${CARGO_HOME:-$HOME/.cargo}/config.toml
pip_settings=${PIP_CONFIG_FILE:-${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf}
# tox hands on HOME, TMPDIR, PIP_*, VIRTUALENV_* by itself, and by tox.ini BURN_VERIFY_*, CARGO_HOME and RUSTUP_*; not
# XDG_*. What is not handed on has its default below HOME.
environment=(
    "HOME=$folder/home"
    "TMPDIR=$folder/tmp"
    "CARGO_HOME=$folder/cargo"
    "RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}"
    "BURN_VERIFY_CACHE=$folder/cache"
    "PIP_CACHE_DIR=$folder/pip"
    "VIRTUALENV_OVERRIDE_APP_DATA=$folder/virtualenv"
    "PYTHON=$python"
)
[ -z "${BURN_VERIFY_ZOO_MIRROR:-}" ] || environment+=("BURN_VERIFY_ZOO_MIRROR=$(cd "$BURN_VERIFY_ZOO_MIRROR" && pwd)")
[ ! -f "$pip_settings" ] || environment+=("PIP_CONFIG_FILE=$pip_settings")
# What would bring warm caches back, or another Python's packages, or other options into pytest, tox and make.
forgotten=(
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME VIRTUAL_ENV PYTHONPATH PYTHONHOME
    PIP_NO_CACHE_DIR PYTEST_ADDOPTS TOX_SKIP_ENV TOXENV CARGO_TARGET_DIR RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
    MAKEFLAGS MAKELEVEL MFLAGS
)
for name in "${!BURN_VERIFY_@}"; do
    case "$name" in BURN_VERIFY_ZOO_MIRROR | BURN_VERIFY_CACHE) ;; *) forgotten+=("$name") ;; esac
done
as_fresh() (
    unset "${forgotten[@]}"
    export "${environment[@]}"
    "$@"
)

if [ -n "$dry" ]; then
    printf 'unset %s\n' "${forgotten[*]}"
    printf '%s\n' "${environment[@]}"
    printf 'git clone %s %s\n' "$root" "$folder/clone"
    printf 'make %s\n' "${steps[@]}"
    exit 0
fi

mkdir "$folder"/{home,tmp,cargo,cache,pip,virtualenv}
[ ! -f "$cargo_settings" ] || cp "$cargo_settings" "$folder/cargo/"
git clone --quiet "$root" "$folder/clone"
cd "$folder/clone"

failed=0 said=()
trap 'echo "interrupted; what was done lies in $folder" >&2; exit 130' INT TERM
for step in "${steps[@]}"; do
    began=$SECONDS how=succeeded
    as_fresh make "$step" 2>&1 | tee "$folder/$step.log" || { failed=1 how=failed; }
    took=$((SECONDS - began))
    said+=("$(printf 'make %-8s%3d min %2d s  %s' "$step" $((took / 60)) $((took % 60)) "$how")")
done
printf '%s\n' "" "${said[@]}"
if [ "$failed" = 0 ] && [ -z "$kept" ]; then
    cd /
    rm -rf "$folder"
else
    printf 'in %s\n' "$folder"
fi
exit "$failed"
