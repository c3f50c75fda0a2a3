"""Faults that one draw at one size does not show: each is planted in a model, and found by default.

The reference is the real ONNX Runtime on the right graph; the program answers with the wrong one.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from burn_verify.burn.program import Inference, Program
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import CompileError, RunError
from burn_verify.core.options import Settings
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import ConvertedModel, FailureKind, Outcome, PreparedCase
from burn_verify.core.target import Target
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from fakes import FakeBuilder, FakeProgram, Faults
from parsed import parsed

RNG = np.random.default_rng(0)
W = RNG.standard_normal((30, 4)).astype(np.float32)
SQUARE = RNG.standard_normal((4, 4)).astype(np.float32)
POSITIONS = RNG.standard_normal((40, 4)).astype(np.float32)
NUMBERS = {name: np.array(value) for name, value in {"zero": 0, "one": 1, "eight": 8, "sixteen": 16, "ten": 10}.items()}
IDS = "(int64[batch,seq] ids) => (float[batch,seq,4] y)"
X = "(float[batch,seq,4] x) => (float[batch,seq,4] y)"
PAIR = "(float[batch,seq] a, float[batch,seq] b) => (float[batch,seq] y, float[batch,seq] z)"
LENGTH = "s = Shape(x) n = Gather(s, one)"
IF = """y = If (c) <
    then_branch = t () => (float[batch,4] u) { u = Neg(x) },
    else_branch = e () => (float[batch,4] v) { v = %s(x) }
