"""Metrics of one output, and the text of a difference. Makes no decisions."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import Mismatch, OutputMetrics
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.metrics import (
    Mask,
    first_index,
    flat,
    is_float,
    is_integer,
    max_abs,
    max_ulp,
    quantile,
    ulp_histogram,
    widened,
    worst_index,
)
from burn_verify.judge.structure import show_count, show_index, show_tensor
from burn_verify.judge.task_metrics import least_cosine

Array = npt.NDArray[Any]


@np.errstate(all="ignore")
def same_numbers(actual: Array, desired: Array) -> bool:
    """Return whether two arrays are floats, not empty, finite and equal.

    Most outputs of small cases are bitwise equal, and measuring takes ten times as long as this check.
    """
    alike = desired.size > 0 and is_float(desired.dtype) and bool(np.array_equal(actual, desired))
    return alike and bool(np.isfinite(desired).all())


def incomparable(name: str, desired: Array, problem: Mismatch, data_set: str) -> OutputMetrics:
    """Return the `OutputMetrics` of an output whose elements cannot be compared; all of them count as mismatching."""
    return OutputMetrics(
        data_set=data_set,
        name=name,
        dtype=dtype_name(desired.dtype),
        shape=tuple(map(int, desired.shape)),
        elements=int(desired.size),
        mismatching=int(desired.size),
        problem=problem,
    )


def measure(name: str, actual: Array, desired: Array, bad: Mask, data_set: str) -> OutputMetrics:
    """Return the distances between two outputs of one dtype and shape.

    Args:
        name: name of the output.
        actual, desired: the actual and the expected output.
        bad: where they differ by more than is allowed.
        data_set: as in the record.
    """
    same = same_numbers(actual, desired)
    p99, cosine = (0.0, 1.0) if same else _overall(actual, desired)
    return OutputMetrics(
        data_set=data_set,
        name=name,
        dtype=dtype_name(desired.dtype),
        shape=tuple(map(int, desired.shape)),
        elements=int(desired.size),
        mismatching=int(np.count_nonzero(bad)),
        max_abs=0.0 if same else max_abs(actual, desired),
        max_ulp=0 if same else max_ulp(actual, desired),
        ulps=() if same else ulp_histogram(actual, desired),
        first_bad=first_index(bad),
        p99=p99,
        cosine=cosine,
    )


def difference_text(actual: Array, desired: Array, bad: Mask, *further: str) -> str:
    """Describe the error of the differing elements; others may have a greater error and still be within the bound."""
    place = worst_index(actual, desired, bad)
    came, wanted = flat(actual)[flat(bad)], flat(desired)[flat(bad)]
    parts = [f"{show_tensor(desired)} {show_count(bad)}"]
    if (greatest := max_abs(came, wanted)) is not None and place is not None:
        shown = f"{greatest:g}" if is_integer(desired.dtype) else f"{greatest:.1e}"
        parts.append(f"max_abs={shown} at {show_index(place)}")
    if (steps := max_ulp(came, wanted)) is not None:
        parts.append(f"{steps} ULP")
    return ", ".join([*parts, *_said(further)])


def _said(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text]


@np.errstate(all="ignore")
def _overall(actual: Array, desired: Array) -> tuple[float | None, float | None]:
    """Return 99th percentile of the absolute difference, and cosine, over elements that are finite in both."""
    if not is_float(desired.dtype):
        return None, None
    came, wanted = widened(flat(actual)), widened(flat(desired))
    finite = np.isfinite(came) & np.isfinite(wanted)
    if not finite.any():
        return None, None
    came, wanted = came[finite], wanted[finite]
    return quantile(np.abs(came - wanted), 0.99), least_cosine(came, wanted)
