"""What LTO and codegen units do to three models: times and seconds of compiling, in the project of tools/criterion.

usage: python tools/compare_profiles.py [--runs N] [--threads N]

Burn is compiled once more for each profile, some ten minutes. In each run the programs of all profiles are started anew
and take turns, block by block; what is shown are medians over the runs, in brackets that of their ratios to cargo's
release profile. Everything runs on as many processors as there are threads. Prints Markdown for
reports/latency-profiles.md.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from statistics import median

from burn_verify.burn.cargo import rustc_version
from burn_verify.core.options import settings_from
from burn_verify.core.versions import DEFAULT
from burn_verify.report.views.latency import seconds
from burn_verify.system.cache import Cache
from by_hand import NAMES, Project, pin, project, ready

USUAL = "cargo's release"
PROFILES = {
    USUAL: {},
    "fat LTO": {"LTO": "fat"},
    "one codegen unit": {"CODEGEN_UNITS": "1"},
    "fat LTO, one codegen unit": {"LTO": "fat", "CODEGEN_UNITS": "1"},
}
CALLS = {"mnist": 1920, "squeezenet": 200, "mobilenetv2": 120}


def compare(threads: int, runs: int) -> None:
    """Time the project by hand in all profiles, in turns; medians over the runs, and seconds of building it again."""
    settings = settings_from({"latency": "on"})
    cache = Cache(settings.cache_dir)
    models = ready(settings, cache, NAMES)
    with project(cache, models, threads) as by_hand:
        projects = {profile: by_hand.in_profile(profile, said) for profile, said in PROFILES.items()}
        for profile, one in projects.items():
            print(f"compiling in the profile {profile}", file=sys.stderr, flush=True)
            one.build()
        rebuilt = {profile: one.rebuild() for profile, one in projects.items()}
        pin(threads)
        load = os.getloadavg()[0]
        found = [{name: _raced(projects, name) for name in NAMES} for _ in range(runs)]
    print(f"| profile | compiling the three | {' | '.join(NAMES)} |")
    print(f"|---|---:|{'---:|' * len(NAMES)}")
    for profile in PROFILES:
        cells = []
        for name in NAMES:
            time = median(run[name][profile] for run in found)
            ratio = median(run[name][profile] / run[name][USUAL] for run in found)
            cells.append(f"{seconds(time)} ({ratio:.2f})")
        print(f"| {profile} | {seconds(rebuilt[profile])} | {' | '.join(cells)} |")
    print(f"\nLoad average {load:.1f} when timing began, {os.getloadavg()[0]:.1f} after.")


def _raced(projects: Mapping[str, Project], name: str) -> dict[str, float]:
    """Return the median (seconds) of one model in each profile."""
    with ExitStack() as stack:
        waiting = [stack.enter_context(one.turns(name, CALLS[name])) for one in projects.values()]
        while waiting:
            waiting = [turn for turn in waiting if turn()]
    return {profile: one.estimate(name)[1] for profile, one in projects.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="(default: 5)")
    parser.add_argument("--threads", type=int, default=1, help="(default: 1)")
    arguments = parser.parse_args()
    print("# What LTO and codegen units do\n")
    print("Made by `python tools/compare_profiles.py`, which says how.\n")
    print(
        f"Burn {DEFAULT.burn}, {rustc_version()}, threads: {arguments.threads}, runs: {arguments.runs}.\n", flush=True
    )
    compare(arguments.threads, arguments.runs)


if __name__ == "__main__":
    main()
