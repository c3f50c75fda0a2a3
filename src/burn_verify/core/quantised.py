"""How a model is quantised, what came of it, and by which operators one knows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Calibration(StrEnum):
    """How ranges of activations follow from samples, by ONNX Runtime's calibrators."""

    MINMAX = "minmax"
    ENTROPY = "entropy"
    PERCENTILE = "percentile"


class Width(StrEnum):
    """A type of 8 bits."""

    INT8 = "int8"
    UINT8 = "uint8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantisation:
    """How a model is to be quantised.

    Attributes:
        dynamic: ranges of activations are measured at each call; else they are constants, from calibration data.
        per_channel: a scale for each output channel of a weight, not one for all.
        activations, weights: their types; those of activations count for static quantisation only.
        reduce_range: weights in 7 bits, for processors whose products of 8 bits saturate.
        operators: only nodes of these types; empty for all that ONNX Runtime quantises.
        exclude: names of nodes that stay as they are.
        optimise: fold constants and batch normalisation before.
    """

    dynamic: bool = False
    per_channel: bool = False
    activations: Width = Width.INT8
    weights: Width = Width.INT8
    calibration: Calibration = Calibration.MINMAX
    reduce_range: bool = False
    operators: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    optimise: bool = True

    @property
    def text(self) -> str:
        """The choices in one line."""
        parts = ["dynamic" if self.dynamic else "static QDQ", "per channel" if self.per_channel else "per tensor"]
        parts.append(f"weights {self.weights}{' in 7 bits' if self.reduce_range else ''}")
        if not self.dynamic:
            parts.append(f"activations {self.activations} by {self.calibration}")
        if self.operators:
            parts.append(f"only {', '.join(self.operators)}")
        if self.exclude:
            parts.append(f"without {', '.join(self.exclude)}")
        return ", ".join(parts)


INTEGER: Final = frozenset({"MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv"})
"""Operators whose products are of integers."""
_FLOAT: Final = "QuickGelu"
"""The operator that is called like those of quantised tensors, and is none."""

EXACT: Final = 200.0
"""Decibels from which on two float32 tensors are the same: their own precision is some 145."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What quantisation does to a tensor, as signal-to-noise ratios in decibels; the lower, the worse.

    Attributes:
        weight: whether it is a weight, else it is an activation on the samples.
        own: of the tensor before and after its own rounding; None where there is no such pair.
        whole: of the float model's tensor and the quantised model's; None where there is no such pair.
    """

    tensor: str
    weight: bool
    own: float | None = None
    whole: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """A quantised model, as ONNX Runtime made it.

    Attributes:
        model: serialised.
        samples: how many samples calibrated it.
        before, after: bytes of the model file.
        nodes: how many nodes of each type were quantised, and of how many, by type.
        losses: by tensor, the worst first; empty where nothing was measured.
        unmeasured: why no loss was measured; empty where it was, or nobody asked.
    """

    model: bytes
    how: Quantisation
    samples: int
    before: int
    after: int
    nodes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    unmeasured: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The file of a quantised model that was written.

    Attributes:
        size: bytes.
        integer: types of its nodes whose products are of integers.
    """

    size: int
    integer: tuple[str, ...] = ()

    @property
    def arithmetic(self) -> tuple[str, ...]:
        """The dtypes that Burn computes in: burn-onnx makes float arithmetic of everything but products of integers."""
        return ("float32", "int32") if self.integer else ("float32",)


def is_quantised(op_types: Iterable[str]) -> bool:
    """Return whether operators of these types are those of a quantised model.

    Arguments:
        op_types: each alone, or behind its domain: ``com.microsoft.QLinearAdd``, ``com.microsoft::QLinearAdd``.
    """
    return any(_computes_quantised(name.replace("::", ".").rpartition(".")[2]) for name in op_types)


def _computes_quantised(name: str) -> bool:
    return (name.startswith("Q") and name != _FLOAT) or "Quantize" in name or name.endswith("Integer")
