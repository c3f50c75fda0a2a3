"""Write reports/latency.md from the records beside it, reports/latency-<threads>.jsonl.

usage: python tools/latency_report.py [--check]

A function of the records alone. They are made by, for 1 and for 2 threads::

    pytest --models all --latency --threads 1 --burn-record=reports/latency-1.jsonl
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from burn_verify.core.text import counted
from burn_verify.record import store
from burn_verify.report.views import latency
from burn_verify.report.views.markdown import bullets

REPORTS = Path(__file__).resolve().parents[1] / "reports"
TARGET = REPORTS / "latency.md"


def rendered() -> str:
    """Return the report."""
    parts = [
        "# Latency of the zoo",
        "Burn and ONNX Runtime side by side, medians of single calls; [what is counted](../docs/latency.md). Made by "
        "`tools/latency_report.py`, which says how its records are made. Where the load average is above the number of "
        "threads, other work was going on.",
    ]
    for path in sorted(REPORTS.glob("latency-*.jsonl")):
        record = store.read(path)
        untimed = [result for result in record.results if result.latency is None]
        threads = record.environment["latency"]["threads"]
        parts.append(f"## {counted(threads, 'thread')}")
        parts.append(latency.as_markdown(record.results))
        if untimed:
            parts.append(f"{counted(len(untimed), 'model')} did not get so far as to be timed:")
            parts.append("\n".join(f"- {result.case_id}, at {result.stage.value}" for result in untimed))
        parts.append("### Environment\n\n" + "\n".join(bullets(record.environment)))
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the report; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the report is stale")
    options = parser.parse_args(arguments)
    text = rendered()
    if options.check:
        return int(TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
