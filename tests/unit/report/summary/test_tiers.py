"""Which cases are of ordinary use, and how many operators they verify."""

import pytest

from burn_verify.core.case import Subject
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.operators import all_operators
from burn_verify.report.summary.ends import End
from burn_verify.report.summary.status import Status
from burn_verify.report.summary.tiers import (
    Tier,
    TierCounts,
    is_ordinary,
    tally,
    tier_counts,
    tier_of,
    tiers_json,
    tiers_sentence,
)
from reported import a_result


def a_subject(op_type="Add", version=14, dtype="float32", domain="", **axes):
    return Subject(op_type=op_type, domain=domain, since_version=version, dtype=dtype, axes=tuple(axes.items()))


ADD = {"shape": "2x3~2x3", "A": "run", "B": "run", "dims": "static"}
SUM = {"shape": "2x3", "axes": "0", "keepdims": "omit", "data": "run", "axes_as": "init", "dims": "symbolic"}


@pytest.mark.parametrize(
    ("ordinary", "subject"),
    [
        (True, a_subject(**ADD)),
        (True, a_subject(dtype="float16", **ADD)),
        (True, a_subject(dtype="int64", **ADD)),
        (False, a_subject(dtype="bfloat16", **ADD)),
        (False, a_subject(dtype="float64", **ADD)),
        (True, a_subject(version=7, **ADD)),
        (False, a_subject(version=6, **ADD)),
        (False, a_subject()),
        (False, a_subject("Nothing", **ADD)),
        (False, a_subject(domain="some.where", **ADD)),
        (False, a_subject(**ADD | {"shape": "rank0~2x3"})),
        (False, a_subject(**ADD | {"shape": "2x3~0x3"})),
        (True, a_subject(**ADD | {"shape": "10x3~1"})),
        (False, a_subject(**ADD | {"B": "init"})),
        (False, a_subject(**ADD | {"B": "const"})),
        (False, a_subject(dtype="int64", **ADD | {"B": "shape"})),
        (False, a_subject(dtype="int64", **ADD | {"B": "gathered"})),
        (True, a_subject("ReduceSum", 13, **SUM)),
        (True, a_subject("ReduceSum", 13, **SUM | {"keepdims": "1"})),
        (False, a_subject("ReduceSum", 13, **SUM | {"keepdims": "0"})),
        (True, a_subject("ReduceSum", 13, **SUM | {"axes_as": "const"})),
        (False, a_subject("ReduceSum", 13, **SUM | {"axes_as": "shape"})),
        (False, a_subject("ReduceSum", 13, **SUM | {"data": "init"})),
        # Before version 13 the axes were an attribute, and none is the default.
        (False, a_subject("ReduceSum", 11, **SUM)),
        (True, a_subject("Clip", 13, shape="2x3", min="0.0", input="run", min_as="init")),
        (False, a_subject("Concat", 13, axis="1", inputs_0="run", inputs_1="init")),
        (True, a_subject("Concat", 13, axis="1", inputs_0="run", inputs_1="run")),
        (True, a_subject("And", 7, "bool", A="run", B="run")),
        (False, a_subject("ReduceMax", 20, "bool", data="run")),
    ],
)
def test_a_case_is_of_ordinary_use_by_its_fields(ordinary, subject):
    assert is_ordinary(subject) is ordinary


def test_every_operator_may_be_asked():
    for operator in all_operators():
        for version in operator.versions:
            is_ordinary(a_subject(operator.op_type, version, "float32", operator.domain, X="run"))


def test_a_graph_of_several_operators_is_of_no_tier():
    assert tier_of(a_result("zoo/x")) is None
    assert tier_of(a_result("op/x", subject=a_subject(**ADD))) is Tier.ORDINARY
    assert tier_of(a_result("op/x", subject=a_subject())) is Tier.FULL


def test_operators_are_counted_in_each_tier():
    usual, odd = a_subject(**ADD), a_subject(**ADD | {"shape": "rank0~2x3"})
    cases = [
        a_result("op/1", subject=usual),
        a_result("op/2", Stage.COMPILE, Outcome.FAILED, subject=odd),
        a_result("op/3", subject=a_subject("Sub", **ADD)),
        a_result("op/4", Stage.CONVERT, Outcome.FAILED, subject=a_subject("Mul", **ADD)),
        a_result("node/5", subject=a_subject("Div")),
        a_result("zoo/6"),
    ]
    counts = tier_counts(cases)
    assert counts == TierCounts(operators=4, with_ordinary=3, ordinary=2, full=2)
    assert tiers_sentence(counts) == "Verified for ordinary use: 2 of 3 operators; 2 of 4 operators entirely."
    assert tiers_json(counts) == {
        "ordinary": {"verified": 2, "operators": 3},
        "full": {"verified": 2, "operators": 4},
    }


def test_what_is_not_known_is_said():
    assert tiers_sentence(tier_counts([])) == ""
    said = tiers_sentence(tier_counts([a_result("node/5", subject=a_subject("Div"))]))
    assert said == "Verified 1 of 1 operator entirely; ordinary use is not known: it needs generated graphs."


def test_one_case_that_does_not_agree_is_enough():
    assert tally([End.AGREES, End.INSENSITIVE]).status is Status.PARTLY
    assert tally([]).status is Status.UNTESTED
    assert tally([End.AGREES]).agree == 1
