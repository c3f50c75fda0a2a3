"""What is written of a graph: only what a fault could change, and that no rounding decides."""

from pathlib import Path
from random import Random

import numpy as np
import onnx
import pytest

from burn_verify.core.errors import OracleError
from burn_verify.reference.inputs import SEEDED
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.several import collector
from burn_verify.several.sketch import Sketch
from burn_verify.several.woven import OTHER, Woven
from burn_verify.system.cache import Cache
from burn_verify.system.wire import at, decode_named


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OnnxRuntime:
    made = OnnxRuntime(Cache(tmp_path_factory.mktemp("cache")), 30.0)
    yield made
    made.close()


def sketched(*operators: str, after: float | None = None) -> Woven:
    sketch = Sketch(Random(0))
    value = sketch.input((2, 3))
    for operator in operators:
        value = sketch.op(operator, value)
    sketch.output(value if after is None else sketch.op("Mul", value, sketch.constant(after)))
    return sketch.woven("kind")


def test_a_graph_is_written_with_its_answers(engine: OnnxRuntime, tmp_path: Path) -> None:
    entry = collector.written(sketched("Relu", "Neg", "Tanh", "Abs", "Neg"), "0/00007", tmp_path / "00007.onnx", engine)
    assert entry.id == "several/0/00007-kind-Relu-Neg-Tanh-Abs"
    assert entry.subject is None
    assert entry.data_sets == (SEEDED, OTHER)
    onnx.checker.check_model(onnx.load(tmp_path / "00007.onnx"), full_check=True)
    named = decode_named((tmp_path / "00007.safetensors").read_bytes())
    (given,), (answer,) = at(named, 1, "in"), at(named, 1, "out")
    np.testing.assert_allclose(answer, -np.abs(np.tanh(-np.maximum(given, 0))), rtol=1e-5)


@pytest.mark.parametrize(
    ("drawn", "why"),
    [
        (sketched("Exp", "Exp", "Exp"), "large"),
        (sketched("Relu", after=0.0), "other inputs"),
        (sketched("Log"), "large"),
    ],
)
def test_what_proves_nothing_is_not_written(engine: OnnxRuntime, tmp_path: Path, drawn: Woven, why: str) -> None:
    with pytest.raises(Exception, match=why):
        collector.written(drawn, "0/00000", tmp_path / "00000.onnx", engine)


def test_where_a_rounding_decides_is_not_written(engine: OnnxRuntime, tmp_path: Path) -> None:
    sketch = Sketch(Random(0))
    x = sketch.input((2, 3))
    sketch.output(
        sketch.op(
            "Mul",
            sketch.op("Sign", sketch.op("Sub", sketch.op("Mul", x, x), sketch.op("Pow", x, sketch.constant(2.0)))),
            x,
        )
    )
    sketch.output(sketch.op("Floor", sketch.op("Round", x)))
    drawn = sketch.woven("kind")
    whole = {
        name: {one: np.round(array) + np.float32(0.5) for one, array in fed.items()} for name, fed in drawn.sets.items()
    }
    tied = Woven(kind="kind", operators=drawn.operators, model=drawn.model, sets=whole)
    with pytest.raises(Exception, match="rounding"):
        collector.written(tied, "0/00000", tmp_path / "00000.onnx", engine)


def test_what_onnxruntime_refuses_is_not_written(engine: OnnxRuntime, tmp_path: Path) -> None:
    drawn = sketched("Relu")
    short = {name: {one: array[0] for one, array in fed.items()} for name, fed in drawn.sets.items()}
    with pytest.raises(OracleError):
        collector.written(
            Woven(kind="kind", operators=(), model=drawn.model, sets=short), "0/0", tmp_path / "0.onnx", engine
        )
