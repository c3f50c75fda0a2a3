"""The seam behind which models become programs: who builds them, and what answers once they are built.

`burn_verify.burn.builder.CargoBuilder` is the one builder there is; its programs are `burn_verify.burn.runner.Runner`.
A program that is reached by HTTP or that runs in a WebAssembly runtime is one more module with these members.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from burn_verify.burn.drivers import Device
from burn_verify.core.errors import CompileError
from burn_verify.core.latency import Block, BlockPlan, Cost
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """One answer of a compiled model.

    Attributes:
        outputs: in the order of the graph.
        load_seconds: reading the weights, about 0 when the model was loaded already.
        forward_seconds: the call itself, measured inside the program.
    """

    outputs: list[Array]
    load_seconds: float
    forward_seconds: float


class Program(Protocol):
    """One or several compiled models that can be asked.

    Nothing is started before the first request. Until then a program can be pickled: the workers of pytest-xdist get
    it from their controller.
    """

    @property
    def pid(self) -> int | None:
        """The process that answered last; None where there is none on this machine."""

    def start(self, backend: str) -> Device:
        """Start a backend and return its device, e.g. the one named ``llvmpipe (LLVM 19.1.7, 256 bits)``.

        Raises:
            RunError: the backend cannot be used here; the message says why. Nothing else will work on it.
        """

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Call a compiled model on several sets of inputs, each in the order of the graph.

        Raises:
            RunError: it panicked, aborted, hung, ran out of memory, the inputs have no Burn value, or the device lacks
                what the model needs; of the first set that failed, or of one that cannot be told.
        """

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Time a block of calls.

        Raises:
            RunError: as `infer_all`.
        """

    def close(self) -> None:
        """End what runs, if anything does; the next request begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A program with one model in it, as a user would build it, and what it cost to have it."""

    program: Program
    cost: Cost


class Builder(Protocol):
    """Makes programs for targets that share Burn and one build, see `Target.build_key`."""

    def refusals(self) -> Mapping[Target, str]:
        """Make Burn ready, and return why a backend does not start here, in one line; nothing of those that do.

        Raises:
            ToolchainError: Burn could not be built.
        """

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Convert one model with the options of a target; other options make a module of another name.

        Raises:
            ConvertError: burn-onnx refused it, panicked, died or hung.
        """

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Compile converted models in one batch and return, by module, the program that has it, or why none has.

        Arguments:
            doubtful: labels of models that most likely do not compile; decides nothing but how fast it goes.

        Raises:
            ToolchainError: the build failed, and no module is to blame.
        """

    def release(self, prepared: PreparedCase, model: ConvertedModel) -> Release:
        """Build one model once more to be timed.

        Raises:
            CompileError: it does not compile that way.
            ToolchainError: Burn itself does not.
        """

    def close(self) -> None:
        """End what runs; the programs that were built go on working."""


Builders: TypeAlias = Callable[[Cache, Settings, Listener, Sequence[Target]], Builder]
"""Makes the builder of targets that share a build; raises `UsageError` where these cannot be meant."""


def infer(program: Program, model: ConvertedModel, inputs: Sequence[Array], backend: str) -> Inference:
    """Call a compiled model once; errors as of `Program.infer_all`."""
    return program.infer_all(model, [inputs], backend)[0]
