"""The page of the ways to ship a model says what the rows say."""

from argparse import Namespace

import numpy as np
import pytest

import deploy
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.ways import LOADS
from deploy import Row, apart, page, read, served_page, startups_page

ROWS = [
    Row(
        model="zoo/a",
        via="process",
        load="file",
        weights="full",
        verdict="agrees",
        apart=0.0,
        startup=0.5,
        latency=0.01,
    ),
    Row(
        model="zoo/a",
        via="wasm",
        load="file",
        weights="full",
        verdict="agrees",
        apart=1e-6,
        from_process=1e-6,
        weights_bytes=2_000_000,
    ),
    Row(model="zoo/a", via="wasm", load="bytes", weights="full", verdict="agrees", apart=1e-6, from_file=0.0),
    Row(model="zoo/b", via="process", load="bytes", weights="half", verdict="disagrees", why="wrong values", apart=0.5),
    Row(model="zoo/b", via="wasm", load="file", weights="full", verdict="not run", why="no standard library"),
]


def test_a_page_counts_what_was_run():
    text = page(ROWS, "Made by hand.")

    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    assert ["process", "1", "1", "1", "1", "", ""] in lines
    assert ["wasm", "2", "1", "1", "0", "0 of 1", ""] in lines
    assert ["bytes wasm", "1", "1", "1", "0", "", "1 of 1"] in lines
    assert "- bytes half weights: zoo/b: wrong values" in text
    assert "- wasm: zoo/b: no standard library" in text
    assert ["zoo/a", "wasm", "1e-06", "2 MB", "", "", "", ""] in lines


def test_a_page_says_what_has_no_row_and_why():
    refused = Row(model="zoo/c", via="process", load="file", weights="full", verdict="convert", why="no Crop | Pad")

    text = page([*ROWS, refused], "", ["zoo/a", "zoo/c", "zoo/d"])

    told = text.partition("## Models without a row, and why")[2].partition("## Not run")[0]
    lines = [[cell.strip() for cell in line.split(" | ")] for line in told.splitlines() if line.startswith("| zoo")]
    assert [line[:2] for line in lines] == [["| zoo/c", "convert"], ["| zoo/d", "not run"]]
    assert "no Crop \\| Pad" in told
    assert "zoo/c" not in text.partition("## Verdicts")[2]
    assert "- embedded: zoo/a, zoo/b" in text.partition("## Not run")[2]


def test_a_page_says_which_combinations_are_refused():
    told = page(ROWS, "").partition("## Combinations that are refused")[2].partition("## ")[0]

    (sentence,) = [line for line in told.splitlines() if line.startswith("- ")]
    assert sentence.startswith("- embedded half weights, embedded half weights http-json")
    assert sentence.endswith("--burn-load file,bytes")
    assert "embedded half weights" not in page(ROWS, "").partition("## Not run")[2]


def test_a_run_that_ends_early_goes_on_where_it_ended(monkeypatch, tmp_path):
    out = tmp_path / "rows.jsonl"
    made = [Row(model="zoo/a", via="process", load=load, weights="full", verdict="agrees") for load in LOADS]
    arguments = Namespace(models="a", via="process", load=",".join(LOADS), weights="full", out=out, seconds=1.0)
    monkeypatch.setattr(deploy, "cases_of", lambda *_: [Case(id="zoo/a", corpus="zoo", source=ModelFile(path=out))])

    def ending(*_):
        yield made[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy, "rows", ending)
    with pytest.raises(KeyboardInterrupt):
        deploy.measure(arguments)
    monkeypatch.setattr(deploy, "rows", lambda *_: iter(made))
    deploy.measure(arguments)
    assert read(out) == made

    monkeypatch.setattr(deploy, "rows", ending)
    deploy.measure(arguments)
    assert read(out) == made


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.inf], [1.5, np.inf], 0.5),
        ([1.0, 2.0], [1.0, np.nan], np.inf),
        ([1.0], [1.0, 2.0], np.inf),
        ([1, 2], [1, 3], np.inf),
    ],
)
def test_how_far_two_answers_are_apart(one, two, expected):
    assert apart({"a": [np.array(one)]}, {"a": [np.array(two)]}) == expected


def test_nothing_to_compare_is_no_zero():
    assert apart({}, {"a": [np.array(1.0)]}) is None


def test_the_part_about_servers_names_models_that_answer_otherwise():
    one = {
        "model": "a",
        "startup": [2.0, 1.0],
        "statuses": {"200": 9, "503": 1},
        "differing": 0,
        "per_second": 50.2,
        "percentiles": [0.01, 0.02, 0.03],
        "forward": None,
        "resident": [10.0, None],
        "malformed": [["empty body", 400, "not_json", "no JSON"]],
        "answers_after": True,
    }
    other = {**one, "model": "b", "malformed": [["empty body", 500, "", ""]], "answers_after": False}

    text = served_page([one, other])

    assert "9 of 200, 1 of 503" in text
    assert "Other statuses of other models: b, empty body: 500." in text
    assert "Models that did not answer a good request afterwards: b." in text
    assert served_page([]) == ""


def test_the_part_about_start_ups_has_a_column_for_each():
    text = startups_page(
        [{"model": "a", "state": "nothing", "seconds": [300.0, 1.5]}, {"model": "b", "state": "Burn", "seconds": [9.0]}]
    )

    assert "start 2" in text
    assert "300.0 s" in text
    assert startups_page([]) == ""
