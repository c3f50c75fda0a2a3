"""The evidence of one data set of a case, independent of the actual outputs.

Data only; `weigh` and `policy` use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from burn_verify.core.case import Tolerance
from burn_verify.core.result import Guilty
from burn_verify.judge.facts import LoneNode
from burn_verify.judge.quotient import Quotient


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Measurements of a data set beyond the expected outputs.

    Attributes:
        wide: outputs in float64, by index; those that could not be computed are missing.
        scale: the magnitude S of these outputs, by index, where their rule requires one.
        optimised: ONNX Runtime's outputs with its graph optimisations enabled, where they were requested.
        other: ONNX Runtime's outputs for other, newly generated inputs; None where they were not computed.
        sigma: the deviation that rounding causes in an output of a graph, float64 of its shape, by index.
        evaluator: name of the program that computed `wide`.
        why: why there is no `wide`; empty where there is one, or none was requested.
        why_no_sigma: the same for `sigma`.
        lone: the single operator of the case; None for a graph of several.
        quotient: the value before rounding, for a node with one quantised output; None for any other.
    """

    wide: Mapping[int, npt.NDArray[Any]] = field(default_factory=dict)
    scale: Mapping[int, npt.NDArray[Any]] = field(default_factory=dict)
    sigma: Mapping[int, npt.NDArray[Any]] = field(default_factory=dict)
    optimised: Sequence[npt.NDArray[Any]] | None = None
    other: Sequence[npt.NDArray[Any]] | None = None
    evaluator: str = ""
    why: str = ""
    why_no_sigma: str = ""
    lone: LoneNode | None = None
    quotient: Quotient | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Inputs and outputs, in the order of the graph.

    Attributes:
        stored: stored expected outputs; None where there are none.
        runtime: outputs of `program`, for ONNX Runtime with optimisations disabled; None where it refused the model.
        coarse: tolerance for expected outputs that were computed in a narrower dtype; None where they were not.
        program: the program that computed `runtime`: ONNX Runtime, or onnx.reference.
    """

    inputs: Sequence[npt.NDArray[Any]]
    stored: Sequence[npt.NDArray[Any]] | None
    runtime: Sequence[npt.NDArray[Any]] | None
    measured: Measured = field(default_factory=Measured)
    coarse: Tolerance | None = None
    program: Guilty = Guilty.ONNXRUNTIME

    @property
    def desired(self) -> Sequence[npt.NDArray[Any]]:
        """The expected outputs: the stored ones, else ONNX Runtime's."""
        answers = self.runtime if self.stored is None else self.stored
        assert answers is not None
        return answers
