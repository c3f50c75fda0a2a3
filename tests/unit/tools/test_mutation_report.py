"""What a file of mutants holds, and what the report makes of it."""

import pytest

from mutation import kinds, results
from mutation.report import markdown, score_of
from mutation.results import Results

ABOUT = {"line": "originals", "corpus": "node", "seed": 1, "judge": "default", "cases": 9, "agreeing": 8, "alarms": []}


def line(kind, end, number=0, **more):
    diff = {"operator": "add -> sub", "diff": "-a\n+b", "case": "node/a"}
    return {"line": "mutant", "id": f"{kind}{end}{number}{more}", "kind": kind, "end": end, **diff, "how": "x", **more}


LINES = [
    *(line(kinds.SIBLING, "killed", number) for number in range(7)),
    line(kinds.SIBLING, "survived", cause="data"),
    line(kinds.AXIS, "survived", cause="bound", apart=1e-5),
    line(kinds.AXIS, "killed"),
    line(kinds.AXIS, "equivalent"),
    line(kinds.AXIS, "rounding"),
    line(kinds.AXIS, "uncompilable"),
    line(kinds.CONSTANT, "not applicable"),
]


def of(lines):
    return Results(about=ABOUT, mutants={one["id"]: one for one in lines})


def rows(text, name):
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines() if row.startswith(f"| {name}")]


def test_only_other_functions_that_compile_count():
    score = score_of(LINES)

    assert (score.killed, score.counted, score.by_bound, score.by_data) == (8, 10, 1, 1)
    assert score.value == 0.8
    assert score_of([]).value is None
    assert score_of([line(kinds.AXIS, "equivalent")]).value is None


def test_the_report_has_a_row_a_class_and_one_for_all_semantic_ones():
    text = markdown([of(LINES)], [])

    (axis, *_) = rows(text, "axis")
    assert axis == ["axis", "5", "1", "0", "1", "1", "1", "1", "0", "50.0%", ""]
    (semantic, *_) = rows(text, "**semantic**")
    assert semantic[-2:] == ["80.0%", "99.0%"]
    (constant, *_) = rows(text, kinds.CONSTANT)
    assert constant[-2:] == ["", "100.0%"]
    assert "relative difference 1.0e-05" in text


def test_the_report_says_what_was_before():
    before = of([line(kinds.AXIS, "survived", cause="bound"), line(kinds.AXIS, "killed")])
    (axis, *_) = rows(markdown([of(LINES[:10])], [before]), "axis")

    assert axis[-3:-1] == ["50.0%", "50.0%"]


def test_a_report_without_survivors_says_so():
    assert "No mutant survived." in markdown([of(LINES[:7])], [])


def test_a_run_goes_on_where_a_file_ends(tmp_path):
    path = tmp_path / "folder" / "mutants.jsonl"

    assert results.read(path) == Results(about={}, mutants={})
    results.append(path, [ABOUT, LINES[0]])
    results.append(path, [LINES[7]])
    with path.open("a") as file:
        file.write('{"line": "mut')
    read = results.read(path)

    assert read.about["corpus"] == "node"
    assert list(read.mutants) == [LINES[0]["id"], LINES[7]["id"]]


def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "mutants.jsonl"
    path.write_text("{\n{}\n")

    with pytest.raises(ValueError, match="line 1"):
        results.read(path)
