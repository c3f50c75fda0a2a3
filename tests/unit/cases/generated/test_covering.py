"""Pairwise covering arrays: every valid pair occurs, and a greedy choice holds every value."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases.generated.build import Space
from burn_verify.cases.generated.covering import covering, each_choice
from burn_verify.cases.generated.operator_spec import DTYPE
from burn_verify.cases.generated.profiles import choices
from burn_verify.cases.generated.registry import (
    operator_specs,
)

axes = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(1, 4).map(lambda size: tuple(range(size))), min_size=1, max_size=5
)


@given(axes)
def test_a_covering_array_covers_every_pair(found):
    rows = covering(found, dict, {})
    for left, right in itertools.combinations(found, 2):
        seen = {(row[left], row[right]) for row in rows}
        assert seen == set(itertools.product(found[left], found[right]))
    assert rows[0] == {axis: values[0] for axis, values in found.items()}


@given(axes, st.integers(0, 5))
def test_a_covering_array_keeps_to_what_is_valid(found, limit):
    def settle(row):
        return row if sum(row.values()) <= limit else None

    rows = covering(found, settle, {})
    assert all(sum(row.values()) <= limit for row in rows)
    for (left, some), (right, others) in itertools.combinations(found.items(), 2):
        possible = {pair for pair in itertools.product(some, others) if sum(pair) <= limit}
        assert {(row[left], row[right]) for row in rows} == possible


@given(axes)
def test_each_choice_has_every_value(found):
    rows = covering(found, dict, {})
    chosen = each_choice(rows)
    assert {item for row in chosen for item in row.items()} == {item for row in rows for item in row.items()}
    assert all(row in rows for row in chosen)
    assert len(chosen) <= len(rows)


def test_pairs_are_covered_by_a_real_record():
    space = Space(operator_specs()["Relu"], 14)
    found = [choice for choice, _ in choices(space.spec, (14,))]
    assert {(choice.point.dtype, choice.row["X"]) for choice in found} >= {
        (dtype, kind) for dtype in space.axes[DTYPE] for kind in ("run", "init", "const")
    }
