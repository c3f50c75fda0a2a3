"""Measure what a report costs: the time to make it, and, in chromium, its first paint and the answer of its filters.

Usage, from the root of the repository::

    python tools/report_speed.py              # the committed record, then 100,000 cells
    python tools/report_speed.py --cells 5000

The large record is the committed one, repeated under other names. Exits with 1 where a limit is exceeded.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from burn_verify.record import store
from burn_verify.record.codec import Record
from burn_verify.report.files import files
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings

RECORD = Path(__file__).resolve().parents[1] / "reports" / "record.jsonl"
FULL_SECONDS, LARGE_SECONDS, PAINT_MS, FILTER_MS = 5.0, 60.0, 200.0, 60.0

# To the frame after the one in which the rows were laid out: what a person waits for.
FILTER = """text => new Promise(done => {
  const input = document.getElementById("text");
  const started = performance.now();
  input.value = text;
  input.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""
SORT = """() => new Promise(done => {
  const started = performance.now();
  document.querySelector("[data-sort='0']").click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", type=int, default=100_000, help="of the large record (default: 100000)")
    parser.add_argument("--record", type=Path, default=RECORD, help="the record to start from")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    record = store.read(options.record)
    reading = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        small = _make(record, Path(folder, "small")) + reading
        large = _make(repeated(record, options.cells), Path(folder, "large"))
        print(f"all artefacts, {len(record.results)} cells: {small:.2f} s (limit {FULL_SECONDS} s)")
        print(f"all artefacts, {options.cells} cells: {large:.2f} s (limit {LARGE_SECONDS} s)")
        page = Path(folder, "large", "index.html")
        print(f"page, {options.cells} cells: {page.stat().st_size / 1e6:.1f} MB")
        good = small <= FULL_SECONDS and large <= LARGE_SECONDS
        return 0 if _look(page) and good else 1


def repeated(record: Record, cells: int) -> Record:
    """Return a record of so many cells that says what the given one says, again and again under other names."""
    own = record.results
    results = (
        replace(own[place % len(own)], case_id=_name(own[place % len(own)].case_id, place // len(own)))
        for place in range(cells)
    )
    return replace(record, results=tuple(results), selection=None)


def _name(case_id: str, turn: int) -> str:
    return f"{case_id}_{turn}" if turn else case_id


def _make(record: Record, folder: Path) -> float:
    started = time.perf_counter()
    made = files(Findings(matrix=merge([record]), expected=({},)))
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return time.perf_counter() - started


def _look(page: Path) -> bool:
    """Open the page three times; return whether the medians are within their limits."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    paints, filters, sorts = [], [], []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(3):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(f"{page.as_uri()}#rows=all")
            tab.wait_for_selector("html[data-ready]", state="attached")
            paints.append(tab.evaluate(PAINT))
            for text in ("co", "conv", "conv gradient", "", "unsupported", "zoo"):
                filters.append(tab.evaluate(FILTER, text))
            tab.evaluate(FILTER, "")
            sorts.append(tab.evaluate(SORT))
            for view in ("operators", "dtypes", "versions", "failures", "models"):
                tab.click(f"[data-view={view}]")
                filters.append(tab.evaluate(FILTER, "conv"))
            tab.close()
        browser.close()
    paint, slowest = float(sorted(paints)[1]), float(max(filters))
    print(f"first paint: {paint:.0f} ms (limit {PAINT_MS:.0f} ms)")
    print(f"filter: {sorted(filters)[len(filters) // 2]:.0f} ms, slowest {slowest:.0f} ms (limit {FILTER_MS:.0f} ms)")
    print(f"sort by name: {max(sorts):.0f} ms (no limit set)")
    return paint <= PAINT_MS and slowest <= FILTER_MS


if __name__ == "__main__":
    sys.exit(main())
