"""The inputs and attributes of a version of an operator."""

import pytest

from burn_verify.graph.signature import signature_of


def test_inputs_hold_data_or_settings():
    assert signature_of("ReduceSum", "", 13).inputs == {"data": True, "axes": False}
    assert signature_of("ReduceSum", "", 11).inputs == {"data": True}
    assert signature_of("Add", "", 14).inputs == {"a": True, "b": True}


def test_an_operator_that_is_not_known_has_none():
    assert signature_of("Nothing", "", 1) is None
    assert signature_of("Add", "some.where", 14) is None


@pytest.mark.parametrize(
    ("operator", "version", "attribute", "text", "default"),
    [
        ("LeakyRelu", 16, "alpha", "0.01", True),
        ("LeakyRelu", 16, "alpha", "0.02", False),
        ("LeakyRelu", 16, "alpha", "given", False),
        ("ReduceSum", 13, "keepdims", "1", True),
        ("ReduceSum", 13, "keepdims", "0", False),
        ("Conv", 11, "auto_pad", "NOTSET", True),
        ("Conv", 11, "auto_pad", "VALID", False),
        ("Conv", 11, "strides", "1x1", False),
        ("LSTM", 14, "direction", "forward", True),
        ("Concat", 13, "axis", "0", False),
    ],
)
def test_a_default_is_recognised_by_its_text(operator, version, attribute, text, default):
    assert signature_of(operator, "", version).attributes[attribute].is_default(text) is default


def test_an_attribute_without_default_may_have_to_be_given():
    assert signature_of("Concat", "", 13).attributes["axis"].required
    assert not signature_of("ReduceSum", "", 13).attributes["keepdims"].required
