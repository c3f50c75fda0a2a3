"""Graphs of one operator: the kinds of operands, names of dimensions, labels of axes."""

import numpy as np
from hypothesis import strategies as st

from burn_verify.cases.generated.build import Space, fits, label, model_of, value_of
from burn_verify.cases.generated.operator_spec import OMIT
from burn_verify.cases.generated.registry import (
    operator_specs,
)


def test_the_same_declarations_give_the_same_bytes():
    def once():
        space = Space(operator_specs()["Conv"], 22)
        choice = space.choice(space.default)
        return choice.id, model_of(choice).SerializeToString(), value_of(choice, "X").tobytes()

    assert once() == once()


def test_twins_that_differ_in_how_an_operand_arrives_hold_the_same_value():
    space = Space(operator_specs()["Add"], 14)
    plain, constant = (space.choice({**space.default, "B": kind}) for kind in ("run", "init"))
    assert plain.kinds["B"] == "run"
    assert constant.kinds["B"] == "init"
    np.testing.assert_array_equal(value_of(plain, "B"), value_of(constant, "B"))


def test_an_operand_comes_from_shape_only_where_a_shape_can_say_it():
    space = Space(operator_specs()["Reshape"], 14)
    for row in ({"target": (-1,)}, {"target": (4, 6)}):
        choice = space.choice({**space.default, **row, "shape_as": "shape"})
        assert choice.kinds["shape"] == ("shape" if row["target"] == (4, 6) else "init")
        operand = choice.call.inputs["shape"]
        assert fits(operand, "shape") is (row["target"] == (4, 6))


def test_labels_are_told_apart():
    values = [True, 1, 1.5, (), (1, 2), ((1, 2), ()), OMIT, "SAME_UPPER", (0, -1), 2**63 - 1]
    assert len({label("axes", value) for value in values}) == len(values)


axes = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(1, 4).map(lambda size: tuple(range(size))), min_size=1, max_size=5
)
