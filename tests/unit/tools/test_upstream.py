"""Folders of failures: their names, and whether a project shows what its report says."""

import json

import pytest

from upstream import _SHOWS, groups_of, report


def test_each_group_has_a_folder_of_its_own():
    lines = [{"title": title, "count": 1, "example": {"case_id": "node/a"}} for title in ("No: Add", "no add", "Sub")]
    sections = [{"stage": "convert", "lines": lines}, {"stage": "reference", "lines": lines}]
    assert list(groups_of({"sections": sections})) == ["convert-no-add", "convert-no-add-2", "convert-sub"]


def test_a_graph_of_several_operators_is_told_by_the_name():
    lines = [{"title": "No: Add", "count": 1, "example": {"case_id": "several/0/00001-chain-Add-Add"}}]
    assert list(groups_of({"sections": [{"stage": "convert", "lines": lines}]})) == ["several-convert-no-add"]


REFUSED = {"message": "Failed to parse ONNX file 'a.onnx': Unsupported ONNX operation(s): Foo (node 'foo1')"}
SAID = "expected y: float32[2] [1.0, 2.5]\nactual   y: float32[2] [1.0, 3.5]\n"
DTYPE = "expected y: int64[1] [3]\nactual   y: int32[1] [3]\n"
CAME = "expected y: float32[2] [1.0, 2.5]\nactual   y: F32[2] [1.0, {}]\n"


@pytest.mark.parametrize(
    ("stage", "said", "readme", "code", "text", "shows"),
    [
        (
            "convert",
            REFUSED,
            "",
            101,
            "Failed to parse ONNX file 'tiny.onnx': Unsupported ONNX operation(s): Foo",
            True,
        ),
        ("convert", REFUSED, "", 101, "No such file: tiny.onnx", False),
        ("compile", {"codes": ["E0308"]}, "", 101, "error[E0308]: mismatched\n --> src/model.rs:7", True),
        ("compile", {"codes": ["E0308"]}, "", 0, "", False),
        ("run", {"reason": "panic: index 7 out of bounds"}, "", 101, "panicked at: index 9 out of bounds", True),
        ("run", {"reason": "panic: index out of bounds"}, "", 0, "actual   y: F32[2] [1.0]", False),
        ("compare", {}, SAID, 0, CAME.format("3.5"), True),
        ("compare", {}, SAID, 0, CAME.format("2.5"), False),
        ("compare", {}, SAID, 1, "", False),
        ("compare", {}, DTYPE, 0, "expected y: int64[1] [3]\nactual   y: [i32; 1] [3]", True),
        ("compare", {}, DTYPE, 0, "expected y: int64[1] [3]\nactual   y: i64 3", False),
        ("compare", {}, DTYPE, 0, "expected y: int64[1] [3]\nactual   y: I32[1] [4]", True),
        ("compare", {}, DTYPE, 0, "expected y: int64[1] [3]\nactual   y: I64[1] [4]", False),
    ],
)
def test_what_a_project_shows_is_compared_with_its_report(stage, said, readme, code, text, shows):
    assert _SHOWS[stage](said, readme, code, text) is shows


def test_the_table_says_what_was_run(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        said = {"stage": "run", "title": "t", "cases": 3, "case": "node/a"}
        (tmp_path / name / "group.json").write_text(json.dumps(said))
    (tmp_path / "shown.jsonl").write_text(json.dumps({"folder": "a", "code": 101, "shows": True}) + "\n")
    (tmp_path / "left.json").write_text(json.dumps({"c": "too large"}))
    text = report(tmp_path)
    assert "1 of 1 show it" in text
    assert "not run" in text
    assert "- c: too large" in text
