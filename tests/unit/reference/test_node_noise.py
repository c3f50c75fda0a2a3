"""The noise of one node: the table's counts for what it knows, moved inputs for what it does not."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.reference.node_noise import Ran, deviations, facts_of, may_step, perturbation
from walking import U, rms

GENERATOR = np.random.default_rng(0)


def ran(op_type, inputs, outputs, *, dtype="float32", **attributes):
    node = helper.make_node(op_type, [f"i{place}" for place in range(len(inputs))], ["y"])
    dtypes = [dtype if value.dtype.kind == "f" else value.dtype.name for value in inputs]
    facts = facts_of(node, 13, attributes, inputs, dtypes, outputs, 16)
    return Ran(facts=facts, inputs=inputs, outputs=outputs, output_dtypes=[dtype] * len(outputs))


def normal(*shape):
    return GENERATOR.normal(size=shape).astype(np.float32)


def unasked(inputs, factors):
    raise AssertionError


def test_a_sum_grows_as_the_root_of_its_terms():
    found = {}
    for length in (100, 10_000):
        a, b = normal(3, length), normal(length, 5)
        (deviation,) = deviations(ran("MatMul", [a, b], [a @ b]), lambda inputs, _: [inputs[0] @ inputs[1]])
        found[length] = rms(deviation) / U
        assert rms((a @ b).astype(float) - a.astype(float) @ b.astype(float)) < rms(deviation)
    assert found[10_000] / found[100] == pytest.approx(100, rel=0.3)


def test_factors_are_squared_with_the_inputs():
    a, b, c = normal(2, 3), normal(3, 2), normal(2, 2)
    asked = []

    def again(inputs, factors):
        asked.append(dict(factors))
        return [inputs[0] @ inputs[1] + inputs[2]]

    deviations(ran("Gemm", [a, b, c], [a @ b + c], alpha=3.0, beta=-2.0), again)
    assert asked == [{"alpha": 9.0, "beta": 4.0}]


@pytest.mark.parametrize("op_type", ["Relu", "Transpose", "MaxPool", "Concat"])
def test_exact_operators_have_none(op_type):
    x = normal(1, 1, 4)
    assert deviations(ran(op_type, [x], [x]), unasked) == [None]
    assert perturbation(ran(op_type, [x], [x])) is None


def test_integers_have_none():
    x = np.arange(4)
    assert deviations(ran("Add", [x, x], [x + x], dtype="int64"), unasked) == [None]


def test_one_rounding_of_half_precision_is_all_a_function_makes():
    x = normal(500)
    for dtype, unit in (("float16", 2.0**-11), ("bfloat16", 2.0**-8)):
        (deviation,) = deviations(ran("Exp", [x], [np.exp(x)], dtype=dtype), unasked)
        np.testing.assert_allclose(deviation, unit / np.sqrt(3) * np.exp(x.astype(float)), rtol=1e-5)


def test_a_cast_rounds_to_what_is_narrower():
    x = normal(9)
    for given, own, rounds in (("float32", "float16", True), ("float16", "float32", False), ("int64", "float32", True)):
        facts = facts_of(helper.make_node("Cast", ["x"], ["y"]), 13, {}, [x], [given], [x], 16)
        (deviation,) = deviations(Ran(facts=facts, inputs=[x], outputs=[x], output_dtypes=[own]), unasked)
        assert (deviation is not None) == rounds


@pytest.mark.parametrize(("op_type", "attributes"), [("Det", {}), ("BatchNormalization", {"training_mode": 1})])
def test_what_has_no_count_has_its_inputs_moved(op_type, attributes):
    x = normal(3, 3)
    made = ran(op_type, [x], [x], **attributes)
    assert perturbation(made) == pytest.approx(2 * U * np.sqrt(3))
    np.testing.assert_allclose(deviations(made, unasked)[0], 4 * U * np.abs(x), rtol=1e-6)


def test_a_recurrence_has_its_inputs_moved_by_the_length_of_its_sums():
    x, w, r = normal(5, 2, 4), normal(1, 3, 4), normal(1, 3, 3)
    assert perturbation(ran("RNN", [x, w, r], [normal(5, 1, 2, 3)])) == pytest.approx(U * np.sqrt(2 * (4 + 3) + 36))


def test_quantised_outputs_may_step_near_a_half():
    scale = np.asarray(0.25, np.float32)
    for x, steps in ((0.375, True), (0.3, False)):
        made = ran("QuantizeLinear", [np.full(3, x, np.float32), scale], [np.zeros(3, np.uint8)])
        assert may_step(made) == steps
    assert may_step(ran("QLinearConv", [normal(1)] * 8, [np.zeros(1, np.uint8)]))
    assert not may_step(ran("Conv", [normal(1)] * 2, [normal(1)]))
