#!/usr/bin/env bash
# Makes every report about latency again. The machine has to be calm.
#
# usage: tools/measure_latency.sh [zoo|growth|checks|profiles]...
#
# Without a step: all but `profiles`, which compiles Burn four times more. Wants BURN_VERIFY_ZOO_MIRROR where the zoo is
# not in the cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python

# The cost of a release build is kept with it, and may have been taken beside other work.
forget() {
    rm -rf "$($python -c 'from burn_verify.core.options import settings_from as s; from burn_verify.system.cache import Cache
print(Cache(s({}).cache_dir).folder("release"))')"
}

zoo() {
    forget
    for threads in 1 2; do
        rm -f "reports/latency-$threads.jsonl"
        .venv/bin/pytest --models all --latency --threads "$threads" --burn-record="reports/latency-$threads.jsonl" ||
            echo "not all models agree" >&2
    done
    $python tools/latency_report.py
}

growth() {
    forget
    $python tools/compile_growth.py >reports/compile-growth.md
}

checks() {
    {
        printf '# Checks of the stopwatch\n\nWhat `python tools/check_latency.py` printed.\n\n'
        $python tools/check_latency.py criterion --runs 5 --threads 1 --pin || true
        echo
        $python tools/check_latency.py self --runs 20 --threads 1 || true
        echo
        $python tools/check_latency.py neighbour --runs 5 --threads 2 || true
    } >reports/latency-checks.md
    grep -n 'hold' -i reports/latency-checks.md
}

profiles() {
    $python tools/compare_profiles.py >reports/latency-profiles.md
}

[ $# -gt 0 ] || set -- zoo growth checks
for step in "$@"; do
    case $step in
    zoo | growth | checks | profiles) "$step" ;;
    *) echo "$0: no step $step; there are zoo, growth, checks and profiles" >&2 && exit 4 ;;
    esac
done
