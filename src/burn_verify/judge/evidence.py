"""All that the judge knows of one data set of a case before it looks at what came.

Holds data only; what is made of it is in `weigh` and `policy`.
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
    """What was found out about a data set beyond the answers that count.

    Attributes:
        wide: outputs in float64, by place; those that could not be had are missing.
        scale: the magnitude S of these outputs, by place, where their rule wants one.
        optimised: ONNX Runtime's answers with its graph optimisations on, where they were asked for.
        other: ONNX Runtime's answers to other inputs, drawn anew; None where nobody was asked.
        sigma: how far roundings may move an output of a graph, float64 of its shape, by place.
        evaluator: who computed `wide`.
        why: why there is no `wide`; empty where there is, or none was wanted.
        why_no_sigma: the same of `sigma`.
        lone: the one operator of the case; None for a graph of several.
        quotient: what a node of one quantised output rounds; None for any other.
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
    """Inputs and answers, in the order of the graph.

    Attributes:
        stored: somebody's stored answers; None where there are none.
        runtime: ONNX Runtime's answers with its optimisations off, or those of `program`; None where it refused.
        coarse: how far the answers themselves may be off, being of a narrower dtype; None where they are not.
        program: who gave the answers in `runtime`: ONNX Runtime, or onnx.reference.
    """

    inputs: Sequence[npt.NDArray[Any]]
    stored: Sequence[npt.NDArray[Any]] | None
    runtime: Sequence[npt.NDArray[Any]] | None
    measured: Measured = field(default_factory=Measured)
    coarse: Tolerance | None = None
    program: Guilty = Guilty.ONNXRUNTIME

    @property
    def desired(self) -> Sequence[npt.NDArray[Any]]:
        """The answers that count: stored ones before ONNX Runtime's."""
        answers = self.runtime if self.stored is None else self.stored
        assert answers is not None
        return answers
