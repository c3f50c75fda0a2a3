"""The seam behind which a model is run for its reference: whoever takes an ``.onnx`` file and inputs, and answers.

`burn_verify.reference.ort` is the one engine there is. Another one is one more module with these members; what is kept
of an engine's answers is kept under its name and version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from burn_verify.core.latency import Block, BlockPlan
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What an engine finds out about one data set beyond the answers.

    Attributes:
        arrays: answers in float64 under ``000/wide/NNN`` and their magnitudes under ``000/scale/NNN``, by place.
        evaluator: who computed them; empty where nobody did.
        why: why there are none; empty where there are, or none were wanted.
        node: the one operator of the model, as `burn_verify.reference.lone_node.to_json` writes it; None for several.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)
    evaluator: str = ""
    why: str = ""
    node: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """How far roundings may move the float outputs of a model, as an engine finds out.

    Attributes:
        sigma: the deviation by place of the output, float64 of its shape.
        why: why float outputs are missing; empty where none is.
        out_of_time: more time may find more.
    """

    sigma: Mapping[int, Array] = field(default_factory=dict)
    why: str = ""
    out_of_time: bool = False


class Engine(Protocol):
    """Runs ONNX models. Nothing is started before the first request."""

    @property
    def name(self) -> str:
        """What the engine is called in caches and records, such as ``onnxruntime``."""

    @property
    def version(self) -> str:
        """Its version: answers of another one are other answers."""

    @property
    def pid(self) -> int | None:
        """The process that answered last; None where there is none on this machine."""

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        """Run a model on several sets of inputs, each in the order of the graph.

        Arguments:
            optimise: with graph optimisations.
            threads: how many work at one operator, 0 for as many as the engine likes.

        Raises:
            OracleError: the engine refused the model, died or hung.
        """

    def measure(
        self,
        model: Path,
        inputs: Sequence[Array],
        *,
        wide: bool,
        shapes: Sequence[Sequence[int]],
        timeout: float,
    ) -> Measurement:
        """Find out about one data set; an engine that cannot answers ``Measurement()``.

        Arguments:
            wide: whether answers in float64 are wanted.
            shapes: those of the answers that are known.
            timeout: seconds that it may take.

        Raises:
            OracleError: the engine died or took too long.
        """

    def deviations(self, model: Path, inputs: Sequence[Array], *, timeout: float) -> Deviations:
        """Find out how far roundings may move the outputs; an engine that cannot answers ``Deviations()``.

        Arguments:
            timeout: seconds that it should take; it may take twice as long before it is ended.

        Raises:
            OracleError: the engine died or took too long.
        """

    def block(self, model: Path, inputs: Sequence[Array], threads: int, plan: BlockPlan) -> Block:
        """Time a block of calls, with all graph optimisations.

        Raises:
            OracleError: the engine refused the model, died or hung.
        """

    def restart(self) -> None:
        """End the process, if there is one: the next request meets one that has done nothing yet."""

    def close(self) -> None:
        """End for good; a request that is in flight on another thread fails with `OracleError`."""


class Engines(Protocol):
    """Makes an engine."""

    def __call__(self, cache: Cache, timeout: float, /, *, memory_limit: int) -> Engine:
        """Return an engine that was not started yet.

        Arguments:
            timeout: seconds one inference may take, loading included.
            memory_limit: MiB of address space, 0 for no limit.
        """


def infer(
    engine: Engine, model: Path, inputs: Sequence[Array], *, optimise: bool = False, threads: int = 0
) -> list[Array]:
    """Run a model once; arguments and errors as for `Engine.infer_all`."""
    return engine.infer_all(model, [inputs], optimise=optimise, threads=threads)[0]