>"""


@dataclass(frozen=True)
class Planted:
    """A right graph and a wrong one of the same inputs and outputs, as text; weights of both."""

    face: str
    right: str
    wrong: str


FAULTS = {
    "batch frozen in Reshape": Planted(
        X, "y = Neg(x)", "f = Reshape(x, flat) a = Neg(f) s = Reshape(a, oneb) y = Reshape(s, back)"
    ),
    "batch frozen in Expand": Planted(
        X, "y = Add(x, w4)", "e = Expand(w4, e174) g = Slice(x, v0, v1, v0) y = Add(g, e)"
    ),
    "sequence frozen in Slice": Planted(X, "y = Neg(x)", "a = Slice(x, v0, v7, v1) y = Neg(a)"),
    "sequence frozen in Reshape": Planted(X, "y = Neg(x)", "a = Reshape(x, bs74) y = Neg(a)"),
    "size hard-coded in Range": Planted(
        X,
        f"{LENGTH} r = Range(zero, n, one) p = Gather(pos, r) y = Add(x, p)",
        "r = Range(zero, seven, one) p = Gather(pos, r) y = Add(x, p)",
    ),
    "positions cut": Planted(
        X,
        f"{LENGTH} r = Range(zero, n, one) p = Gather(pos, r) y = Add(x, p)",
        "p = Slice(pos, v0, v7, v0) y = Add(x, p)",
    ),
    "size hard-coded in Tile": Planted(
        "(float[batch,4] x, float[seq] t) => (float[?,4] y)",
        "s = Shape(t) o = Concat<axis = 0>(s, v1) y = Tile(x, o)",
        "y = Tile(x, t71)",
    ),
    "table read modulo 10": Planted(IDS, "y = Gather(w, ids)", "m = Mod(ids, ten) y = Gather(w, m)"),
    "second branch of an If by an input": Planted(
        "(int64 k, float[batch,4] x) => (float[batch,4] y)",
        f"c = Equal(k, sixteen) {IF % 'Abs'}",
        f"c = Equal(k, sixteen) {IF % 'Neg'}",
    ),
    "second branch of an If by a sum": Planted(
        "(float[batch,4] x) => (float[batch,4] y)",
        f"s = ReduceSum<keepdims = 0>(x) c = Greater(s, f0) {IF % 'Abs'}",
        f"s = ReduceSum<keepdims = 0>(x) c = Greater(s, f0) {IF % 'Exp'}",
    ),
    "mask ignored": Planted(
        "(float[batch,seq] x, int64[batch,seq] attention_mask) => (float[batch,seq] y)",
        "m = Cast<to: int = 1>(attention_mask) i = Sub(f1, m) b = Mul(i, huge) a = Add(x, b) y = Softmax(a)",
        "y = Softmax(x)",
    ),
    "last position wrong where the length is above 8": Planted(
        X,
        "y = Neg(x)",
        f"{LENGTH} l = Sub(n, one) r = Range(zero, n, one) q = Equal(r, l) g = Greater(n, eight) m = And(q, g)"
        " k = Unsqueeze(m, v1) o = Neg(x) y = Where(k, x, o)",
    ),
    "outputs swapped where the length is above 16": Planted(
        PAIR,
        "y = Neg(a) z = Abs(b)",
        "s = Shape(a) n = Gather(s, one) g = Greater(n, sixteen) p = Neg(a) q = Abs(b)"
        " y = Where(g, q, p) z = Where(g, p, q)",
    ),
    "mean over the batch": Planted(
        X, "m = ReduceMean<axes = [1]>(x) y = Sub(x, m)", "m = ReduceMean<axes = [0,1]>(x) y = Sub(x, m)"
    ),
    "softmax over the batch too": Planted(
        X, "y = Softmax<axis = 2>(x)", "e = Exp(x) s = ReduceSum(e, v02) y = Div(e, s)"
    ),
    "height and width swapped": Planted(
        "(float[batch,3,H,W] x) => (float[batch,2,?,?] y)",
        "y = Conv(x, k3)",
        "s = Shape(x) t = Gather(s, swap) r = Reshape(x, t) y = Conv(r, k3)",
    ),
    "past cut": Planted(
        "(float[batch,past,4] p, float[batch,seq,4] x) => (float[batch,?,4] y)",
        "y = Concat<axis = 1>(p, x)",
        "a = Slice(p, v0, v5, v1) y = Concat<axis = 1>(a, x)",
    ),
    "token types ignored": Planted(
        "(int64[batch,seq] ids, int64[batch,seq] types) => (float[batch,seq,4] y)",
        "a = Gather(w, ids) b = Gather(two, types) y = Add(a, b)",
        "a = Gather(w, ids) b = Gather(two, zero) y = Add(a, b)",
    ),
    "a matrix product of the first sample for all": Planted(
        X, "y = MatMul(x, square)", "g = Slice(x, v0, v1, v0) a = MatMul(g, square) s = Shape(x) y = Expand(a, s)"
    ),
    "negative numbers dropped": Planted(X, "y = Identity(x)", "y = Relu(x)"),
}
"""By what is wrong."""

WEIGHTS = {
    **NUMBERS,
    "w": W,
    "w4": W[0],
    "two": W[:2],
    "pos": POSITIONS,
    "square": SQUARE,
    "k3": RNG.standard_normal((2, 3, 3, 3)).astype(np.float32),
    "seven": np.array(7),
    "flat": np.array([-1]),
    "oneb": np.array([1, -1, 4]),
    "back": np.array([1, -1, 4]),
    "e174": np.array([1, 7, 4]),
    "bs74": np.array([-1, 7, 4]),
    "t71": np.array([7, 1]),
    "swap": np.array([0, 1, 3, 2]),
    "f0": np.array(0, np.float32),
    "f1": np.array(1, np.float32),
    "huge": np.array(-1e4, np.float32),
    **{f"v{number}": np.array([number]) for number in (0, 1, 5, 7)},
    "v02": np.array([0, 2]),
}
WRONG = "-wrong.onnx"


class WrongProgram(FakeProgram):
    """Panics where the evaluator raises."""

    def infer(self, path: Path, inputs: Sequence[Any]) -> Inference:
        """Answer once."""
        try:
            return super().infer(path, inputs)
        except ValueError as error:
            raise RunError(str(error), "panic", kind=FailureKind.PANIC) from error


class WrongBuilder(FakeBuilder):
    """Makes a program of the wrong model that lies beside the right one."""

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Return one program for all."""
        return {model.module: WrongProgram(self.faults) for model in models}

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Return the wrong model."""
        made = super().convert(prepared, target)
        return replace(made, weights=prepared.model.with_name(f"{prepared.model.stem}{WRONG}"))


@pytest.fixture
def found(cache: Cache, tmp_path: Path) -> Callable[[str, str, str], CaseResult]:
    """Return a function that verifies a right graph against a wrong one."""

    def saved(path: Path, face: str, nodes: str) -> None:
        model = parsed(f"{face} {{ {nodes} }}")
        used = {name for node in model.graph.node for name in node.input}
        for name, array in WEIGHTS.items():
            if name in used:
                model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
        onnx.save(model, path)

    def verify(face: str, right: str, wrong: str) -> CaseResult:
        path = tmp_path / "model.onnx"
        saved(path, face, right)
        saved(path.with_name(f"{path.stem}{WRONG}"), face, wrong)

        def builder(cache: Cache, settings: Settings, listen: object, targets: Sequence[Target]) -> WrongBuilder:
            return WrongBuilder(cache, targets, Faults())

        pipeline = Pipeline(Settings(), cache, engine=OnnxRuntime, builder=builder)
        case = Case(id="file/model", corpus="file", source=ModelFile(path=path))
        try:
            return pipeline.verify(pipeline.prepare([case]).cases[case.id]).result
        finally:
            pipeline.close()

    return verify


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(found: Callable[[str, str, str], CaseResult], name: str) -> None:
    planted = FAULTS[name]
    result = found(planted.face, planted.right, planted.wrong)
    assert result.outcome is Outcome.FAILED, result.verdict
    assert result.stage.value in ("run", "compare"), result.message


@pytest.mark.parametrize("name", ["second branch of an If by an input", "mask ignored", "height and width swapped"])
def test_a_right_model_agrees(found: Callable[[str, str, str], CaseResult], name: str) -> None:
    planted = FAULTS[name]
    result = found(planted.face, planted.right, planted.right)
    assert (result.outcome, result.message) == (Outcome.PASSED, "")


def test_the_message_says_at_which_size(found: Callable[[str, str, str], CaseResult]) -> None:
    planted = FAULTS["sequence frozen in Reshape"]
    result = found(planted.face, planted.right, planted.wrong)
    assert result.message.startswith("right at seq=7, not at seq=19: ")
