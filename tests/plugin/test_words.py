"""What a person or a CI reads of a run: times, names, and nothing that a terminal obeys. Burn is faked."""

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import onnx
import pytest
from onnx import TensorProto, helper

FIXTURES = Path(__file__).parents[2] / "fixtures"
ADD = FIXTURES / "add.onnx"


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    """Run pytest with a Burn that is faked; return its result and the lines of its record."""
    monkeypatch.setenv("PYTHONPATH", str(FIXTURES), prepend=os.pathsep)
    pytester.makeini("[pytest]\n")

    def run(*arguments, faults=None, record="record.jsonl"):
        monkeypatch.setenv("FAKE_BURN", json.dumps(faults or {}))
        places = ("--burn-record", record, "--burn-cache-dir", "cache")
        done = pytester.runpytest_subprocess("-p", "fake_burn", *places, *map(str, arguments))
        path = pytester.path / record
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return done, text

    return run


def results(text):
    return [line for line in map(json.loads, text.splitlines()) if line["kind"] == "result"]


def test_times_hold_what_a_case_took_before_its_test(run, pytester):
    done, text = run("--models", ADD, "--junitxml=junit.xml", "--durations=0", "--durations-min=0")
    assert done.ret == 0
    (result,) = results(text)
    spent = sum(result["durations"].get(stage, 0.0) for stage in ("load", "convert", "reference"))
    (case,) = ElementTree.parse(pytester.path / "junit.xml").iter("testcase")
    assert float(case.get("time")) >= round(spent, 3)
    (setup,) = [float(seconds) for seconds in re.findall(r"([\d.]+)s setup", done.stdout.str())]
    assert setup >= round(spent, 2)


def test_a_file_that_is_no_record_is_not_written_to(run, pytester):
    notes = "# my notes\n"
    (pytester.path / "notes.md").write_text(notes)
    done, text = run("--models", ADD, record="notes.md")
    assert done.ret == 4
    assert text == notes
    done.stderr.fnmatch_lines(["ERROR: --burn-record: *notes.md is there already and is no record*"])


@pytest.mark.parametrize("kind", ["wrong", "panic", "reshaped"])
def test_what_a_model_is_called_does_nothing_to_a_terminal_or_a_ci(run, tmp_path, kind):
    name = "y\n::error::pwned\x1b[31m\r"
    values = [helper.make_tensor_value_info(of, TensorProto.FLOAT, [2, 3]) for of in ("x", name)]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], [name])], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    done, text = run("--models", tmp_path / "model.onnx", faults={"flex": {"file/model": kind}})
    assert done.ret == 1
    assert len(results(text)) == 1
    for said in (done.stdout.str(), done.stderr.str()):
        assert "\x1b" not in said
        assert not re.search(r"^\s*::", said, re.MULTILINE)
