"""The record's file: what is appended is read, and damage is either harmless or named with its line."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.result import CaseResult, Difference
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Checkout, Target
from burn_verify.record import codec, store
from burn_verify.record.targets import target_to_json


def result(case_id):
    return CaseResult(case_id=case_id, corpus="zoo", stage=Stage.COMPARE, outcome=Outcome.PASSED)


def line(case_id, backend="flex"):
    return codec.result_to_line(result(case_id), Target(burn="0.22.0", backend=backend))


def a_run(*case_ids, name="first"):
    return [codec.environment_line({"name": name}), *map(line, case_ids), codec.phases_line({"compile": 2.5})]


def ids(record):
    return [each.case_id for each in record.results]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.jsonl"


def test_what_is_appended_is_read(path):
    store.append(path, a_run("a", "b"))

    assert store.read(path) == store.Record(
        environment={"name": "first"},
        results=(result("a"), result("b")),
        phases={"compile": 2.5},
        target=Target(burn="0.22.0"),
    )


def test_the_last_run_is_read_and_all_are_kept(path):
    store.append(path, a_run("a"))
    before = path.read_bytes()
    store.append(path, a_run("b", "c", name="second"))

    assert path.read_bytes().startswith(before)
    assert ids(store.read(path)) == ["b", "c"]
    assert [record.environment["name"] for record in store.read_all(path)] == ["first", "second"]


def test_results_without_an_environment_are_a_run(path):
    store.append(path, [line("a")])

    assert store.read(path).environment == {}
    assert ids(store.read(path)) == ["a"]


def test_every_line_is_one_write(path, monkeypatch):
    written = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: written.append(data) or write(file, data))

    store.append(path, a_run("a"))

    assert [data.count(b"\n") for data in written] == [1, 1, 1]
    assert all(data.endswith(b"\n") for data in written)


@given(cut=st.integers(min_value=0))
@settings(deadline=None, max_examples=50)
def test_a_file_cut_anywhere_keeps_its_whole_lines(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "record.jsonl"
    whole = "".join(f"{each}\n" for each in a_run("a", "b"))
    text = whole[: cut % len(whole)]
    path.write_text(text)
    lines = [each for each in text.split("\n") if each.endswith("}}")]  # all of these lines end with two braces

    records = store.read_all(path)

    assert sum(len(record.results) for record in records) == sum('"result"' in each for each in lines)


def test_a_run_after_a_crash_does_not_suffer_from_it(path):
    store.append(path, a_run("a", "b"))
    path.write_bytes(path.read_bytes()[:-15])

    store.append(path, a_run("c", name="second"))

    assert [ids(record) for record in store.read_all(path)] == [["a", "b"], ["c"]]
    assert [record.phases for record in store.read_all(path)] == [{}, {"compile": 2.5}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{line('a')}\nnonsense\n{line('b')}\n", ":2: not a line of a record, JSON was expected: 'nonsense'"),
        (f'{line("a")}\n{{"cut\n{line("b")}\n', ":2: not a line of a record, JSON was expected"),
        ('{"cut\n{"cut', ":1: not a line of a record"),
        ("# Title\n", ":1: not a line of a record"),
        ("\ufffd\x00", ":1: not a line of a record"),
        ("[1]\n", ":1: not a line of a record: it has no schema_version"),
        ("{}\n", ":1: not a line of a record: it has no schema_version"),
        (
            '{"schema_version": 99, "kind": "result"}',
            ":1: schema_version 99 is not known, this burn-verify reads 1 and 2",
        ),
        (
            '{"schema_version": 1, "kind": "poem"}',
            ":1: unknown kind 'poem', expected one of environment, selection, result",
        ),
        ('{"schema_version": 1, "kind": "phases"}', ":1: a line of kind 'phases' without an object"),
        ('{"schema_version": 1, "kind": "result"}', ":1: a result without 'case_id'"),
        ("", ": the record is empty"),
        ('{"schema_version": 2, "kind": "envir', ": the record ends inside its first line"),
    ],
)
def test_what_is_not_a_record_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "record.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        store.read(path)

    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_usage_error(path):
    with pytest.raises(UsageError, match="no such record"):
        store.read(path)


def test_a_folder_is_not_a_record(tmp_path):
    with pytest.raises(UsageError, match="a folder, not a record: name the file that holds one"):
        store.read(tmp_path)
    (tmp_path / "record.jsonl").touch()
    with pytest.raises(UsageError, match=r"a folder, not a record: name .*/record\.jsonl"):
        store.read(tmp_path)


def test_what_cannot_be_written_is_one_kind_of_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot write the record"):
        store.append(tmp_path / "file" / "record.jsonl", [line("a")])


def test_half_a_write_is_an_error(path, monkeypatch):
    monkeypatch.setattr(os, "write", lambda file, data: 3)

    with pytest.raises(StoreError, match="only 3 of"):
        store.append(path, [line("a")])


def test_a_line_break_inside_a_line_is_refused(path):
    with pytest.raises(ValueError, match="line break"):
        store.append(path, [json.dumps({"a": 1}, indent=1)])


def test_folders_that_nobody_made_are_not_made(tmp_path):
    with pytest.raises(StoreError, match="cannot write the record"):
        store.append(tmp_path / "misspelt" / "record.jsonl", ["{}"])
    assert list(tmp_path.iterdir()) == []


WGPU = Target(burn="0.22.0", backend="wgpu")
FLEX = Target(burn="0.22.0")
LOCAL = Target(burn_onnx_checkout=Checkout(path=Path("here"), commit="abc", dirty=True, digest="d"))


def several(*targets):
    return codec.environment_line({"targets": [target_to_json(target) for target in targets]})


def test_a_run_on_several_targets_is_a_record_each(path):
    difference = Difference(case_id="a", part="backend", before=FLEX, after=WGPU, nearer="before", message="Y: 1/1")
    lines = [
        several(FLEX, WGPU),
        codec.selection_line(["a", "b"], [["a", "b"], ["a"]]),
        line("a"),
        line("a", "wgpu"),
        line("b"),
        codec.difference_line(difference),
        codec.phases_line({"compile": 2.5}),
    ]
    store.append(path, lines)
    flex, wgpu = store.read_run(path)

    assert (flex.target, ids(flex), flex.selection, flex.differences) == (FLEX, ["a", "b"], ("a", "b"), ())
    assert (wgpu.target, ids(wgpu), wgpu.selection, wgpu.differences) == (WGPU, ["a"], ("a",), (difference,))
    assert wgpu.environment["burn_backend"] == "wgpu"
    assert "targets" not in wgpu.environment
    # What is done once is counted once.
    assert (flex.phases, wgpu.phases) == ({"compile": 2.5}, {})
    with pytest.raises(UsageError, match="its last run is of 2 targets, and one is needed"):
        store.read(path)


def test_a_target_that_did_not_start_is_there_without_results(path):
    store.append(
        path, [several(FLEX, WGPU), codec.selection_line(["a"]), codec.failure_line(WGPU, "no device"), line("a")]
    )
    flex, wgpu = store.read_run(path)

    assert (flex.failure, ids(flex)) == ("", ["a"])
    assert (wgpu.failure, ids(wgpu), wgpu.selection) == ("no device", [], ("a",))


def test_a_run_that_died_before_a_target_still_names_it(path):
    store.append(path, [several(FLEX, WGPU), codec.selection_line(["a"]), line("a")])

    assert [(record.target, record.failure, ids(record)) for record in store.read_run(path)] == [
        (FLEX, "", ["a"]),
        (WGPU, "", []),
    ]


def test_older_lines_leave_to_the_environment_what_they_do_not_say(path):
    old = {key: value for key, value in json.loads(line("a")).items() if key not in ("simplify", "burn_onnx_version")}
    environment = {"burn": "0.22.0", "burn_onnx": "0.21.9", "burn_backend": "flex", "simplify": False}
    store.append(path, [codec.environment_line(environment), json.dumps(old)])

    assert store.read(path).target == Target(burn="0.22.0", burn_onnx="0.21.9", simplify=False)


def test_a_difference_that_is_damaged_is_named(path):
    store.append(
        path, [several(FLEX, WGPU), '{"schema_version": 1, "kind": "difference", "difference": {"part": "x"}}']
    )

    with pytest.raises(UsageError, match=r":2: a difference without 'case_id'"):
        store.read_run(path)


def test_two_runs_at_once_are_not_counted_twice(path):
    failed = codec.result_to_line(replace(result("b"), outcome=Outcome.FAILED), Target(burn="0.22.0", backend="flex"))
    mixed = [*(codec.environment_line({"name": name}) for name in "xy"), line("a"), line("b"), failed, line("a")]
    store.append(path, [*mixed, line("b"), codec.phases_line({})])
    (record,) = store.read_run(path)
    assert [(one.case_id, one.outcome) for one in record.results] == [("a", Outcome.PASSED), ("b", Outcome.FAILED)]


@pytest.mark.parametrize("text", ["# notes\n", '{"name": 1}\n', "\x08onnx", " \n\nwords\n", '["schema_version"]'])
def test_what_is_no_record_is_not_written_to(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="is there already and is no record"):
        store.require_record(path)
    assert path.read_text(encoding="utf-8") == text


def test_a_record_an_empty_file_and_none_may_be_written_to(path):
    store.require_record(path)
    for lines in ([], a_run("a"), a_run("b")):
        store.append(path, lines)
        store.require_record(path)
    # A crash may have left half a line.
    path.write_text(line("a")[:30], encoding="utf-8")
    store.require_record(path)
