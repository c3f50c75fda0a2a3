"""What rewriting may do about a model, in words and as JSON."""

import json
from dataclasses import replace

import pytest

from burn_verify.forecast.cells import cells
from burn_verify.forecast.model import forecast
from burn_verify.forecast.remedies import remedies
from burn_verify.forecast.tried import Tried
from burn_verify.forecast.typed import typed
from burn_verify.report.views.remedies import NOT_TRIED, as_json, of_case, sentences_of, summary_of
from evidences import gather, usual

HELPS = Tried(agrees=True, rewritings=("axis moved", "names"))
STAYS = Tried(agrees=False, in_the_way="convert: no\nGather")


def of(tried=None, fitting=()):
    found = forecast(cells(typed(gather(axis=1))), usual())
    return remedies(found, usual(), {} if tried is None else {"op/gather-1": tried}, {"Gather": tuple(fitting)})


def test_the_case_itself_was_tried():
    assert of_case(HELPS) == "`burn-verify prepare` makes this agree: 2 rewritings (axis moved, names)"
    assert of_case(STAYS).endswith("it does not agree after it either: convert: no Gather")
    assert list(sentences_of(of(HELPS), STAYS)) == [of_case(STAYS)]


@pytest.mark.parametrize(
    ("tried", "fitting", "said"),
    [
        (HELPS, (), "rewriting Gather g: the nearest case that it was tried on, op/gather-1, agrees after it, by axis"),
        (STAYS, (), "op/gather-1, does not agree after it either: convert: no Gather"),
        (None, ("Gather put differently",), "it was tried on no case of the operator; there is Gather put differently"),
        (None, (), "nothing is there for the operator alone"),
    ],
)
def test_each_kind_of_node_has_a_sentence_and_the_whole_was_not_tried(tried, fitting, said):
    first, last = sentences_of(of(tried, fitting), None)
    assert said in first
    assert last == NOT_TRIED


def test_many_kinds_are_counted():
    (one,) = of(HELPS)
    found = list(sentences_of([one] * 9, None))
    assert len(found) == 8
    assert found[6] == "rewriting 3 more kinds of node: of 3 the nearest case agrees after it"


def test_a_hint_is_one_sentence():
    helps, stays = (of(tried)[0] for tried in (HELPS, STAYS))
    assert summary_of([stays]) == NOT_TRIED
    hint = summary_of([helps, stays])
    assert hint.startswith(NOT_TRIED)
    assert hint.endswith("it makes the nearest case agree of 1 of 2 failing kinds of node, by axis moved, names")


def test_json_holds_what_the_sentences_say():
    (one,) = of(STAYS, ["Gather put differently"])
    made = as_json([one, replace(one, tried=None, case_id="")], HELPS)
    assert json.loads(json.dumps(made)) == made
    assert made["model"] == {"agrees": True, "rewritings": ["axis moved", "names"]}
    known, unknown = made["kinds"]
    assert known["tried"] == {"agrees": False, "rewritings": [], "in_the_way": STAYS.in_the_way}
    assert (unknown["tried"], unknown["case"]) == (None, None)
    assert unknown["rewritings"] == ["Gather put differently"]
