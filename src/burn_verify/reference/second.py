"""Check whether ONNX Runtime and onnx.reference agree on an input. If not, a deviation of Burn is no failure.

Used only for drawn inputs on which Burn failed. For a degenerate shape, a window larger than its input or an empty sum,
ONNX Runtime returns a number, and onnx.reference returns NaN or no value. Does not judge outputs of Burn.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.core.errors import ProcessDied
from burn_verify.core.stage import PreparedCase
from burn_verify.judge.metrics import first_index, is_float
from burn_verify.judge.structure import show_index
from burn_verify.reference.data_set import DataSet
from burn_verify.system.cache import Cache
from burn_verify.system.resident import Resident
from burn_verify.system.wire import Array, at, decode_named, encode

UNTRUSTED: Final = frozenset(
    {
        "BatchNormalization",
        "Dropout",
        "GRU",
        "GlobalMaxPool",
        "Hardmax",
        "LRN",
        "LSTM",
        "LogSoftmax",
        "Loop",
        "LpNormalization",
        "LpPool",
        "Normalizer",
        "OneHotEncoder",
        "Optional",
        "OptionalGetElement",
        "RNN",
        "RoiAlign",
        "Softmax",
    }
)
"""Operators for which onnx's reference evaluator and ONNX Runtime return different outputs for graphs that both run.
The evaluator implements only one version of some, sums over the batch in others, or ignores attributes."""

_FAR: Final = 1e-2
"""A difference of this share of the greatest value is not caused by rounding, for any dtype. Used only where a value
of the graph is empty."""


class SecondOpinion:
    """Runs onnx's reference evaluator, and ONNX Runtime again, in a worker that starts with the first request.

    Arguments:
        timeout: seconds one request may take; a program that takes longer has no result.
        memory_limit: MiB, 0 for none; a program that needs more has no result either.
    """

    def __init__(self, cache: Cache, timeout: float, memory_limit: int = 0) -> None:
        self._timeout = timeout
        self._worker = Resident(
            [sys.executable, "-m", "burn_verify.reference.worker"],
            role="reference",
            log=cache.folder("logs") / f"second-{os.getpid()}.log",
            memory_limit_mib=memory_limit,
        )

    def differs(self, prepared: PreparedCase, data: DataSet, *, numbers: bool = False) -> str:
        """Return in words how the output of onnx.reference differs from the expected one; empty where it does not.

        Differences are another shape, or NaN or an infinity in place of a number. If a value of the graph is empty,
        another number is a difference too. A float that is cast to an integer beyond its range has no right result,
        whatever the two say. The text is also empty if onnx.reference is not trusted or has no result.

        Arguments:
            numbers: whether another number, far from rounding, is a difference in any case.
        """
        if UNTRUSTED.intersection(prepared.op_types):
            return ""
        header = {"second": True, "model": str(prepared.model)}
        try:
            said, payload = self._worker.request(header, encode(data.inputs), timeout=self._timeout)
        except ProcessDied:
            return ""
        if not said["ok"]:
            return ""
        if said["undefined"]:
            return f"{said['undefined']}, which does not hold it: ONNX leaves the result open"
        answers = at(decode_named(payload), 0, "second")
        names = [output.name for output in prepared.outputs]
        text = difference(names, data.desired, answers, numbers=numbers or bool(said["empty"]), integers=numbers)
        return f"{text}; {said['empty']!r} is empty for onnx.reference" if text and said["empty"] else text

    def takes(self, prepared: PreparedCase, inputs: Sequence[Array]) -> bool:
        """Return whether ONNX Runtime accepts inputs; also False where it does not support an operator."""
        header = {"model": str(prepared.model), "optimise": False, "threads": 0, "sets": 1}
        try:
            said, _ = self._worker.request(header, encode(inputs), timeout=self._timeout)
        except ProcessDied:
            return False
        return bool(said["ok"])

    def close(self) -> None:
        """Terminate the worker."""
        self._worker.close()


def difference(
    names: Sequence[str], expected: Sequence[Array], second: Sequence[Array], *, numbers: bool, integers: bool = False
) -> str:
    """Return in words where the outputs of two programs differ; empty where they do not.

    Arguments:
        expected: outputs of ONNX Runtime.
        second: outputs of onnx.reference.
        numbers: whether two numbers that are far apart count as a difference.
        integers: whether two integers, booleans or texts that are not equal do.
    """
    for name, one, other in zip(names, expected, second, strict=False):
        if one.shape != other.shape:
            shapes = show_index(one.shape), show_index(other.shape)
            return f"{name} has shape {shapes[0]} for ONNX Runtime, {shapes[1]} for onnx.reference"
        if not is_float(one.dtype) or not is_float(other.dtype):
            if integers and (place := first_index(np.asarray(one != other))) is not None:
                return (
                    f"{name} at {show_index(place)} is {one[place]} for ONNX Runtime, {other[place]} for onnx.reference"
                )
            continue
        if (place := first_index(_otherwise(one, other, numbers=numbers))) is not None:
            return (
                f"{name} at {show_index(place)} is {float(one[place]):.6g} for ONNX Runtime, "
                f"{float(other[place]):.6g} for onnx.reference"
            )
    return ""


@np.errstate(all="ignore")
def _otherwise(one: Array, other: Array, *, numbers: bool) -> npt.NDArray[np.bool_]:
    left, right = one.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(left) & np.isfinite(right)
    apart: npt.NDArray[Any] = ~finite & ~((left == right) | (np.isnan(left) & np.isnan(right)))
    if numbers:
        size = np.abs(np.where(finite, left, 0.0)).max(initial=0.0)
        apart |= finite & (np.abs(left - right) > _FAR * size)
    return np.asarray(apart)
