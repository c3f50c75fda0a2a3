"""What LTO and codegen units do to three models: times and seconds of compiling, in the project of tools/criterion.

usage: python tools/compare_profiles.py [--runs N] [--threads N]

Burn is compiled once more for each profile, some ten minutes. Profiles take turns in each run, and what is shown are
medians over the runs, in brackets those over cargo's release profile. Prints Markdown for reports/latency-profiles.md.
"""

import argparse
import os
from statistics import median

from burn_verify.cache import Cache
from burn_verify.cargo import rustc_version
from burn_verify.options import settings_from
from burn_verify.report.latency import seconds
from burn_verify.versions import DEFAULT
from by_hand import NAMES, project, ready

PROFILES = {
    "cargo's release": {},
    "thin LTO": {"LTO": "thin"},
    "fat LTO": {"LTO": "fat"},
    "one codegen unit": {"CODEGEN_UNITS": "1"},
    "fat LTO, one codegen unit": {"LTO": "fat", "CODEGEN_UNITS": "1"},
}


def compare(threads: int, runs: int) -> None:
    """Time the project by hand in other profiles, in turns; medians over the runs, and seconds of building it again."""
    settings = settings_from({"latency": "on"})
    cache = Cache(settings.cache_dir)
    models = ready(settings, cache, NAMES)
    found: dict[str, list[dict[str, float]]] = {profile: [] for profile in PROFILES}
    rebuilt = {}
    with project(cache, models, threads) as by_hand:
        for profile, said in PROFILES.items():
            rebuilt[profile] = by_hand.rebuild(said)
        for _ in range(runs):
            for profile, said in PROFILES.items():
                found[profile].append({name: point for name, (_, point, _) in by_hand.run(said).items()})
    print(f"| profile | compiling the three | {' | '.join(NAMES)} |")
    print(f"|---|---:|{'---:|' * len(NAMES)}")
    usual = {name: median(run[name] for run in found["cargo's release"]) for name in NAMES}
    for profile, measured in found.items():
        points = {name: median(run[name] for run in measured) for name in NAMES}
        cells = (f"{seconds(points[name])} ({points[name] / usual[name]:.2f})" for name in NAMES)
        print(f"| {profile} | {seconds(rebuilt[profile])} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="(default: 5)")
    parser.add_argument("--threads", type=int, default=1, help="(default: 1)")
    arguments = parser.parse_args()
    print("# What LTO and codegen units do\n")
    print("Made by `python tools/compare_profiles.py`, which says how.\n")
    print(f"Burn {DEFAULT.burn}, {rustc_version()}, threads: {arguments.threads}, runs: {arguments.runs}, ", end="")
    print(f"load average {os.getloadavg()[0]:.1f} before.\n", flush=True)
    compare(arguments.threads, arguments.runs)
    print(f"\nLoad average after: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
