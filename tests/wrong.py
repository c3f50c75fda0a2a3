"""A Burn that is wrong in one operator: everything else is as onnx's evaluator answers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from burn_verify.burn.program import Exported, Inference
from burn_verify.core.errors import CompileError, ConvertError, OracleError, RunError
from burn_verify.graph.facts import nodes
from burn_verify.run.seams import Seams
from fakes import FakeBuilder, FakeEngine, FakeProgram, Faults


def seams(
    op_type: str = "",
    change: Callable[[Any], Any] | None = None,
    *,
    refuses: Callable[[onnx.ModelProto], str] = lambda model: "",
    panics: Callable[[onnx.ModelProto], str] = lambda model: "",
    rejects: Callable[[onnx.ModelProto], str] = lambda model: "",
    infer: Callable[[Path, Any], list[Any]] | None = None,
    wrong_from: int = 1 << 30,
    seen: list[list[str]] | None = None,
    right_on: str = "",
    exports: Callable[[onnx.ModelProto], onnx.ModelProto | RunError] = lambda model: model,
) -> Seams:
    """Return the seams of a run whose Burn is wrong.

    Arguments:
        change: what becomes of every output of the operator.
        refuses, rejects, panics: what burn-onnx, rustc and the program say of a model; empty for nothing.
        infer: what the engine of the reference does instead of answering.
        wrong_from: number of nodes from which on a model is wrong, whatever they are.
        seen: filled with the names of the models of each batch.
        right_on: a backend on which the operator is right.
        exports: what the exporter writes, or says, of a model.
    """
    wrong = [] if change is None else [_operator(op_type, change)]

    class Program(FakeProgram):
        def infer_all(self, model, sets, backend):
            return [self.infer(model.weights, inputs, backend) for inputs in sets]

        def infer(self, path, inputs, backend=""):
            model = onnx.load(path)
            right = bool(right_on) and backend == right_on
            if not right and (words := panics(model)):
                raise RunError(words, words)
            evaluator = ReferenceEvaluator(model, new_ops=[] if right else wrong)
            names = [one for one in evaluator.input_names if one not in {t.name for t in model.graph.initializer}]
            outputs = [np.asarray(one) for one in evaluator.run(None, dict(zip(names, inputs, strict=True)))]
            if len(model.graph.node) >= wrong_from:
                outputs = [one + np.ones((), one.dtype) for one in outputs]
            return Inference(outputs=outputs, load_seconds=0.0, forward_seconds=0.0)

    class Builder(FakeBuilder):
        def convert(self, prepared, target):
            if words := refuses(onnx.load(prepared.model)):
                raise ConvertError(words, words)
            made = super().convert(prepared, target)
            rust = prepared.model.with_suffix(".rs")
            rust.write_text(_rust(len(prepared.inputs), len(prepared.outputs)), encoding="utf-8")
            return replace(made, rust=rust)

        def build(self, models, doubtful=()):
            if seen is not None:
                seen.append([model.label for model in models])
            program = Program(self.faults)
            said = {model.module: rejects(onnx.load(model.weights)) for model in models}
            return {module: CompileError(words, words) if words else program for module, words in said.items()}

    faults = Faults()
    return Seams(
        engine=partial(Engine, faults=faults, infer=infer or _infer),
        builder=lambda cache, settings, listen, targets: Builder(cache, targets, faults),
        exporter=lambda cache, settings, listen, burn: Exporter(exports),
    )


@dataclass(frozen=True)
class Exporter:
    """Writes the model of which a program was made."""

    exports: Callable[[onnx.ModelProto], onnx.ModelProto | RunError]

    def exported(self, wanted):
        """Return the models, or what is said of them."""
        made = {name: self.exports(onnx.load(model.weights)) for name, (model, _) in wanted.items()}
        return {
            name: one
            if isinstance(one, RunError)
            else Exported(data=one.SerializeToString(), takes=tuple(range(len(wanted[name][1]))))
            for name, one in made.items()
        }


@dataclass
class Engine(FakeEngine):
    """Answers models whose outputs have no type."""

    infer: Callable[[Path, Any], list[Any]] = field(default_factory=lambda: _infer)

    def infer_all(self, model: Path, sets, *, optimise=False, threads=0):
        """Answer several sets."""
        try:
            return [self.infer(model, inputs) for inputs in sets]
        except Exception as error:
            raise error if isinstance(error, OracleError) else OracleError(str(error)) from error


def _rust(takes: int, gives: int) -> str:
    """Return code with as many inputs and outputs as a model."""
    inputs = ", ".join(f"input{place}: Tensor<1>" for place in range(takes))
    outputs = ", ".join(["Tensor<1>"] * gives)
    outputs = outputs if gives == 1 else f"({outputs})"
    return f"impl Model {{\n    pub fn forward(&self, {inputs}) -> {outputs} {{\n        todo!()\n    }}\n}}\n"


def _infer(path: Path, inputs: Any) -> list[Any]:
    return answers(onnx.load(path), inputs)


def has(op_type: str, words: str = "unsupported") -> Callable[[onnx.ModelProto], str]:
    """Return a function that objects to models with an operator."""
    return lambda model: f"{words} {op_type}" if op_type in {node.op_type for node in model.graph.node} else ""


def holds(op_type: str, words: str = "unsupported") -> Callable[[onnx.ModelProto], str]:
    """Return a function that objects to models with an operator, that of inner graphs included."""
    return lambda model: f"{words} {op_type}" if op_type in {node.op_type for node in nodes(model)} else ""


def initializer(name: str, *values: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    """Return a weight."""
    return numpy_helper.from_array(np.array(values, dtype), name)


def answers(model: onnx.ModelProto, inputs) -> list[Any]:
    weights = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in weights]
    answers = ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    return [np.asarray(one) for one in answers]


def _operator(op_type: str, change: Callable[[Any], Any]) -> type[OpRun]:
    from onnx.reference.ops import load_op

    right = load_op("", op_type, None)

    class Wrong(right):
        op_domain = ""

        def _run(self, *inputs, **attributes):
            return tuple(change(one) for one in super()._run(*inputs, **attributes))

    Wrong.__name__ = op_type
    return Wrong
