"""One case's numbers, whole: what every output was measured against, by how much it is off, and who is guilty.

Pure: values in, text out.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.text import harmless
from burn_verify.judge.metrics import ulp_distances
from burn_verify.judge.structure import show_index

Array = npt.NDArray[Any]

_METRICS: Final = {"top1": "top-1", "top5": "top-5", "iou": "least IoU"}
"""Metrics of a task that are called otherwise here than in the record."""

_BAR: Final = 40
"""Columns of the longest bar of a histogram."""


def explanation(result: CaseResult, answers: dict[tuple[str, str], tuple[Array, Array]] | None = None) -> str:
    """Return all that a record says of the numbers of a case.

    Args:
        result: the case.
        answers: what came and what was expected by data set and output, for a histogram; from running it again.
    """
    verdict = result.verdict or f"none: it stopped at {result.stage}"
    lines = [f"{result.case_id}: {verdict}"]
    lines += [f"guilty: {result.details['guilty']}"] if result.details.get("guilty") else []
    lines += [f"insensitive: {result.details['insensitive']}"] if result.details.get("insensitive") else []
    lines += [f"overrides: {', '.join(result.details['overrides'])}"] if result.details.get("overrides") else []
    lines += [f"ONNX Runtime of itself: {result.details['onnxruntime']}"] if result.details.get("onnxruntime") else []
    lines += [f"left out, as it accuses nobody: {result.details['doubt']}"] if result.details.get("doubt") else []
    lines += [result.message] if result.message else []
    for entry in result.metrics:
        lines += ["", *_output(entry)]
        pair = (answers or {}).get((entry.data_set, entry.name))
        if pair is not None:
            lines += histogram(*pair)
    return harmless("\n".join(lines))


def histogram(actual: Array, desired: Array) -> list[str]:
    """Return lines of a histogram of the distance in ULP, in classes that double; none where there is no ULP."""
    distances = ulp_distances(actual, desired)
    if distances is None or not distances.size:
        return []
    # 0, 1, 2 to 3, 4 to 7: the bit length of the distance.
    classes = np.zeros(distances.size, np.int64)
    positive = distances > 0
    classes[positive] = np.floor(np.log2(distances[positive].astype(np.float64))).astype(np.int64) + 1
    counts = np.bincount(classes)
    lines = ["  ULP"]
    for place in range(int(classes.min()), counts.size):
        count = counts[place]
        low, high = (0, 0) if place == 0 else (2 ** (place - 1), 2**place - 1)
        name = f"{low}" if low == high else f"{low} to {high}"
        bar = "█" * max(round(_BAR * count / counts.max()), int(count > 0))
        lines.append(f"  {name:>21}  {count:>9}  {bar}".rstrip())
    return lines


def _outside(entry: OutputMetrics) -> str:
    """Say how many elements are wrong: each by itself, or all together though none of them is."""
    if entry.problem is not None:
        return str(entry.problem)
    count = f"{entry.mismatching}/{entry.elements} elements"
    if entry.mismatching and entry.headroom is not None and entry.headroom <= 1:
        return f"no element outside of what is allowed, but {count} together further off than the reference itself"
    return f"{count} outside of what is allowed"


def _output(entry: OutputMetrics) -> Iterator[str]:
    """Yield the evidence of one output."""
    yield f"{entry.data_set}, {entry.name}: {entry.dtype}{show_index(entry.shape)}"
    yield f"  {_outside(entry)}"
    pairs: Sequence[tuple[str, Any]] = (
        ("measured against", entry.reference),
        ("allowed", entry.bound),
        ("headroom", entry.headroom),
        ("of what rounding explains", None if entry.rounding_share is None else _share(entry.rounding_share)),
        ("headroom of the oracle", entry.oracle_headroom),
        ("max abs", entry.max_abs),
        ("99th percentile", entry.p99),
        ("max ULP", entry.max_ulp),
        ("cosine", entry.cosine),
        ("first bad", None if entry.first_bad is None else show_index(entry.first_bad)),
        ("guilty", entry.guilty),
        ("verifies nothing", entry.insensitive),
        ("override", entry.override),
        *((_METRICS.get(name, name), value) for name, value in entry.metrics.items()),
    )
    for name, value in pairs:
        if value not in (None, ""):
            yield f"  {name:<26}{value:.4g}" if isinstance(value, float) else f"  {name:<26}{value}"


def _share(share: float) -> str:
    """Return a share as a percentage, and far beyond all of it as a multiple."""
    return f"{share:.2%}" if share < 10 else f"{share:.3g} times"
