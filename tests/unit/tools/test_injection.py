"""Faults as data, the damage to a file, and what counts as right after a fault."""

import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from burn_verify.core.stage import ConvertedModel
from injection import faults
from injection.child import FIRST, greedy
from injection.faults import End, Fault
from injection.report import Row, markdown, portable, row
from injection.seen import Seen, said, wrong
from injection.world import mounted, newest, spoilt

PACKAGE = Path(__file__).parents[3] / "src" / "burn_verify"
CLEAN = {"file/add": "passed compare", "file/matmul": "passed compare"}
FINE = Seen(code=0, words="2 of 2 agree", results=CLEAN)


def fault(end, **fields):
    return Fault(**{"kind": "damage", "place": "cache/reference", "how": "flip", "end": end, **fields})


def seen(code, words="", **results):
    named = {f"file/{name}": end.replace("_", " ") for name, end in results.items()}
    return Seen(code=code, words=words, results=named)


def test_every_fault_has_a_name_of_its_own():
    names = Counter(one.name for one in faults.faults())
    assert len(names) > 100
    assert set(names.values()) == {1}
    assert {one.kind for one in faults.faults()} == {"damage", "disk", "signal", "memory"}


def test_each_place_of_a_signal_is_there():
    assert set(FIRST) == set(faults.PHASES)
    for module, function, _ in FIRST.values():
        assert f"def {function}(" in (PACKAGE / module).read_text()


@pytest.mark.parametrize(
    ("data", "how", "left"),
    [
        (b"abcd", "flip", b"abgd"),
        (b"", "flip", b"\4"),
        (b"abcd", "truncate", b"ab"),
        (b"a", "truncate", b""),
        (b"abcd", "delete", None),
    ],
)
def test_damage(data, how, left):
    assert spoilt(data, how) == left


