"""What a model would be fed, with the real ONNX Runtime."""

from pathlib import Path

import onnx
import pytest

from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.errors import LoadError
from burn_verify.core.options import Settings
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.inputs import told_inputs
from burn_verify.system.cache import Cache
from parsed import parsed


def case_of(path: Path, hints: Hints | None = None) -> Case:
    return Case(id="file/model", corpus="file", source=ModelFile(path=path), hints=hints or Hints())


def test_shapes_and_sizes_of_every_data_set(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(parsed("(float[N,4] x) => (float[N,4] y) { y = Relu(x) }"), path)
    told = told_inputs(case_of(path), Settings(), cache, OnnxRuntime)
    assert told.shapes == {"seeded": [(1, 4)], "sizes 2": [(3, 4)]}
    assert told.sizes == {"seeded": {"N": 1}, "sizes 2": {"N": 3}}
    assert not told.refused
    given = told_inputs(case_of(path, Hints(dims=(("N", 5),))), Settings(), cache, OnnxRuntime)
    assert given.shapes == {name: [(5, 4)] for name in ("seeded", "positive", "negative")}


def test_the_sizes_that_are_told_are_those_that_were_fed(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    text = "(float[N,S] x, float[N,T] z) => (float[N,?] y) { s = Shape(z) e = Reshape(x, s) y = Add(e, z) }"
    onnx.save(parsed(text), path)
    told = told_inputs(case_of(path), Settings(), cache, OnnxRuntime)
    chosen = {one.symbol: one for one in told.choices}
    assert chosen["S"].equals == "T" or chosen["T"].equals == "S"
    assert any(one.why.startswith("trial") for one in told.choices)


def test_a_model_that_cannot_be_read(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        told_inputs(case_of(tmp_path / "none.onnx"), Settings(), cache, OnnxRuntime)
