"""The command ``burn-verify explain-number``, as typed."""

import pytest

from burn_verify import cli
from burn_verify.codec import environment_line, result_to_line
from burn_verify.types import CaseResult, Outcome, OutputMetrics, Stage, Target


@pytest.fixture
def record(tmp_path):
    """Write a record of one case of one's own and of one that never ran."""
    entry = OutputMetrics(
        data_set="seeded", name="Y", dtype="float32", shape=(2,), elements=2, mismatching=1, bound="2 u·S (Div: 2)"
    )
    results = [
        CaseResult(
            case_id="file/mine",
            corpus="file",
            stage=Stage.COMPARE,
            outcome=Outcome.FAILED,
            verdict="disagrees",
            metrics=(entry,),
        ),
        CaseResult(case_id="node/refused", corpus="node", stage=Stage.CONVERT, outcome=Outcome.FAILED, message="no"),
    ]
    lines = [result_to_line(result, Target()) for result in results]
    path = tmp_path / "run.jsonl"
    path.write_text("".join(f"{line}\n" for line in (environment_line({}), *lines)), encoding="utf-8")
    return path


@pytest.fixture
def explain(capsys):
    """Run the command and return exit code, output and errors."""

    def explain(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["explain-number", *map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    return explain


def test_what_the_record_says(record, explain):
    code, said, wrong = explain(record, "file/mine", "--no-run")
    assert (code, wrong) == (0, "")
    assert said.startswith("file/mine: disagrees\n")
    assert "2 u·S (Div: 2)" in said


def test_a_model_of_ones_own_has_no_histogram(record, explain):
    code, said, wrong = explain(record, "file/mine")
    assert code == 2
    assert "2 u·S (Div: 2)" in said
    assert wrong.count("\n") == 1
    assert "burn-verify verify PATH" in wrong


def test_a_case_that_was_never_compared(record, explain):
    code, said, _ = explain(record, "node/refused")
    assert code == 0
    assert said == "node/refused: none: it stopped at convert\nno\n"


def test_a_name_that_is_not_there(record, explain):
    code, said, wrong = explain(record, "file/min")
    assert (code, said) == (4, "")
    assert "no case 'file/min': did you mean file/mine?" in wrong


def test_an_unused_exception_fails_a_full_run(monkeypatch, tmp_path):
    from burn_verify.judge import overrides
    from burn_verify.options import Settings
    from burn_verify.session import Selected, Session

    override = overrides.Override(name="idle", factor=2.0, reason="why", link="where", op_type="Add")
    monkeypatch.setattr(overrides, "packaged", lambda: (override,))

    def unused(*results, **settings):
        selected = Selected(
            settings=Settings(cache_dir=tmp_path, **settings),
            cases=(),
            targets=(),
            left_out=(),
            expected=(),
            select_seconds=0.0,
        )
        return Session(selected, tmp_path).unused_overrides(results)

    full = {"models": ("all",), "conformance": ("all",)}
    user = CaseResult(
        case_id="a", corpus="node", stage=Stage.COMPARE, outcome=Outcome.PASSED, details={"overrides": ["idle"]}
    )
    assert unused(**full) == (override,)
    assert unused(user, **full) == ()
    assert unused(models=("all",)) == ()
    assert unused(conformance=("all",)) == ()
