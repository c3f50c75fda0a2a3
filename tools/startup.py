"""Time how long `burn-verify serve` takes until it answers: a line for each start, for reports/deploy.md.

usage: python tools/startup.py MODEL… --state TEXT --out FILE.jsonl [--starts N]

Uses the cache of the environment (`BURN_VERIFY_CACHE`) as it is. TEXT says what that cache holds at the first start,
such as "nothing" or "Burn": the starts after it find what the ones before have left.
"""

import argparse
import json
import sys
from pathlib import Path

from serving import served


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--state", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--starts", type=int, default=2)
    arguments = parser.parse_args()
    for model in arguments.models:
        seconds = []
        for _ in range(arguments.starts):
            with served(model) as (_, _, taken, _):
                seconds.append(taken)
        line = {"model": model, "state": arguments.state, "seconds": seconds}
        sys.stderr.write(f"{line}\n")
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line)}\n")


if __name__ == "__main__":
    main()
