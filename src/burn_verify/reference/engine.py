"""Interface of the engines, which run an ``.onnx`` file on inputs to compute the reference.

`burn_verify.reference.ort` is the only engine. To support another one, add a module with these members. Results of an
engine are cached under its name and version.
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
    """Measurements of an engine for one data set, besides the outputs.

    Attributes:
        arrays: outputs in float64 under ``000/wide/NNN`` and their magnitudes under ``000/scale/NNN``, by place.
        evaluator: name of the program that computed them; empty where there are none.
        why: the reason why there are none; empty where there are some, or none were requested.
        node: the one operator of the model, in the format of `burn_verify.reference.lone_node.to_json`; None for
            several.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)
    evaluator: str = ""
    why: str = ""
    node: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """Deviations of the float outputs of a model that are caused by rounding, measured by an engine.

    Attributes:
        sigma: the deviation by place of the output, float64 of the output's shape.
        why: the reason why float outputs are missing; empty where none is missing.
        out_of_time: whether the time limit stopped the measurement, so that more time may give more deviations.
    """

    sigma: Mapping[int, Array] = field(default_factory=dict)
    why: str = ""
    out_of_time: bool = False


class Engine(Protocol):
    """Runs ONNX models. No process is started before the first request."""

    @property
    def name(self) -> str:
        """The name of the engine in caches and records, such as ``onnxruntime``."""

    @property
    def version(self) -> str:
        """Its version; results of different versions are cached separately."""

    @property
    def pid(self) -> int | None:
        """The process that served the last request; None where there is none on this machine."""

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        """Run a model on several sets of inputs, each in the order of the graph.

        Arguments:
            optimise: whether to apply graph optimisations.
            threads: number of threads per operator, 0 for the engine's default.

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
        """Measure one data set; an engine that does not support this returns ``Measurement()``.

        Arguments:
            wide: whether to compute the outputs in float64.
            shapes: shapes of the known outputs.
            timeout: seconds that the measurement may take.

        Raises:
            OracleError: the engine died or took too long.
        """

    def deviations(self, model: Path, inputs: Sequence[Array], *, timeout: float) -> Deviations:
        """Measure how far rounding may move the outputs; an engine that does not support it returns ``Deviations()``.

        Arguments:
            timeout: seconds that the measurement should take; it is terminated after twice this time.

        Raises:
            OracleError: the engine died or took too long.
        """

    def block(self, model: Path, inputs: Sequence[Array], threads: int, plan: BlockPlan) -> Block:
        """Time a block of calls, with all graph optimisations.

        Raises:
            OracleError: the engine refused the model, died or hung.
        """

    def restart(self) -> None:
        """Terminate the process, if there is one; the next request starts a new one."""

    def close(self) -> None:
        """Close the engine permanently; a request in flight on another thread fails with `OracleError`."""


class Engines(Protocol):
    """Makes an engine."""

    def __call__(self, cache: Cache, timeout: float, /, *, memory_limit: int) -> Engine:
        """Return an engine that is not started.

        Arguments:
            timeout: seconds one inference may take, loading included.
            memory_limit: MiB of address space, 0 for no limit.
        """


def infer(
    engine: Engine, model: Path, inputs: Sequence[Array], *, optimise: bool = False, threads: int = 0
) -> list[Array]:
    """Run a model once; arguments and errors as for `Engine.infer_all`."""
    return engine.infer_all(model, [inputs], optimise=optimise, threads=threads)[0]
