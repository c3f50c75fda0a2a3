"""Write the table of bounds between the markers of ``docs/numerics.md``, from the package's own table.

Usage, from the root of the repository::

    python tools/numerics_bounds.py           # write the table
    python tools/numerics_bounds.py --check   # exit 1 if it is stale

Changes nothing outside the markers.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from burn_verify.judge.bound_table import RULES
from burn_verify.judge.facts import Rule

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "numerics.md"
START = "<!-- bounds -->"
END = "<!-- /bounds -->"


def table() -> str:
    """Return the rows as a Markdown table, operators of one formula and source together, ending in a newline."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for rule in RULES.values():
        rows.setdefault(_cells(rule), []).append(f"{rule.domain}.{rule.op_type}".removeprefix("."))
    lines = ["| operators | c, in roundoffs | S | source |", "|---|---|---|---|"]
    for cells, names in rows.items():
        lines.append(f"| {', '.join(names)} | {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """Return the text with the table between the markers replaced.

    Raises:
        SystemExit: the markers are not there.
    """
    before, start, rest = text.partition(f"{START}\n")
    _, end, after = rest.partition(END)
    if not start or not end:
        message = f"docs/numerics.md needs {START} and, after it, {END}"
        raise SystemExit(message)
    return f"{before}{START}\n{table()}{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the table is stale")
    options = parser.parse_args(arguments)
    text = DOCUMENT.read_text(encoding="utf-8")
    fresh = with_table(text)
    if options.check and text != fresh:
        print("docs/numerics.md is stale: run tools/numerics_bounds.py without --check", file=sys.stderr)
        return 1
    if text != fresh:
        DOCUMENT.write_text(fresh, encoding="utf-8")
    return 0


def _cells(rule: Rule) -> tuple[str, str, str]:
    if rule.count is None:
        return "no bound known", "", rule.source
    magnitude = "" if rule.formula == "0" else rule.magnitude.value
    steps = f", {rule.steps} step for integers" if rule.steps else ""
    return f"{rule.formula}{steps}", magnitude, rule.source


if __name__ == "__main__":
    sys.exit(main())
