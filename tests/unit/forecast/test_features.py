"""What the forecast weighs of a cell."""

from burn_verify.forecast.cells import cells
from burn_verify.forecast.features import ANY, features, kind_of, role
from evidences import gather, relu


def of(made):
    return dict(features(cells(made)[0].cell))


def test_a_facet_counts_for_its_operator_and_for_any():
    found = of(relu())

    assert found["Relu", "X dtype", "float32"] == (ANY, "new  dtype float32", "")
    assert found[ANY, " dtype", "float32"] is None


def test_an_operand_counts_as_a_whole():
    assert ("Gather", "indices: all", "fixed int64 ") in of(gather())
    assert ("Gather", "operands", "run fixed") in of(gather())


def test_a_new_number_is_told_from_a_new_word():
    assert of(gather())["Gather", "axis", "0"] == (ANY, "new number", "")


def test_roles_and_kinds():
    assert (role("X dtype"), role("axis")) == (" dtype", "axis")
    assert (kind_of("folded"), kind_of("computed"), kind_of("shape")) == ("fixed", "run", "shape")
