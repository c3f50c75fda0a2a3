"""The command ``burn-verify prepare``, with fakes for ONNX Runtime and Burn."""

import json
import shutil
from pathlib import Path

import onnx
import pytest
from onnx import helper

from fakes import seams
from handmade import model, value

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


@pytest.fixture
def celu(tmp_path):
    path = tmp_path / "celu.onnx"
    node = helper.make_node("Celu", ["x"], ["y"])
    onnx.save(model([node], [value("x", shape=["batch", 3])], [value("y")], opset=20), path)
    return path


def test_a_model_is_rewritten_and_says_so(command, celu, tmp_path):
    before, ready = celu.read_bytes(), tmp_path / "ready.onnx"
    code, out, _ = command("prepare", celu, "-o", ready, seams=seams(refuses=["Celu"]))
    assert code == 0
    assert "Celu by its definition" in out
    made = onnx.load(ready)
    (note,) = (json.loads(entry.value) for entry in made.metadata_props if entry.key == "burn_verify.prepare")
    assert note["steps"][0]["name"] == "Celu by its definition"
    assert note["burn"]
    assert celu.read_bytes() == before


def test_a_model_that_agrees_is_copied_as_it_is(command, tmp_path):
    ready = tmp_path / "ready.onnx"
    code, out, _ = command("prepare", ADD, "-o", ready, seams=seams())
    assert (code, ready.read_bytes()) == (0, ADD.read_bytes())
    assert "unchanged" in out


def test_what_stays_writes_nothing_and_says_what_is_in_the_way(command, tmp_path):
    ready = tmp_path / "ready.onnx"
    code, out, _ = command("prepare", ADD, "-o", ready, seams=seams(refuses=["Add"]))
    assert (code, ready.exists()) == (1, False)
    assert "in the way" in out
    assert "unsupported operators: Add" in out


def test_json_is_all_that_is_printed(command, celu):
    code, out, _ = command("prepare", celu, "--json", "--pin", "batch=2", seams=seams(refuses=["Celu"]))
    found = json.loads(out)
    assert (code, found["agrees"]) == (0, True)
    assert [step["name"] for step in found["steps"]] == ["--pin", "Celu by its definition"]


def test_a_report_is_written_where_it_is_asked_for(command, celu, tmp_path):
    report = tmp_path / "ready.md"
    command("prepare", celu, "--report", report, seams=seams(refuses=["Celu"]))
    assert report.read_text().startswith("# file/celu")
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["celu.onnx", "ready.md"]


def test_an_existing_file_is_replaced_only_by_force(command, celu, tmp_path):
    ready = tmp_path / "ready.onnx"
    ready.write_bytes(b"mine")
    code, out, err = command("prepare", celu, "-o", ready, seams=seams(refuses=["Celu"]))
    assert (code, out, ready.read_bytes()) == (4, "", b"mine")
    assert "--force" in err
    assert command("prepare", celu, "-o", ready, "--force", seams=seams(refuses=["Celu"]))[0] == 0
    assert onnx.load(ready).graph.node


def test_the_model_itself_is_never_written_over(command, celu):
    before = celu.read_bytes()
    link = celu.with_name("link.onnx")
    link.symlink_to(celu)
    for target in (celu, link):
        code, _, err = command("prepare", celu, "-o", target, "--force", seams=seams(refuses=["Celu"]))
        assert (code, celu.read_bytes()) == (4, before)
        assert "never written over" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--pin", "batch"), "NAME=VALUE is needed"),
        (("--pin", "other=1"), "no input and no dimension"),
        (("--freeze", "z=1"), "no input is called 'z'"),
        (("--drop-zipmap",), "nothing of this kind"),
        (("--cut",), "nothing of this kind"),
        (("--unsigned-weights",), "nothing of this kind"),
        (("-o", "/nowhere/ready.onnx"), "cannot be written"),
        (("--burn-backend", "flex,ndarray"), "one target at a time"),
    ],
)
def test_a_mistake_is_one_line(command, celu, words, message):
    code, out, err = command("prepare", celu, *words, seams=seams())
    assert (code, out) == (4, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_several_models_are_a_mistake(command, celu):
    shutil.copy(celu, celu.with_name("other.onnx"))
    code, _, err = command("prepare", celu.parent, seams=seams())
    assert code == 4
    assert "prepare one at a time" in err
