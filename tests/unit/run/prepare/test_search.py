"""The search for the smallest set of rewritings, with a function in the place of Burn."""

import pytest

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.prepare.catalogue import UNSIMPLIFIED, VALUES
from burn_verify.prepare.recipe import Rewritten, Step
from burn_verify.prepare.rewriting import Promise, Rewriting
from burn_verify.run.prepare.search import Attempt, searched, strategy

A, B, C = (Rewriting(name=name, reason="", promise=Promise.SAME, function=lambda m, t: None) for name in "abc")


def result(outcome, stage=Stage.COMPARE):
    return CaseResult(case_id="x", corpus="file", stage=stage, outcome=outcome)


class Burn:
    """Agrees with models to which certain sets were applied; notes what it was asked."""

    def __init__(self, agrees, idle=()):
        self.agrees = agrees
        self.idle = idle
        self.batches = []

    def __call__(self, asked):
        self.batches.append(len(asked))
        return [self.attempt(recipe) for _, recipe in asked]

    def attempt(self, recipe):
        steps = tuple(
            Step(rewriting=one, before=b"", after=b"1") for one in recipe if not one.options and one not in self.idle
        )
        options = {name: on for one in recipe for name, on in one.options.items()}
        made = Rewritten(model=b"", steps=steps, options=options)
        if not steps and not options:
            return Attempt(recipe=recipe, rewritten=made, result=None)
        passes = self.agrees({one.name for one in recipe} - {one.name for one in self.idle})
        stage = Stage.COMPARE if passes else list(Stage)[1 + len(steps) % 2]
        return Attempt(
            recipe=recipe, rewritten=made, result=result(Outcome.PASSED if passes else Outcome.FAILED, stage)
        )


def found(burn, *rewritings):
    return searched({"m": strategy(rewritings)}, burn)["m"]


def names(attempt):
    return [one.name for one in attempt.effective]


@pytest.mark.parametrize("needed", ["a", "b", "ab", "bc", "abc"])
def test_the_smallest_set_is_found(needed):
    burn = Burn(lambda applied: set(needed) <= applied)
    assert names(found(burn, A, B, C)) == list(needed)


def test_one_that_does_harm_is_left_out():
    burn = Burn(lambda applied: {"a", "b"} <= applied and "c" not in applied)
    assert names(found(burn, A, B, C)) == ["a", "b"]


def test_a_risky_one_is_left_out_at_once():
    burn = Burn(lambda applied: {"a", "b"} <= applied and VALUES.name not in applied)
    assert names(found(burn, A, B, VALUES)) == ["a", "b"]
    # Each alone, the two others together, each of these alone again: no set with it has to be compiled.
    assert len(burn.batches) == 3


def test_what_one_alone_does_is_not_tried_together():
    burn = Burn(lambda applied: "b" in applied)
    assert names(found(burn, A, B, C)) == ["b"]
    assert burn.batches == [3]


def test_what_can_be_left_out_is_left_out_at_once():
    idle = [Rewriting(name=name, reason="", promise=Promise.SAME, function=A.function) for name in "defgh"]
    burn = Burn(lambda applied: {"a", "b"} <= applied)
    assert names(found(burn, A, B, *idle)) == ["a", "b"]
    # Each alone; all together; each left out, and all of them; the others left out, one by one and together.
    assert burn.batches == [7, 1, 8, 5]


def test_an_option_costs_nothing_but_counts():
    assert names(found(Burn(lambda applied: UNSIMPLIFIED.name in applied), A, UNSIMPLIFIED)) == [UNSIMPLIFIED.name]
    both = Burn(lambda applied: {"a", "b", UNSIMPLIFIED.name} <= applied)
    assert names(found(both, A, B, UNSIMPLIFIED)) == ["a", "b", UNSIMPLIFIED.name]


def test_what_changes_nothing_is_no_part_of_a_set():
    assert names(found(Burn(lambda applied: {"a", "b"} <= applied, idle=(C,)), A, B, C)) == ["a", "b"]


@pytest.mark.parametrize("needed", ["a", "b", "ab", "abc", UNSIMPLIFIED.name])
def test_a_thrifty_search_finds_the_same(needed):
    wanted = {needed} if needed == UNSIMPLIFIED.name else set(needed)
    burn = Burn(lambda applied: wanted <= applied)
    found = searched({"m": strategy([A, B, C, UNSIMPLIFIED], thrifty=True)}, burn)["m"]
    assert set(names(found)) == wanted
    assert burn.batches[0] <= 2


def test_where_nothing_agrees_the_furthest_is_told():
    attempt = found(Burn(lambda applied: False), A, B)
    assert not attempt.agrees
    assert attempt.result.stage is Stage.COMPILE


def test_where_nothing_applies_there_is_nothing():
    assert found(Burn(lambda applied: True, idle=(A,)), A) is None
    assert found(Burn(lambda applied: True)) is None


def test_the_sets_of_many_models_are_one_batch():
    burn = Burn(lambda applied: "a" in applied)
    made = searched({name: strategy([A, B]) for name in "xyz"}, burn)
    assert {name: names(one) for name, one in made.items()} == {name: ["a"] for name in "xyz"}
    assert len(burn.batches) == 1