def test_the_newest_file_of_a_kind_is_damaged(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.rs").touch()
    os.utime(tmp_path / "a" / "model.rs", (1, 1))
    assert newest(tmp_path, "*/model.rs") == tmp_path / "b" / "model.rs"
    with pytest.raises(FileNotFoundError, match=r"\*/none"):
        newest(tmp_path, "*/none")


@pytest.mark.parametrize("how", faults.DISKS)
def test_a_disk_is_mounted_for_the_run_alone(tmp_path, how):
    command = mounted(tmp_path, how)
    assert command[:2] == ["unshare", "--mount"]
    assert command[-1] == str(tmp_path)
    assert 'exec "$@"' in command[-2]


@pytest.mark.parametrize(
    ("end", "run", "found"),
    [
        (End.HEALED, FINE, []),
        (End.HEALED, seen(0, add="passed_compare"), ["not as undisturbed: file/matmul lost"]),
        (
            End.HEALED,
            seen(1, add="failed_run:_panic", matmul="passed_compare"),
            ["accused: file/add failed run: panic", "exit code 1", "not as undisturbed: file/add failed run: panic"],
        ),
        (End.MACHINE, seen(3, "burn-verify: error: make room"), []),
        (End.MACHINE, seen(1, "burn-verify: error: make room"), ["exit code 1"]),
        (End.MACHINE, seen(3, "Traceback (most recent call last):\nburn-verify: error: x"), ["a traceback"]),
        (End.MACHINE, FINE, []),
        (End.WARNED, Seen(code=0, words="burn-verify: cannot write the record", results={}), []),
        (End.WARNED, FINE, ["no word about the record"]),
        (End.USAGE, seen(4, "burn-verify: error: no record"), []),
        (End.USAGE, seen(2), ["exit code 2"]),
    ],
)
def test_what_is_wrong(end, run, found):
    assert wrong(fault(end), run, FINE, CLEAN) == found


def test_a_run_after_it_that_is_not_as_before_is_wrong():
    again = seen(1, add="failed_compare:_wrong_values", matmul="passed_compare")
    (told,) = wrong(fault(End.HEALED), FINE, again, CLEAN)
    assert told == "the run after it: not as undisturbed: file/add failed compare: wrong values"


def test_processes_that_are_left_are_wrong():
    run = Seen(code=0, words="", results=CLEAN, left=("cargo build",))
    assert wrong(fault(End.HEALED), run, FINE, CLEAN) == ["left: cargo build"]


@pytest.mark.parametrize(
    ("command", "place", "run", "found"),
    [
        ("verify", "compile", seen(143, "burn-verify: ended by SIGTERM"), []),
        ("verify", "run", seen(143, add="passed_compare"), []),
        ("verify", "run", seen(143), ["no result of the first case"]),
        ("verify", "load", seen(1), ["exit code 1, not 143"]),
        ("pytest", "load", seen(2), []),
    ],
)
def test_a_signal(command, place, run, found):
    one = fault(End.ENDED, kind="signal", place=place, how="SIGTERM", command=command)
    assert wrong(one, run, FINE, CLEAN) == found


def test_a_case_that_is_too_large_may_end_at_its_stage_alone():
    one = fault(End.LIMITED, kind="memory", stage=("reference",))
    fine = {"add": "passed_compare", "matmul": "passed_compare"}
    assert wrong(one, seen(1, huge="failed_reference:_memory", **fine), FINE, CLEAN) == []
    assert wrong(one, seen(1, huge="failed_run:_memory", **fine), FINE, CLEAN) == [
        "accused: file/huge failed run: memory"
    ]
    assert wrong(one, seen(1, huge="failed_reference:_panic", **fine), FINE, CLEAN) == [
        "ended as failed reference: panic"
    ]
    assert wrong(one, seen(1, huge="failed_reference:_memory", add="passed_compare"), FINE, CLEAN) == [
        "results are lost"
    ]


def test_below_some_limit_nothing_starts_and_above_another_all_does():
    one = fault(End.LIMITED, kind="memory", place="every process", cold=("reference",), stage=("reference",))
    assert wrong(one, seen(3, "burn-verify: error: flex does not start: out of memory"), FINE, CLEAN) == []
    assert wrong(one, seen(3, "burn-verify: error: no linker"), FINE, CLEAN) != []
    assert wrong(one, FINE, FINE, CLEAN) == []


def test_a_model_that_cannot_be_read_ends_at_load():
    one = fault(End.LEFT_OUT, stage=("load",))
    fine = {"add": "passed_compare", "matmul": "passed_compare"}
    assert wrong(one, seen(1, mnist="failed_load:_no_network", **fine), FINE, CLEAN) == []
    assert wrong(one, seen(1, mnist="failed_convert:_oh", **fine), FINE, CLEAN) != []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("burn-verify: reading 1/2\nburn-verify: error: full\nrest", "burn-verify: error: full"),
        ("table\nburn-verify: interrupted; kept\n", "burn-verify: interrupted; kept"),
        ("a\nb", "b"),
        ("", ""),
    ],
)
def test_the_line_that_tells(words, line):
    assert said(Seen(code=1, words=words, results={})) == line


def test_the_report_counts_and_names_no_folder_of_the_machine():
    words = "burn-verify: error: /somewhere/run/cache/reference: make room"
    good = row(fault(End.MACHINE), seen(3, words), FINE, CLEAN)
    bad = row(fault(End.HEALED), seen(1, add="failed_run:_a|b"), FINE, CLEAN)
    untried = Row(fault="damage x", end="healed", said="not tried")
    again = [Row(**json.loads(json.dumps(asdict(one)))) for one in (good, bad, untried)]
    text = markdown(again, 9)
    assert "2 faults of 9 that the tool has: 1 as they should be, 1 not.\nLost results in 1, a" in text
    assert "model accused for the fault in 1, a run" in text
    assert "/somewhere" not in text
    assert "error: cache/reference: make room" in text
    assert r"failed run: a\|b" in text
    assert text.count("\n| damage") == 3
    assert portable("kept at /a/b/record.jsonl") == "kept at record.jsonl"


def test_a_greedy_model_asks_first_of_all(tmp_path):
    rust = tmp_path / "model.rs"
    rust.write_text("impl Model {\n pub fn forward(&self, x: Tensor<1>) -> Tensor<1> {\n  x\n }\n}\n")
    model = ConvertedModel(label="file/a", module="m_1", rust=rust, weights=rust, seconds=0.0)
    spoiled = greedy(model, tmp_path)
    assert spoiled.module == "greedy_m_1"
    assert "-> Tensor<1> { let mut taken = vec![1u8; 6 << 30];" in spoiled.rust.read_text()
    rust.write_text("pub fn forward(&self);")
    with pytest.raises(ValueError, match="no forward pass"):
        greedy(model, tmp_path)
