"""An engine and a builder without ONNX Runtime and without cargo: onnx's evaluator answers for both.

What goes wrong is named by place and model: ``Faults({("convert", "b"): error})``. A fault is an exception, which is
raised there, or a function of the outputs, which returns others. Places: ``infer``, ``measure`` (engine); ``refusals``,
``convert``, ``build``, ``release`` (builder); ``run``, ``block`` (program).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from burn_verify.burn.drivers import Device
from burn_verify.burn.program import Inference, Program, Release
from burn_verify.core.errors import CompileError, ConvertError
from burn_verify.core.latency import Block, BlockPlan, Cost
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.reference.engine import Deviations, Measurement
from burn_verify.run.seams import Seams
from burn_verify.system.cache import Cache

COST = Cost(codegen=0.1, rustc=2.0, rustc_peak=1, link=0.1, lines=9, nodes=1, binary=1, weights=1)
Fault = Exception | KeyboardInterrupt | Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class Faults:
    """What goes wrong, by place and by the stem of the model's file; and how often each place was reached.

    Attributes:
        nth: the call, from 1, from which on a fault counts.
    """

    named: Mapping[tuple[str, str], Fault] = field(default_factory=dict)
    nth: int = 1
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def at(self, place: str, name: str) -> None:
        """Raise what is to be raised."""
        self.calls[place, name] += 1
        fault = self.named.get((place, name))
        if isinstance(fault, BaseException) and self.calls[place, name] >= self.nth:
            raise fault

    def change(self, place: str, name: str, outputs: list[Any]) -> list[Any]:
        """Return outputs as the fault wants them."""
        fault = self.named.get((place, name))
        return fault(outputs) if callable(fault) else outputs


def evaluated(model: Path, inputs: Sequence[Any]) -> list[Any]:
    """Return what onnx's evaluator answers."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(model))
    return [np.asarray(one) for one in evaluator.run(None, dict(zip(evaluator.input_names, inputs, strict=True)))]


@dataclass
class FakeEngine:
    """Answers as onnx's evaluator does, and measures nothing."""

    cache: Cache
    timeout: float
    faults: Faults
    closed: bool = False
    memory_limit: int = 0
    name = "fake"
    version = "1"
    pid = None

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Any]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Any]]:
        """Answer several sets."""
        self.faults.at("infer", model.stem)
        return [self.faults.change("infer", model.stem, evaluated(model, inputs)) for inputs in sets]

    def measure(self, model: Path, inputs: Sequence[Any], **asked: Any) -> Measurement:
        """Know nothing."""
        self.faults.at("measure", model.stem)
        return Measurement()

    def deviations(self, model: Path, inputs: Sequence[Any], *, timeout: float) -> Deviations:
        """Know nothing."""
        self.faults.at("deviations", model.stem)
        return Deviations()

    def block(self, model: Path, inputs: Sequence[Any], threads: int, plan: BlockPlan) -> Block:
        """Return calls of a microsecond."""
        return BLOCK

    def restart(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Note it."""
        self.closed = True


BLOCK = Block(load=0.001, calls_ns=(1000,) * 8, prepare_ns=(), resident=(None, None, None))


@dataclass
class FakeBuilder:
    """Takes every model for its Rust, and everything for compiled.

    Attributes:
        refuses: operators that are not converted.
    """

    cache: Cache
    targets: Sequence[Target]
    faults: Faults
    closed: bool = False
    refuses: Collection[str] = ()

    def refusals(self) -> Mapping[Target, str]:
        """Refuse the backends that a fault is about."""
        for target in self.targets:
            self.faults.at("refusals", target.backend)
        named = self.faults.named
        return {target: "no device" for target in self.targets if ("start", target.backend) in named}

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Return the model."""
        stem = prepared.model.stem
        self.faults.at("convert", stem)
        if found := set(self.refuses) & set(prepared.op_types):
            message = f"unsupported operators: {', '.join(sorted(found))}"
            raise ConvertError(message, message)
        module = f"m_{stem}_{target.simplify}_{target.partition}"
        return ConvertedModel(
            label=prepared.case.id, module=module, rust=prepared.model, weights=prepared.model, seconds=0.0
        )

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Return a program that has all but those that a fault of ``rustc`` is about."""
        for model in models:
            self.faults.at("build", model.rust.stem)
        refused = {
            model.module: error
            for model in models
            if isinstance(error := self.faults.named.get(("rustc", model.rust.stem)), CompileError)
        }
        program = FakeProgram(self.faults)
        return {model.module: refused.get(model.module, program) for model in models}

    def reached(self, prepared: PreparedCase, model: ConvertedModel, program: Program, target: Target) -> Program:
        """Return another program, which is asked in the same way."""
        self.faults.at("reached", prepared.model.stem)
        return FakeProgram(self.faults)

    def release(self, prepared: PreparedCase, model: ConvertedModel) -> Release:
        """Return a program of its own."""
        self.faults.at("release", prepared.model.stem)
        return Release(program=FakeProgram(self.faults), cost=COST)

    def close(self) -> None:
        """Note it."""
        self.closed = True


@dataclass(eq=False)
class FakeProgram:
    """Answers as onnx's evaluator does."""

    faults: Faults
    pid = None
    identity = ""

    def start(self, backend: str) -> Device:
        """Start."""
        return Device(name="fake")

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Any]], backend: str) -> list[Inference]:
        """Answer several sets."""
        return [self.infer(model.weights, inputs) for inputs in sets]

    def infer(self, path: Path, inputs: Sequence[Any]) -> Inference:
        """Answer once."""
        self.faults.at("run", path.stem)
        outputs = self.faults.change("run", path.stem, evaluated(path, inputs))
        return Inference(outputs=outputs, load_seconds=0.0, forward_seconds=0.0)

    def block(self, model: ConvertedModel, inputs: Sequence[Any], backend: str, plan: BlockPlan) -> Block:
        """Return calls of a microsecond."""
        self.faults.at("block", model.weights.stem)
        return BLOCK

    def close(self) -> None:
        """Do nothing."""


def seams(faults: Faults = Faults(), refuses: Collection[str] = ()) -> Seams:
    """Return the seams of a run in which this goes wrong, and models with some operators are refused."""
    return Seams(
        engine=partial(FakeEngine, faults=faults),
        builder=lambda cache, settings, listen, targets: FakeBuilder(cache, targets, faults, refuses=refuses),
    )
