"""The table of bounds: a row for each operator, with a formula, a source and a kind that fits."""

import pytest

from burn_verify.judge.bound_table import RULES
from burn_verify.judge.facts import RuleKind


def test_a_row_is_found_by_the_operator_it_is_about():
    assert all(key == (rule.domain, rule.op_type) for key, rule in RULES.items())


@pytest.mark.parametrize("kind", RuleKind)
def test_every_kind_has_rows(kind):
    assert any(rule.kind is kind for rule in RULES.values())


def test_operators_without_a_bound_have_a_reason_and_no_count():
    unknown = [rule for rule in RULES.values() if rule.kind is RuleKind.UNKNOWN]

    assert all(rule.count is None and rule.formula for rule in unknown)
    assert all(rule.count is not None for rule in RULES.values() if rule.kind is RuleKind.ROUNDS)


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError, match="does not support item assignment"):
        RULES["", "Add"] = RULES["", "Mul"]


@pytest.mark.parametrize(
    ("op_type", "kind"),
    [("Transpose", RuleKind.MOVES), ("Equal", RuleKind.EXACT), ("MatMul", RuleKind.ROUNDS), ("LSTM", RuleKind.ROUNDS)],
)
def test_well_known_operators_have_their_kind(op_type, kind):
    assert RULES["", op_type].kind is kind
