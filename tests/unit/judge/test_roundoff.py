"""Properties of dtypes and of nodes from which bounds are computed."""

import numpy as np
import pytest

from burn_verify.judge import roundoff
from nodes import node_facts


@pytest.mark.parametrize(
    ("dtype", "bits"), [("float32", 24), ("float16", 11), ("bfloat16", 8), ("float64", 53)], ids=str
)
def test_the_unit_roundoff_is_that_of_ieee_754(dtype, bits):
    assert roundoff.unit_roundoff(dtype) == 2.0**-bits


def test_an_integer_does_not_round():
    with pytest.raises(ValueError, match="int8 does not round"):
        roundoff.unit_roundoff("int8")


def test_the_ends_of_float16():
    assert roundoff.largest("float16") == 65504
    assert roundoff.smallest_normal("float16") == 2.0**-14
    assert roundoff.smallest_subnormal("float16") == 2.0**-24


def test_the_lowest_precision_leaves_out_what_does_not_round():
    assert roundoff.lowest_precision("float32", None, "float16", "int64") == "float16"
    assert roundoff.lowest_precision("int64", None) is None


@pytest.mark.parametrize(
    ("value", "dtype", "doubt"), [(0.5, "float64", 0.0), (0.5, "float16", 1.0), (0.0, "float16", 0)]
)
def test_an_attribute_that_float32_holds_exactly_is_in_doubt_in_half_precision_only(value, dtype, doubt):
    assert roundoff.attribute(node_facts("LeakyRelu", (2,), dtype=dtype, alpha=value), "alpha", 0.01) == doubt


def test_a_decimal_that_float32_does_not_hold_is_in_doubt():
    doubt = roundoff.attribute(node_facts("LeakyRelu", (2,), dtype="float64", alpha=0.1), "alpha", 0.01)

    assert 0 < doubt < 2.0**29


def test_shapes_and_values_of_inputs():
    facts = node_facts("Clip", (2, 3), None, (), values={2: np.array([[7]])})

    assert roundoff.shape_of(facts, 1) is None
    assert roundoff.shape_of(facts, 9) is None
    assert (roundoff.size_of(facts, 0), roundoff.size_of(facts, 1)) == (6, 0)
    assert (roundoff.value_of(facts, 2), roundoff.value_of(facts, 0)) == (7, None)
    assert (roundoff.axis_length(facts, -1), roundoff.axis_length(facts, 2)) == (3, 1)


@pytest.mark.parametrize(
    ("since_version", "inputs", "values", "attributes", "drops"),
    [
        (13, ((2,),), {}, {}, False),
        (13, ((2,), None, ()), {2: np.array(True)}, {}, True),
        (13, ((2,), None, ()), {2: np.array(False)}, {}, False),
        (13, ((2,), None, ()), {}, {}, True),
        (7, ((2,),), {}, {}, False),
        (6, ((2,),), {}, {}, True),
        (6, ((2,),), {}, {"is_test": 1}, False),
    ],
)
def test_when_a_dropout_drops_elements(since_version, inputs, values, attributes, drops):
    facts = node_facts("Dropout", *inputs, since_version=since_version, values=values, **attributes)

    assert roundoff.trains(facts) is drops
