"""The same graph at other sizes."""

import pytest

from burn_verify.cases.generated.build import Space, model_of
from burn_verify.cases.generated.operator_spec import DIMS
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.generated.resized import others, resized, sizes_of


def choice(op_type, version, **axes):
    space = Space(operator_specs()[op_type], version)
    found = space.choice({**space.default, **axes})
    assert found is not None
    return found


def test_sizes_have_names_where_they_are_symbolic():
    assert sizes_of(choice("Add", 14)) == {}
    assert sizes_of(choice("Relu", 14, **{DIMS: "symbolic"})) == {"d1": 3, "d2": 2}


def test_another_size_is_the_same_model():
    one = choice("Relu", 14, **{DIMS: "symbolic"})
    other = resized(one, {"d1": 5, "d2": 2})
    assert other is not None
    assert other.call.inputs["X"].shape == (2, 5)
    assert model_of(other) == model_of(one)


def test_a_size_that_is_part_of_the_model_has_no_other():
    one = choice("MatMul", 13, **{DIMS: "symbolic", "B": "init"})
    assert all(model_of(other) == model_of(one) for other in others(one))


@pytest.mark.parametrize("name", ["Relu", "Softmax", "Abs"])
def test_the_first_of_the_others_is_larger_in_every_size(name):
    space = Space(operator_specs()[name], 13 if name != "Relu" else 14)
    one = space.choice({**space.default, DIMS: "symbolic"})
    known = sizes_of(one)
    first = next(others(one))
    assert known
    assert sizes_of(first) == {size: value + 1 for size, value in known.items()}
