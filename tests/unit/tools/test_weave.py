"""Faults of the interplay, and the page about graphs of several operators."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

import weave
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.reference.engine import infer
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache
from interplay.faults import FAULTS, TRACED, planted

HEAD = '<ir_version: 10, opset_import: ["" : 21]>'
X = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], dtype=np.float32)
GRAPHS = {
    "equal nodes merged although an attribute differs": """g (float[2,3] x) => (float[2,3] y)
        { a = Softmax<axis=0>(x) b = Softmax<axis=1>(x) y = Sub(a, b) }""",
    "an operator applied twice is applied once": "g (float[2,3] x) => (float[2,3] y) { a = Neg(x) y = Neg(a) }",
    "an operand that changes a little, or the shape, is dropped": """g (float[2,3] x) => (float[2,3] y)
        <float[1] c = {1.005}> { a = Mul(x, c) y = Mul(a, x) }""",
    "the branches of an If exchanged": """g (float[2,3] x) => (float[2,3] y) <bool c = {1}> { y = If(c)
        <then_branch = t () => (float[2,3] p) { p = Neg(x) }, else_branch = e () => (float[2,3] q) { q = Abs(x) }> }""",
    "a Loop ends one trip early": """g (float[2,3] x) => (float[2,3] y) <int64 n = {2}> { y = Loop(n, , x)
        <body = b (int64 i, bool c, float[2,3] v) => (bool o, float[2,3] w) { o = Identity(c) w = Add(v, v) }> }""",
    "operands of a node exchanged": "g (float[2,3] x) => (float[2,3] y) { a = Abs(x) y = Sub(x, a) }",
    "a node after a value that others take is skipped": """g (float[2,3] x) => (float[2,3] y)
        { a = Neg(x) b = Relu(a) y = Add(a, b) }""",
    "a constant that two nodes read is lost for the second": """g (float[2,3] x) => (float[2,3] y)
        <float[3] c = {1, 2, 3}> { a = Add(x, c) y = Mul(a, c) }""",
    "parts of a Concat in another order": "g (float[2,3] x) => (float[4,3] y) { a = Neg(x) y = Concat<axis=0>(x, a) }",
    "the factor before a MatMul or Softmax is forgotten": """g (float[2,3] x) => (float[2,3] y)
        <float c = {0.5}> { a = Mul(x, c) y = Softmax(a) }""",
    TRACED: """g (float["n",3] x) => (float["n",3] y)
        { s = Shape(x) t = Cast<to=1>(s) m = ReduceMax(t) y = Mul(x, m) }""",
    "a Reshape becomes a Transpose": "g (float[2,3] x) => (float[3,2] y) <int64[2] s = {3, 2}> { y = Reshape(x, s) }",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OnnxRuntime:
    made = OnnxRuntime(Cache(tmp_path_factory.mktemp("cache")), 30.0)
    yield made
    made.close()


def answer(engine: OnnxRuntime, model: onnx.ModelProto, folder: Path, given: np.ndarray) -> np.ndarray:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return infer(engine, path, [given])[0]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_the_answer(engine: OnnxRuntime, tmp_path: Path, name: str) -> None:
    model = parser.parse_model(f"{HEAD} {GRAPHS[name]}")
    before = model.SerializeToString()
    faulty = planted(name, model, {"n": 2})
    assert faulty is not None
    assert model.SerializeToString() == before
    given = np.concatenate([X, X, X]) if name == TRACED else X
    right, wrong = (answer(engine, one, tmp_path, given) for one in (model, faulty))
    assert right.shape != wrong.shape or np.abs(right - wrong).max() > 1e-3


@pytest.mark.parametrize("name", FAULTS)
def test_a_graph_without_a_place_gets_no_fault(name: str) -> None:
    model = parser.parse_model(f"{HEAD} g (float[2,3] x) => (float[2,3] y) {{ a = Relu(x) y = Relu(a) }}")
    assert planted(name, model, {}) is None


def test_the_page_counts_forms_and_faults() -> None:
    results = [
        CaseResult(case_id=name, corpus="several", stage=stage, outcome=outcome, durations={"run": 0.5})
        for name, stage, outcome in (
            ("several/0/00001-chain-Relu-Add", Stage.COMPARE, Outcome.PASSED),
            ("several/0/00002-dead-end-Relu", Stage.COMPILE, Outcome.FAILED),
            ("several/0/00003-chain-Exp", Stage.CONVERT, Outcome.FAILED),
        )
    ]
    told = {"a fault": weave.Told(planted=5, refused=1, told=3)}
    text = weave.page(results, 11, told, 7, "# What fails with it\n\n## Refused")
    assert "3 graphs, 1 of which agree. In them, 11 pairs of operators" in text
    assert "| chain    |        2 |       1 |         1 |" in text
    assert "In the first 7 graphs, a fault at a time: 4 of 5 are told" in text
    assert "## What fails with it\n\n### Refused" in text
