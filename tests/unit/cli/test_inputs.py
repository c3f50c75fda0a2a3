"""The command ``burn-verify inputs``, as typed; the reference is the real ONNX Runtime."""

import json
import tomllib

import numpy as np
import onnx
import pytest

from parsed import parsed

TABLE = np.ones((30, 4), np.float32)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(parsed("(int64[batch,seq] ids) => (float[batch,seq,4] y) { y = Gather(w, ids) }", w=TABLE), path)
    return path


def test_every_input_and_dimension_is_told_with_its_rule(command, model):
    code, out, _ = command("inputs", model)
    assert code == 0
    for text in ("[0, 30)", "Gather reads a table of 30 rows", "1, 3", "the reference takes 4 of 4 data sets"):
        assert text in out


def test_json(command, model):
    code, out, _ = command("inputs", model, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["inputs"][0]["values"] == "[0, 30)"
    assert [one["sizes"] for one in said["dimensions"]] == [[1, 3], [7, 19]]
    assert said["data_sets"]["sizes 4"] == {"sizes": {"batch": 3, "seq": 19}, "shapes": [[3, 19]]}


def test_what_was_tried_is_told(command, tmp_path):
    path = tmp_path / "model.onnx"
    text = "(float[A] x, float[B] z) => (float[?] y) { s = Shape(z) r = Reshape(x, s) y = Add(r, z) }"
    onnx.save(parsed(text), path)
    code, out, _ = command("inputs", path)
    assert code == 0
    assert "tried otherwise" in out
    assert "(the last one works)" in out


def test_a_model_that_takes_nothing(command, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(parsed("(float[N,4] x) => (float[?] y) { y = Reshape(x, to) }", to=np.array([-7])), path)
    code, out, _ = command("inputs", path)
    assert code == 2
    assert "refused: " in out


def test_a_description_is_written_once_and_can_be_read(command, model):
    code, _, err = command("inputs", model, "--write")
    assert code == 0
    assert "model.toml written" in err
    made = tomllib.loads(model.with_suffix(".toml").read_text(encoding="utf-8"))
    assert made["dims"] == {"batch": [1, 3], "seq": [7, 19]}
    assert made["inputs"] == [{"name": "ids", "low": 0, "high": 30}]
    code, _, err = command("inputs", model, "--write")
    assert code == 4
    assert "does not overwrite" in err


def test_a_file_that_is_not_there(command, tmp_path):
    code, _, err = command("inputs", tmp_path / "none.onnx")
    assert code == 4
    assert len(err.strip().splitlines()) == 1


def test_names_do_nothing_to_a_terminal(command, tmp_path):
    path = tmp_path / "model.onnx"
    value = onnx.helper.make_tensor_value_info("x\n::error::boom\x1b[31m", onnx.TensorProto.FLOAT, ["ba\n::tch", 2])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    node = onnx.helper.make_node("Relu", [value.name], ["y"])
    graph = onnx.helper.make_graph([node], "g", [value], [result])
    # Of an opset that every supported ONNX Runtime knows.
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    code, out, _ = command("inputs", path)
    assert code == 0
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]


def test_stored_data_are_told(command, model):
    stored = model.parent / "test_data_set_0"
    stored.mkdir()
    for name, array in (("input_0", np.zeros((1, 2), np.int64)), ("output_0", np.ones((1, 2, 4), np.float32))):
        onnx.save_tensor(onnx.numpy_helper.from_array(array), stored / f"{name}.pb")
    code, out, _ = command("inputs", model)
    assert code == 0
    assert "nothing is drawn: test_data_set_0 beside the model" in out
    assert "of 0 data sets" not in out


def test_what_a_description_cannot_say_is_left_to_the_rules(command, tmp_path):
    path = tmp_path / "model.onnx"
    text = """(int64 sr, float[3] x) => (float[3] y) {
        c = Equal(sr, rate)
        y = If (c) <
            then_branch = t () => (float[3] a) { a = Neg(x) },
            else_branch = e () => (float[3] b) { b = Abs(x) }
        >
    }"""
    onnx.save(parsed(text, rate=np.array(16000)), path)
    code, out, _ = command("inputs", path, "--write")
    assert code == 0
    assert "16000, 15999, 16001 in turn" in out
    written = path.with_suffix(".toml").read_text(encoding="utf-8")
    assert "inputs" not in tomllib.loads(written)
    assert '# "sr": 16000, 15999, 16001 in turn, as the rules say' in written
