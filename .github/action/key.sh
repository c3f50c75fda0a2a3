# Prints the key of a cache for a compiled Burn: what decides its content decides its name.
#
# Each version with each backend is a target, with a name of its own.
set -euo pipefail
IFS=, read -ra versions <<< "${BURN_VERSION:-}"
IFS=, read -ra backends <<< "${BURN_BACKEND:-}"
whole=${RUNNER_OS:-any}
for version in "${versions[@]:-}"; do
  for backend in "${backends[@]:-}"; do
    words=(toolchain pack --key)
    if [ -n "$version" ]; then words+=("--burn-version=$version"); fi
    if [ -n "$backend" ]; then words+=("--burn-backend=$backend"); fi
    key=$(burn-verify "${words[@]}")
    whole=$whole-${key%.tar.zst}
  done
done
echo "key=$whole"
