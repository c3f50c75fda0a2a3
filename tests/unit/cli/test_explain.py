"""The command ``burn-verify explain``."""

import json
import re
import time

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from onnx import TensorProto, helper

from damage import damaged
from evidences import relu
from handmade import model, value


@pytest.fixture
def saved(tmp_path):
    def save(made, name="m"):
        path = tmp_path / f"{name}.onnx"
        onnx.save(made, path)
        return str(path)

    return save


def unheard_of():
    node = helper.make_node("Frobnicate", ["x"], ["y"], domain="com.example")
    return model([node], [value("x", shape=(2,))], [value("y", shape=(2,))])


def test_a_model_that_should_agree(command, saved):
    code, out, err = command("explain", saved(relu()))

    assert (code, err) == (0, "")
    assert out.startswith("file/m on Burn 0.22.1 on flex: should agree")


def test_a_model_that_will_not(command, saved):
    code, out, _ = command("explain", saved(unheard_of()))

    assert code == 1
    assert "will be refused: 1 node of 1 operator" in out
    assert "has no com.example.Frobnicate" in out


def test_the_worst_of_several_decides(command, saved):
    assert command("explain", saved(relu(), "a"), saved(unheard_of(), "b"))[0] == 1


def test_json_is_one_list(command, saved):
    code, out, _ = command("explain", saved(relu(), "a"), saved(unheard_of(), "b"), "--json")

    assert code == 1
    assert [found["forecast"] for found in json.loads(out)] == ["agrees", "refused"]


@pytest.mark.parametrize("name", ["type", "X", "Match"])
def test_a_name_that_burn_onnx_stumbles_over_is_a_doubt(command, saved, name):
    node = helper.make_node("Relu", [name], ["x"])
    made = model([node], [value(name, shape=(2, 3))], [value("x", shape=(2, 3))])

    code, out, _ = command("explain", saved(made))

    assert code == 3
    assert f"`{name}`" in out


def test_a_target_without_evidence_cannot_be_said(command, saved):
    code, out, err = command("explain", saved(relu()), "--burn-backend", "cuda")

    assert (code, out) == (3, "")
    assert "no evidence of Burn 0.22.1 on cuda" in err


def test_several_targets(command, saved):
    code, out, err = command("explain", saved(relu()), "--burn-backend", "flex,cuda")

    assert code == 3
    assert "should agree" in out
    assert "cuda" in err


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07"])
def test_what_is_no_model_is_one_line(command, tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)

    code, out, err = command("explain", str(path))

    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "bad" in err


def test_a_bad_model_does_not_hide_the_others(command, saved, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"")

    code, out, _ = command("explain", str(tmp_path / "bad.onnx"), saved(relu(TensorProto.FLOAT)))

    assert code == 2
    assert "should agree" in out


@pytest.mark.parametrize("arguments", [[], ["nothing/here.onnx"], ["x", "--burn-version", "9.9"]])
def test_mistakes(command, arguments):
    assert command("explain", *arguments)[0] == 4


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged())
def test_a_damaged_model_is_explained_or_one_line(command, tmp_path, content):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)

    code, out, err = command("explain", str(path))

    assert code in (0, 1, 2, 3)
    assert path.read_bytes() == content
    assert (out == "") == (code == 2)
    assert len(err.splitlines()) == (code == 2)


def test_a_function_that_calls_itself_is_no_crash(command, saved):
    body = [helper.make_node("f", ["a"], ["b"], domain="mine")]
    function = helper.make_function("mine", "f", ["a"], ["b"], body, [helper.make_opsetid("mine", 1)])
    node = helper.make_node("f", ["x"], ["y"], domain="mine")
    made = model([node], [value("x", shape=(2,))], [value("y", shape=(2,))], functions=[function])

    code, out, _ = command("explain", saved(made))

    assert code == 1
    assert "has no mine.f" in out


def test_what_prepare_would_do_is_told_by_the_evidence(command, saved):
    node = helper.make_node("RMSNormalization", ["x", "s"], ["y"], name="norm")
    made = model([node], [value("x", shape=(2, 3)), value("s", shape=(3,))], [value("y", shape=(2, 3))], opset=23)

    code, out, _ = command("explain", saved(made))
    assert code == 1
    said = " ".join(out.split())
    assert re.search(r"RMSNormalization norm: the nearest case that it was tried on, \S+, agrees after it", said)
    assert "rewriting the model was not tried here" in said

    _, out, _ = command("explain", saved(made), "--json")
    (kind,) = json.loads(out)[0]["prepare"]["kinds"]
    assert kind["tried"] == {"agrees": True, "rewritings": ["RMSNormalization by its definition"]}
    assert "RMSNormalization by its definition" in kind["rewritings"]


def test_a_large_model_is_explained_within_a_second(command, saved):
    nodes = [helper.make_node("RMSNormalization", [f"v{place}", "s"], [f"v{place + 1}"]) for place in range(1000)]
    values = [value("v0", shape=(2, 3)), value("s", shape=(3,))]
    path = saved(model(nodes, values, [value("v1000", shape=(2, 3))], opset=23))
    command("explain", path)
    started = time.process_time()

    assert command("explain", path)[0] == 1
    assert time.process_time() - started < 1
