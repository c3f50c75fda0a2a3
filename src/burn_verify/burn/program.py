"""Interfaces of the builders, which make programs of models, and of the programs.

`burn_verify.burn.builder.CargoBuilder` is the only builder; its programs are `burn_verify.burn.runner.Runner`.
To support programs that are reached by HTTP or run in a WebAssembly runtime, add a module with these members.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from burn_verify.burn.drivers import Device
from burn_verify.core.errors import CompileError, RunError
from burn_verify.core.latency import Block, BlockPlan, Cost
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """The result of one call of a compiled model.

    Attributes:
        outputs: in the order of the graph.
        load_seconds: time of reading the weights, about 0 when the model was loaded already.
        forward_seconds: time of the call, measured inside the program.
    """

    outputs: list[Array]
    load_seconds: float
    forward_seconds: float


class Program(Protocol):
    """One or several compiled models that can be called.

    No process is started before the first request. Until then a program can be pickled, because the controller of
    pytest-xdist sends it to the workers.
    """

    @property
    def pid(self) -> int | None:
        """The process that served the last request; None where there is none on this machine."""

    @property
    def identity(self) -> str:
        """The name of what was compiled, the same for the same code; empty where another run may answer otherwise."""

    def start(self, backend: str) -> Device:
        """Start a backend and return its device, e.g. the one named ``llvmpipe (LLVM 19.1.7, 256 bits)``.

        Raises:
            RunError: the backend cannot be used here; the message contains the cause. Other requests to it fail too.
        """

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Call a compiled model on several sets of inputs, each in the order of the graph.

        Raises:
            RunError: the program panicked, aborted, hung or ran out of memory, the inputs have no Burn value, or the
                device lacks what the model needs. The error is that of the first set that failed, or of one that
                cannot be identified.
        """

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Time a block of calls.

        Raises:
            RunError: as `infer_all`.
        """

    def close(self) -> None:
        """Terminate the process, if there is one; the next request starts a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A program with one model in it, built as a user would build it, and the cost of the build."""

    program: Program
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A compiled model written as ONNX again.

    Attributes:
        data: the serialised model.
        takes: which inputs of the compiled model it takes; what is no tensor is a constant in it.
    """

    data: bytes
    takes: tuple[int, ...]


class Exporting(Protocol):
    """Writes converted models as ONNX, with the sizes of their inputs."""

    def exported(
        self, wanted: Mapping[str, tuple[ConvertedModel, Sequence[Array]]]
    ) -> Mapping[str, Exported | RunError]:
        """Return models as ONNX, or why they cannot be written, by name.

        Arguments:
            wanted: converted models that compile, each with inputs in the order of its graph.

        Raises:
            ToolchainError: Burn with its exporter cannot be built.
        """


class Builder(Protocol):
    """Makes programs for targets that share Burn and one build, see `Target.build_key`."""

    def refusals(self) -> Mapping[Target, str]:
        """Build Burn where needed, and return the cause, in one line, for each target whose backend does not start.

        Raises:
            ToolchainError: Burn could not be built.
        """

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Convert one model with the options of a target; other options give a module of another name.

        Raises:
            ConvertError: burn-onnx refused the model, panicked, died or hung.
        """

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Compile converted models in one batch and return, by module, its program or its compile error.

        Arguments:
            doubtful: labels of models that most likely do not compile; affects only the build time.

        Raises:
            ToolchainError: the build failed, and no module is the cause.
        """

    def reached(self, prepared: PreparedCase, model: ConvertedModel, program: Program, target: Target) -> Program:
        """Return a program that asks a built one in another way, see `Target.via`.

        Raises:
            CompileError: the model does not compile for WebAssembly.
            ToolchainError: the server, or Burn for WebAssembly, cannot be built.
        """

    def release(self, prepared: PreparedCase, model: ConvertedModel) -> Release:
        """Build one model in the profile *latency*, in which it is timed.

        Raises:
            CompileError: the model does not compile in this profile.
            ToolchainError: Burn itself does not compile.
        """

    def close(self) -> None:
        """Terminate the builder's processes; programs that were built stay usable."""


Exporters: TypeAlias = Callable[[Cache, Settings, Listener, str], Exporting]
"""Makes what writes ONNX with a version of Burn; raises `UsageError` where that version cannot."""

Builders: TypeAlias = Callable[[Cache, Settings, Listener, Sequence[Target]], Builder]
"""Makes the builder of targets that share a build; raises `UsageError` where the targets are invalid."""


def infer(program: Program, model: ConvertedModel, inputs: Sequence[Array], backend: str) -> Inference:
    """Call a compiled model once; errors as of `Program.infer_all`."""
    return program.infer_all(model, [inputs], backend)[0]
