"""A rewriting: a small change of a model after which Burn may do what it did not do before.

Data only; `burn_verify.prepare.catalogue` lists every rewriting, `burn_verify.run.prepare` chooses and proves them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt
import onnx

Array: TypeAlias = npt.NDArray[Any]

Function: TypeAlias = "Callable[[onnx.ModelProto, Tools], onnx.ModelProto | None]"
"""Returns the changed model, None where there is nothing to change; the given one stays as it is."""


class Promise(StrEnum):
    """What a rewriting promises about the outputs of a reference."""

    SAME = "bit-equal"
    CLOSE = "close"
    """The order of the arithmetic changes: inside the bound of the judge."""
    OPTIONS = "options"
    """The model stays as it is."""
    INTERFACE = "interface"
    """Inputs or outputs change, as the user asked."""


class Risk(IntEnum):
    """How likely a rewriting does harm to a model that does not need it; sets are tried without the riskier ones."""

    NONE = 0
    LITTLE = 1
    SOME = 2
    LAST = 3
    """It replaces what is verified."""


class Tools(Protocol):
    """What a rewriting may ask for beyond the model."""

    def run(self, model: onnx.ModelProto, inputs: Sequence[Array]) -> list[Array]:
        """Run a model by the engine of the reference.

        Raises:
            StageError: the engine refused the model, died or hung.
        """

    def lifted(self, model: onnx.ModelProto, opset: int) -> onnx.ModelProto | None:
        """Return a model of a newer opset by onnx's version converter; None where it fails or takes too long."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rewriting:
    """A change of a model, by name.

    Attributes:
        reason: what of Burn makes it necessary, in a sentence.
        evidence: ids of cases, or patterns of ids, that end better with it.
        options: options of the conversion that it sets.
        risk: see `Risk`.
    """

    name: str
    reason: str
    evidence: tuple[str, ...] = ()
    promise: Promise
    function: Function
    options: Mapping[str, bool] = field(default_factory=dict)
    risk: Risk = Risk.NONE


def unchanged(model: onnx.ModelProto, tools: Tools) -> None:
    """Change nothing: the function of a rewriting that only sets options of the conversion."""
    del model, tools
