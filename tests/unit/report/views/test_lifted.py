"""The page about the cases after `prepare`."""

import pytest

from burn_verify.core.prepared import Status
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.lifted import Lifted, LiftedCase, after
from burn_verify.report.summary.prepared_models import PreparedModel
from burn_verify.report.views.lifted import after_json, lifted_page, removing_text, second_status


def case(name, status=Status.LIFTED, **given):
    given = {"rewritings": ("constants folded",) if status is Status.LIFTED else (), "proofs": {}, **given}
    about = {"corpus": "node", "operator": "Celu", "stage": "convert", "reason": "no", "expressible": True}
    return LiftedCase(case_id=name, status=status, **{**about, **given})


def page(*cases):
    return lifted_page(Lifted(versions={"burn": "0.22.1"}, seconds=120.0, cases=cases))


def test_cases_are_counted_by_where_they_end():
    text = page(
        case("a"),
        case("b", constant=True),
        case("c", Status.STAYS, in_the_way="run: x | y"),
        case("d", Status.UNKNOWN, stage="run", expressible=False),
        case("e", Status.AGREED),
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| node")]
    assert rows == [["node", "convert", "3", "2", "1", "0"], ["node", "run", "1", "0", "0", "1"]]
    assert "**node**" in text
    assert r"run: x \| y" in text


def test_rewritings_are_counted_with_and_without_others():
    text = page(case("a"), case("b", rewritings=("constants folded", "shapes stored")))
    (row,) = (line for line in text.splitlines() if line.startswith("| constants folded"))
    assert [cell.strip() for cell in row.split("|")[2:4]] == ["2", "1"]


def test_proofs_and_what_was_declined_are_told():
    text = page(case("a", proofs={"bit-equal": 2}, distance=1e-6), case("b", declined=("bad",)))
    assert "bit-equal" in text
    assert "1e-06" in text
    assert "declined for 1 cases" in text
    assert "2 steps were made and proved; 0 are inside" in text
    assert "1 others were declined" in text
    assert "`b`: bad" in text


def test_an_empty_record_makes_a_page():
    assert "# After `prepare`" in page()


def by_id(*cases):
    return {one.case_id: one for one in cases}


KNOWN = by_id(case("a"), case("b", rewritings=("x", "y"), constant=True), case("c", Status.STAYS))


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([], ""),
        (["elsewhere"], "not tried"),
        (["a", "c"], "1 of 2 agree: constants folded"),
        (["a", "b", "d"], "2 of 2 agree (1 constant); 1 not tried: constants folded, x, y"),
    ],
)
def test_what_becomes_of_failing_cases_is_told_with_what_removes_the_cause(ids, text):
    assert removing_text(after(ids, KNOWN)) == text
    assert after_json(after(ids, KNOWN))["failing"] == len(ids)


def result(name, outcome=Outcome.FAILED):
    return CaseResult(case_id=name, corpus="zoo", stage=Stage.CONVERT, outcome=outcome)


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (None, ""),
        (result("a", Outcome.PASSED), ""),
        (result("elsewhere"), "not tried"),
        (result("a"), "agrees after prepare: 1 rewriting"),
        (result("b"), "agrees after prepare: 2 rewritings, computes nothing any more"),
        (result("c"), "does not agree after prepare"),
    ],
)
def test_a_failing_model_has_a_second_status(of, text):
    assert second_status(of, KNOWN) == text


def model(name, *options, agrees=True, **given):
    told = {"rewritings": ("a", "b"), "proofs": {"bit-equal": 2}, "distance": 1e-5, "in_the_way": "", **given}
    return PreparedModel(model=name, options=options, agrees=agrees, tried=3, seconds=4.4, **told)


def test_models_have_a_table_with_their_options():
    stays = model("c", agrees=False, distance=None, in_the_way="convert: a | b", rewritings=(), proofs={})
    lifted = Lifted(versions={"burn": "0.22.1"}, seconds=1.0, cases=())
    text = lifted_page(lifted, [model("a"), model("b", "--pin", "n=1"), stays])
    assert "Of 3 models of the zoo that Burn refuses, 2 agree after it:" in text
    assert "1 with no option, 1 with `--pin`." in text
    assert "`--pin n=1`" in text
    assert r"no: convert: a \| b" in text
    assert "## Models" not in lifted_page(lifted)


def test_files_that_the_tool_makes_and_models_that_need_nothing_stand_apart():
    made = model("q", how="`m` quantised", nodes=1200, explained=0.9, processor=0.8, forecast="refused", load=2.6)
    fine = model("f", as_is=True, rewritings=(), proofs={})
    text = lifted_page(Lifted(versions={}, seconds=1.0, cases=()), [made, fine])
    assert "that Burn refuses" not in text
    assert "- `q`: `m` quantised." in text
    sections = text.split("\n### ")[1:]
    assert [one.partition("\n")[0] for one in sections] == [
        "Files that the tool makes",
        "Models that agree as they are",
        "What `explain` says before, and how long it takes",
    ]
    last = [cell.strip() for cell in sections[2].splitlines()[-1].split("|")[1:-1]]
    assert last == ["q", "1,200", "refused", "0.9", "0.8", "3"]
