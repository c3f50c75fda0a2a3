"""One set of inputs and expected outputs of a model. Asks no engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from burn_verify.core.errors import OracleError
from burn_verify.system.wire import Array, at, decode_named

Opinions: TypeAlias = Mapping[str, list[Array]]
"""Outputs of engines, by the engine's name, for data sets whose stored outputs are the expected ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Inputs and outputs, in the order of the graph.

    Attributes:
        desired: the expected outputs: the stored ones, else those of the engine.
        opinions: see `Opinions`; empty where no outputs are stored, or no engine has outputs.
        evaluated: the expected outputs are of onnx's reference evaluator, since the engine has no kernel.
    """

    inputs: list[Array]
    desired: list[Array]
    opinions: Opinions = field(default_factory=dict)
    evaluated: bool = False

    @property
    def opinion(self) -> list[Array] | None:
        """Outputs of the first engine where stored outputs are the expected ones; None where there are none."""
        return next(iter(self.opinions.values()), None)


def inputs_in(path: Path, place: int) -> list[Array]:
    """Return the inputs of a data set in a safetensors file in the layout of a reference.

    Raises:
        OracleError: the file cannot be read.
    """
    try:
        return at(decode_named(path.read_bytes()), place, "in")
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> OracleError:
    """Return the error for stored data that cannot be read."""
    return OracleError(f"{path}: stored test data cannot be read: {error}", "stored test data damaged")
