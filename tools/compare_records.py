"""Print how two records differ, as Markdown: verdicts side by side, every case that changed, headrooms that grew.

usage: python tools/compare_records.py BEFORE AFTER

What judging by evidence changed is the difference between a run with --judge=onnx and one without.
"""

import argparse
from collections import Counter
from pathlib import Path
from textwrap import shorten

from burn_verify.core.result import CaseResult
from burn_verify.expectations import packaged
from burn_verify.expectations.match import Expectations
from burn_verify.record.codec import Record
from burn_verify.record.store import read
from burn_verify.report.summary.ends import first_line
from burn_verify.report.views.markdown import escape, table

_WIDTH = 120
"""Columns of a reason that is only a message."""
_GREW = 4
_COUNTS = 0.1
"""Below a tenth of the bound, growth is noise."""


def main() -> None:
    """Read both records and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path, help="a file written by --burn-record")
    parser.add_argument("after", type=Path, help="another one")
    arguments = parser.parse_args()
    print("\n".join(compared(read(arguments.before), read(arguments.after))))


def compared(before: Record, after: Record) -> list[str]:
    """Return the lines of the comparison; cases that only one record has are left out."""
    earlier = {result.case_id: result for result in before.results}
    pairs = [(earlier[result.case_id], result) for result in after.results if result.case_id in earlier]
    counts = Counter((ended(old), ended(new)) for old, new in pairs)
    lines = table(("before", "after", "cases"), [[*ends, str(count)] for ends, count in sorted(counts.items())])
    expected = Expectations(packaged.load(after.target))
    rows = []
    for old, new in pairs:
        if ended(old) != ended(new):
            known = expected.of(new.case_id)
            text = first_line(new) or f"before: {first_line(old)}"
            why = known.reason if known else shorten(text.rpartition(" [")[0] or text, _WIDTH, placeholder=" …")
            rows.append([new.case_id, ended(old), ended(new), escape(why)])
    lines += ["", *table(("case", "before", "after", "why"), rows)]
    if grew := [row for old, new in pairs for row in headrooms(old, new)]:
        lines += ["", *table(("case", "output", "headroom before", "after"), grew)]
    return lines


def headrooms(before: CaseResult, after: CaseResult) -> list[list[str]]:
    """Return a row for each output that agrees still, but whose error over the bound grew fourfold and counts."""
    earlier = {(entry.data_set, entry.name): entry.headroom for entry in before.metrics}
    rows = []
    for entry in after.metrics:
        old, new = earlier.get((entry.data_set, entry.name)), entry.headroom
        if old is not None and new is not None and _COUNTS <= new <= 1 and new >= _GREW * old:
            rows.append([after.case_id, escape(entry.name), f"{old:.2g}", f"{new:.2g}"])
    return rows


def ended(result: CaseResult) -> str:
    """Return the verdict over a case, or the stage before which there is none."""
    return result.verdict or f"stopped at {result.stage}"


if __name__ == "__main__":
    main()
