"""A comparison of two sides as a table, and the sentence that it comes to. Pure: values in, text out."""

from collections.abc import Iterator
from typing import Final

from tabulate import tabulate

from burn_verify.core.comparison import ComparedOutput, Comparison
from burn_verify.core.text import harmless, one_line

MANY: Final = 40
"""So many rows are listed; of more, those that differ come first."""
_HEADERS: Final = ("case", "data set", "output", "paired by", "differ", "max abs", "ULP", "cosine", "verdict")


def comparison_text(comparison: Comparison) -> str:
    """Return what was compared, a row for each output, what could not be compared, and the sum."""
    lines = [f"A  {comparison.sides[0]}", f"B  {comparison.sides[1]}"]
    lines += [f"   {note}" for note in comparison.notes]
    ordered = sorted(comparison.compared, key=lambda one: one.agrees)
    shown, folded = ordered[:MANY], ordered[MANY:]
    if shown:
        lines += ["", tabulate([_row(one) for one in shown], headers=_HEADERS, disable_numparse=True)]
    if folded:
        lines.append(f"{len(folded)} more rows, {sum(not one.agrees for one in folded)} of them differ")
    lines += ["", *_sentences(comparison)]
    return harmless("\n".join(lines))


def _row(one: ComparedOutput) -> tuple[str, ...]:
    metrics = one.metrics
    name = one.name if one.name == one.other else f"{one.name} / {one.other}"
    numbers = (
        f"{metrics.mismatching}/{metrics.elements}",
        "" if metrics.max_abs is None else f"{metrics.max_abs:.1e}" if metrics.max_abs else "0",
        ""
        if metrics.max_ulp is None
        else f"{metrics.max_ulp}"
        if metrics.max_ulp < 1_000_000
        else f"{metrics.max_ulp:.1e}",
        "" if metrics.cosine is None else f"{metrics.cosine:.6f}",
    )
    return (one.case, one.data_set, one_line(name), "name" if one.by_name else "place", *numbers, one.verdict)


def _sentences(comparison: Comparison) -> Iterator[str]:
    differing = [one for one in comparison.compared if not one.agrees]
    for one in differing[:MANY]:
        yield f"{one.case}, {one.data_set}: {one.difference}"
    for left in comparison.left_out[:MANY]:
        yield f"{left.case}, {left.data_set}: not compared: {left.why}"
    if (more := len(comparison.left_out) - MANY) > 0:
        yield f"{more} more could not be compared"
    total = len(comparison.compared)
    word = "agree" if comparison.agrees else "do not agree"
    missing = f", {len(comparison.left_out)} could not be compared" if comparison.left_out else ""
    yield f"A and B {word}: {total - len(differing)} of {total} outputs are the same within the judge's bounds{missing}"
