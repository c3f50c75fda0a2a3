"""What is done, what is left, and what died, told from journals alone."""

import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import environment_line, phases_line, result_to_line, selection_line
from burn_verify.record.targets import recorded
from burn_verify.run.sweep import journal
from swept import model

TARGET = recorded(Target())
NOW = "2026-11-30T10:00:00Z"


def result(name, failure=None, outcome=Outcome.PASSED):
    return CaseResult(case_id=name, corpus="file", stage=Stage.COMPARE, outcome=outcome, failure=failure)


def failed(name, kind=FailureKind.MISMATCH):
    return result(name, kind, Outcome.FAILED)


def case(name):
    return Case(id=name, corpus="file", source=Unavailable(reason=""))


def write(folder, selection, results, *, ended=True, name="1.jsonl", started=NOW):
    lines = [environment_line({"started": started}), selection_line(selection)]
    lines += [result_to_line(one, TARGET) for one in results]
    lines += [phases_line({"collect": 0.1})] if ended else []
    store.append(folder / name, lines)


def test_nothing_is_done_before_the_first_shard(tmp_path):
    found = journal.read(tmp_path)

    assert found.left([case("a")], [TARGET]) == [case("a")]


def test_what_says_nothing_of_the_model_is_left(tmp_path):
    write(tmp_path, ["a", "b", "c"], [result("a"), failed("b"), failed("c", FailureKind.MACHINE)])
    found = journal.read(tmp_path)

    assert [one.id for one in found.left(map(case, "abcd"), [TARGET])] == ["c", "d"]
    assert [one.id for one in found.left(map(case, "a"), [TARGET, Target(backend="wgpu")])] == ["a"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_results_the_one_of_the_model_counts_and_then_the_failure(tmp_path, order):
    for one, other in (
        (failed("a", FailureKind.MACHINE), result("a")),
        (result("b"), failed("b")),
        (failed("c", FailureKind.INTERNAL), failed("c")),
    ):
        for place in order:
            write(tmp_path, [one.case_id], [(one, other)[place]])
        assert journal.read(tmp_path).results[one.case_id, TARGET] == other


def test_a_run_that_died_is_divided_until_its_models_are_alone(tmp_path):
    names = [f"m{number}" for number in range(20)]
    write(tmp_path, names, [result(name) for name in names[:3]], ended=False)
    found = journal.read(tmp_path)
    left = found.left(map(case, names), [TARGET])
    sizes = [len(part) for part in found.parts([*left, case("new")])]

    assert len(left) == 17
    assert sizes == [1, 3, 3, 3, 3, 3, 2]
    assert found.parts([case("new")]) == [(case("new"),)]


def test_a_run_that_was_interrupted_did_not_die(tmp_path):
    write(tmp_path, ["a", "b"], [result("a")])

    assert journal.read(tmp_path).lost == {}


def test_a_model_that_died_alone_again_and_again_is_given_up(tmp_path):
    for _ in range(journal.ENOUGH):
        assert journal.read(tmp_path).exhausted([case("a")]) == []
        write(tmp_path, ["a"], [], ended=False)

    assert journal.read(tmp_path).exhausted([case("a"), case("b")]) == [case("a")]


def test_a_line_that_was_cut_is_a_result_that_is_left(tmp_path):
    write(tmp_path, ["a", "b"], [result("a"), result("b")])
    path = tmp_path / "1.jsonl"
    text = path.read_text()
    path.write_text(text[: text.index('"case_id": "b"') + 20])
    write(tmp_path, ["c"], [result("c")])
    found = journal.read(tmp_path)

    assert [one.id for one in found.left(map(case, "abc"), [TARGET])] == ["b"]


def test_damage_in_the_middle_is_said_with_file_and_line(tmp_path):
    write(tmp_path, ["a"], [result("a")])
    path = tmp_path / "1.jsonl"
    path.write_text(path.read_text().replace('"kind": "selection"', '"kind": "sel'))
    with pytest.raises(UsageError, match=r"1\.jsonl:2"):
        journal.read(tmp_path)


def test_a_model_that_was_changed_since_is_left(tmp_path, cache):
    from burn_verify.cases import manifest

    path = model(tmp_path / "m.onnx", 1)
    (own,) = manifest.read(path, cache)
    write(tmp_path, [own.id], [result(own.id)])
    assert journal.read(tmp_path, [own]).left([own], [TARGET]) == []
    path.touch()
    write(tmp_path, ["other"], [], started="2001-01-01T00:00:00Z")
    (tmp_path / "1.jsonl").write_text((tmp_path / "1.jsonl").read_text().replace(NOW, "2001-01-01T00:00:00Z"))

    assert journal.read(tmp_path, [own]).left([own], [TARGET]) == [own]
