"""The page of imported models says what the rows say; which records there are is of the version."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from burn_verify.core.versions import DEFAULT, resolve
from importing import Imported, Recorded, apart, cases_table, equal, page, read, targets_of

ROWS = [
    Imported(model="zoo/a", on="0.19.1 ndarray", opset=12, raised=18, before="convert: old", after="agrees", apart=0.0),
    Imported(model="zoo/b", on="0.19.1 ndarray", opset=18, raised=None, before="agrees"),
    Imported(model="zoo/c", on="0.19.1 ndarray", opset=9, raised=18, before="convert: old", after="convert: A|B"),
]
RECORDS = [
    Recorded(model="zoo/a", way="mpk", verdict="agrees", size=2_000_000, apart=0.0, same=True),
    Recorded(model="zoo/a", way="bin", verdict="agrees", size=1_900_000, apart=0.0, same=True),
    Recorded(model="zoo/a", way="bin half weights", verdict="disagrees: far off", size=950_000, apart=0.5, same=True),
    Recorded(model="zoo/a", way="json half weights", verdict="run: panic: too large"),
]


def cells(text: str) -> list[list[str]]:
    lines = (line for line in text.splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").replace("\\|", "/").split("|")] for line in lines]


def test_a_page_counts_what_an_upgrade_gained():
    text = page(ROWS, RECORDS, "Made by hand.")

    assert (
        "3 models: 1 agree as they are, 2 as they are or raised. Of 2 that were raised, 1 agree only since, 0" in text
    )
    assert ["zoo/a", "12", "convert: old", "18", "agrees", "0"] in cells(text)
    assert ["zoo/c", "9", "convert: old", "18", "convert: A/B", ""] in cells(text)


def test_a_page_tells_records_that_answer_otherwise():
    text = page(ROWS, RECORDS, "Made by hand.")

    assert ["bin", "1", "1", "1", "1", "1"] in cells(text)
    assert ["bin half weights", "1", "0", "1", "0", "1"] in cells(text)
    assert ["json half weights", "1", "0", "0", "0", "0"] in cells(text)
    assert ["zoo/a", "2 MB", "1.9 MB", "0.95 MB", ""] in cells(text)
    assert ["zoo/a", "bin half weights", "0.5", "disagrees: far off"] in cells(text)
    assert "- json half weights: zoo/a: run: panic: too large" in text
    assert "Records" not in page(ROWS, [], "Made by hand.")


def test_test_cases_are_counted_by_target():
    target = {"kind": "result", "burn_version": "0.19.1", "burn_backend": "ndarray", "record_type": "bin"}
    ends = [("compare", "passed", ""), ("convert", "failed", "requires opset 16"), ("compile", "failed", "E0433")]
    lines = [json.dumps({**target, "stage": one, "outcome": two, "reason": why}) for one, two, why in ends]
    old = "UnsupportedOpset { required: 13, actual: 7 }"
    newer = {**target, "burn_version": "0.20.1", "record_type": "bpk"}
    lines.append(json.dumps({**newer, "stage": "convert", "outcome": "failed", "reason": old}))

    text = cases_table([json.dumps({"kind": "environment"}), *lines])

    assert ["0.19.1 ndarray bin", "3", "1", "1", "0", "1", "0", "0"] in cells(text)
    assert ["0.20.1 ndarray", "1", "0", "1", "0", "0", "0", "0"] in cells(text)
    assert "No two of them answer otherwise" in text


def test_rows_come_back_and_the_last_of_a_model_counts(tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = [asdict(row) for row in ROWS]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in [*lines, {**lines[0], "after": "compile: x"}]))

    found, recorded = read([path])

    assert ([row.after for row in found], recorded) == (["compile: x", "", "convert: A|B"], [])


@pytest.mark.parametrize(
    ("two", "difference", "same"),
    [([1.0, np.nan], 0.0, True), ([1.5, np.nan], 0.5, False), ([1.0, 2.0], np.inf, False), ([1.0], np.inf, False)],
)
def test_two_answers(two, difference, same):
    one = {"a": [np.array([1.0, np.nan])]}
    assert (apart(one, {"a": [np.array(two)]}), equal(one, {"a": [np.array(two)]})) == (difference, same)
    assert (apart(one, {}), equal(one, {})) == (None, None)


def test_the_first_target_is_the_plain_one_and_all_can_be_built():
    names = [target.name for target in targets_of(resolve("0.19.1"))]

    assert names[:4] == [f"0.19.1 ndarray {record}" for record in ("mpk", "mpk.gz", "bin", "json")]
    assert "0.19.1 ndarray bin embedded half weights" in names
    assert len(names) == 14
    half = targets_of(resolve("0.19.1"), records=["json"], weights=["half"])
    assert [target.name for target in half] == ["0.19.1 ndarray json half weights"]
    assert targets_of(DEFAULT)[0].name == "0.22.1 flex"
