"""Do two programs that know ONNX agree on an input? Where they do not, a third that differs is not to blame for it.

Asked only of inputs that were drawn and on which Burn failed: of a degenerate shape, a window larger than what it moves
over or a sum of nothing, ONNX Runtime makes a number, onnx.reference NaN or nothing at all. Judges no answer of Burn.
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
from burn_verify.reference.oracle import DataSet
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
"""Operators of which onnx's reference evaluator answers otherwise than ONNX Runtime to graphs that both run: it knows
one version of some, sums over the batch in others, or leaves attributes out."""

_FAR: Final = 1e-2
"""So much of the greatest value is no rounding, whatever the dtype: asked only where a value of the graph is empty."""


class SecondOpinion:
    """Asks onnx's reference evaluator, and ONNX Runtime once more, in a worker that starts when it is asked first.

    Arguments:
        timeout: seconds one answer may take; who takes longer has no opinion.
        memory_limit: MiB, 0 for none; who needs more has no opinion either.
    """

    def __init__(self, cache: Cache, timeout: float, memory_limit: int = 0) -> None:
        self._timeout = timeout
        self._worker = Resident(
            [sys.executable, "-m", "burn_verify.reference.worker"],
            role="reference",
            log=cache.folder("logs") / f"second-{os.getpid()}.log",
            memory_limit_mib=memory_limit,
        )

    def differs(self, prepared: PreparedCase, data: DataSet) -> str:
        """Return in words how onnx.reference answers otherwise than what is expected; empty where it does not.

        That is another shape, or NaN or an infinity where the other has a number, and where a value of the graph is
        empty another number as well. It is empty, too, where onnx.reference is not trusted or has no answer.
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
        answers = at(decode_named(payload), 0, "second")
        names = [output.name for output in prepared.outputs]
        text = difference(names, data.desired, answers, numbers=bool(said["empty"]))
        return f"{text}; {said['empty']!r} is empty for onnx.reference" if text and said["empty"] else text

    def takes(self, prepared: PreparedCase, inputs: Sequence[Array]) -> bool:
        """Tell whether ONNX Runtime takes inputs; False where it knows no such operator either."""
        header = {"model": str(prepared.model), "optimise": False, "threads": 0, "sets": 1}
        try:
            said, _ = self._worker.request(header, encode(inputs), timeout=self._timeout)
        except ProcessDied:
            return False
        return bool(said["ok"])

    def close(self) -> None:
        """End the worker."""
        self._worker.close()


def difference(names: Sequence[str], expected: Sequence[Array], second: Sequence[Array], *, numbers: bool) -> str:
    """Return in words where two programs answer otherwise; empty where they do not.

    Arguments:
        expected: of ONNX Runtime.
        second: of onnx.reference.
        numbers: whether numbers that are far from one another count.
    """
    for name, one, other in zip(names, expected, second, strict=False):
        if one.shape != other.shape:
            shapes = show_index(one.shape), show_index(other.shape)
            return f"{name} has shape {shapes[0]} for ONNX Runtime, {shapes[1]} for onnx.reference"
        if not is_float(one.dtype) or not is_float(other.dtype):
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
