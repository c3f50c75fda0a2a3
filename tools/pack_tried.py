"""Package what `prepare` was tried on: what `burn-verify explain` and the hint after a refusal know of rewriting.

usage: python tools/pack_tried.py [reports/prepare.json] [--out src/burn_verify/data/evidence]
"""

import argparse
from pathlib import Path

from burn_verify.core.prepared import Status
from burn_verify.core.target import Target
from burn_verify.forecast.tried import Tried, encoded, file_name
from burn_verify.report.summary.lifted import Lifted, from_text

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lifted", type=Path, nargs="?", default=_ROOT / "reports" / "prepare.json", metavar="FILE")
    parser.add_argument("--out", type=Path, default=_ROOT / "src/burn_verify/data/evidence", metavar="DIR")
    arguments = parser.parse_args()
    lifted = from_text(arguments.lifted.read_text(encoding="utf-8"))
    cases = tried_of(lifted)
    path = arguments.out / file_name(Target(burn=lifted.versions["burn"], burn_onnx=lifted.versions["burn_onnx"]))
    path.write_bytes(encoded(cases))
    print(f"wrote {path}: {len(cases)} cases, {path.stat().st_size} bytes")


def tried_of(lifted: Lifted) -> dict[str, Tried]:
    """Return the cases that do not agree as they are, and were tried."""
    return {
        case.case_id: Tried(agrees=case.status is Status.LIFTED, rewritings=case.rewritings, in_the_way=case.in_the_way)
        for case in lifted.cases
        if case.status in (Status.LIFTED, Status.STAYS)
    }


if __name__ == "__main__":
    main()
