"""One step of quantisation is legal where the quotient is near a half, and nowhere else."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import helper
from onnx.reference import ReferenceEvaluator

from burn_verify.judge.discrete import rule_for
from burn_verify.judge.facts import NodeFacts
from burn_verify.judge.quotient import quotient_of
from burn_verify.reference import stepwise

quick = settings(deadline=None, database=None)


def node(op_type, inputs, **attributes):
    return NodeFacts(
        op_type=op_type,
        since_version=21,
        attributes=attributes,
        input_shapes=tuple(None if value is None else value.shape for value in inputs),
        output_shapes=((),),
        input_dtypes=tuple(None if value is None else value.dtype.name for value in inputs),
    )


def model(op_type, inputs, **attributes):
    names = [f"i{place}" for place in range(len(inputs))]
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in zip(names, inputs, strict=True)
    ]
    made = helper.make_node(op_type, names, ["y"], **attributes)
    graph = helper.make_graph([made], "g", values, [onnx.ValueInfoProto(name="y")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def reference(op_type, inputs, **attributes):
    """Return what onnx's own evaluator says."""
    made = model(op_type, inputs, **attributes)
    return ReferenceEvaluator(made).run(None, dict(zip([f"i{k}" for k in range(len(inputs))], inputs, strict=True)))[0]


X = np.random.default_rng(0).normal(size=(2, 6, 5)).astype(np.float32) * 20


@pytest.mark.parametrize(
    ("scale", "zero_point", "attributes"),
    [
        (np.float32(0.3), np.uint8(7), {}),
        (np.linspace(0.1, 0.6, 6, dtype="f4"), np.arange(6, dtype="u1"), {"axis": 1}),
        (np.linspace(0.1, 0.5, 5, dtype="f4"), np.arange(5, dtype="u1"), {"axis": -1}),
        (
            np.full((2, 3, 5), 0.2, "f4") * np.arange(1, 4, dtype="f4")[:, None],
            np.ones((2, 3, 5), "u1"),
            {"axis": 1, "block_size": 2},
        ),
    ],
)
def test_what_is_rounded_is_what_the_standard_rounds(scale, zero_point, attributes):
    inputs = [X, np.asarray(scale), np.asarray(zero_point)]
    found = quotient_of(node("QuantizeLinear", inputs, **attributes), inputs)
    rounded = np.rint(found.target).clip(0, 255)
    np.testing.assert_array_equal(rounded, reference("QuantizeLinear", inputs, **attributes))


def test_products_of_quantised_matrices():
    generator = np.random.default_rng(1)
    a, b = (generator.integers(0, 255, shape).astype(np.uint8) for shape in ((3, 4), (4, 5)))
    inputs = [a, np.float32(0.01), np.uint8(3), b, np.float32(0.02), np.uint8(9), np.float32(0.5), np.uint8(100)]
    inputs = [np.asarray(value) for value in inputs]
    found = quotient_of(node("QLinearMatMul", inputs), inputs)
    np.testing.assert_array_equal(np.rint(found.target).clip(0, 255), reference("QLinearMatMul", inputs))


def test_quantised_convolutions():
    generator = np.random.default_rng(2)
    x = generator.integers(0, 255, (1, 4, 6, 6)).astype(np.uint8)
    w = generator.integers(0, 255, (6, 2, 3, 3)).astype(np.uint8)
    bias = generator.integers(-900, 900, 6).astype(np.int32)
    scales = np.linspace(0.01, 0.02, 6, dtype="f4")
    parts = [x, np.float32(0.02), np.uint8(120), w, scales, np.full(6, 90, "u1"), np.float32(0.6), np.uint8(90), bias]
    inputs = [np.asarray(value) for value in parts]
    how = {"group": 2, "pads": [1, 0, 0, 1], "strides": [2, 1]}
    made = model("QLinearConv", inputs, **how)
    contract = lambda images, weights: stepwise.convolved(made, images, weights)  # noqa: E731
    found = quotient_of(node("QLinearConv", inputs, **how), inputs, contract)
    np.testing.assert_array_equal(np.rint(found.target).clip(0, 255), reference("QLinearConv", inputs, **how))
    assert quotient_of(node("QLinearConv", inputs, **how), inputs) is None


@quick
@given(hnp.arrays(np.float32, 9, elements=st.floats(-40, 40, width=32)), st.floats(0.25, 2, width=32))
def test_a_step_is_legal_near_a_half_only(x, scale):
    inputs = [x, np.asarray(scale, np.float32), np.asarray(3, np.int8)]
    facts = node("QuantizeLinear", inputs)
    quotient = quotient_of(facts, inputs)
    rule = rule_for(facts, quotient)
    right = np.rint(quotient.target).clip(-128, 127)
    near = np.abs(quotient.target - np.floor(quotient.target) - 0.5) <= quotient.doubt
    for off in (-1, 1):
        came = (right + off).clip(-128, 127)
        middle = (came + right) / 2
        legal = (came == right) | (near & (np.abs(quotient.target - middle) < 0.25))
        said = rule(facts, inputs, [came.astype(np.int8)], [right.astype(np.int8)])
        assert (said is None) == bool(legal.all())
        assert said is None or "before it is rounded it is" in str(said)


def test_a_tie_may_go_either_way():
    x = np.array([0.5, 1.5, 2.4], np.float32)
    inputs = [x, np.asarray(1, np.float32), np.asarray(0, np.int8)]
    facts = node("QuantizeLinear", inputs)
    rule = rule_for(facts, quotient_of(facts, inputs))
    wanted = np.array([0, 2, 2], np.int8)
    assert rule(facts, inputs, [np.array([1, 2, 2], np.int8)], [wanted]) is None
    assert rule(facts, inputs, [np.array([1, 1, 2], np.int8)], [wanted]) is None
    said = str(rule(facts, inputs, [np.array([0, 2, 3], np.int8)], [wanted]))
    assert said == "1/3 elements differ by a step, before it is rounded it is 2.4000001, 2 at [2] expected, 3 came"


def test_without_the_quotient_one_step_is_legal_everywhere():
    facts = node("QuantizeLinear", [np.zeros(2, "f4")])
    rule = rule_for(facts, None)
    assert rule(facts, [], [np.array([1, 2], "i1")], [np.array([2, 2], "i1")]) is None
    assert rule(facts, [], [np.array([0, 2], "i1")], [np.array([2, 2], "i1")]) is not None
