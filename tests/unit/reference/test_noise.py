"""A graph walked with noise: as far off as its roundings would be, through branches and loops, and never by chance."""

import itertools

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.graph import facts
from burn_verify.reference.noise import noise_of

U = 2.0**-24
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(4, 30)).astype(np.float32)
WEIGHTS = GENERATOR.normal(size=(30, 20)).astype(np.float32)


def load(content, large):
    """Make a model ready to run, by onnx's own evaluator."""
    model = onnx.load_from_string(content)
    evaluator = ReferenceEvaluator(model)
    names = [value.name for value in facts.runtime_inputs(model.graph)]
    return lambda inputs: list(evaluator.run(None, dict(zip(names, inputs, strict=True))))


def model(*nodes, outputs=("y",), dtype=TensorProto.FLOAT, functions=(), shape=X.shape, **constants):
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info(name, dtype, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=list(functions))


def sigma_of(made, x=X, seconds=60.0):
    found = noise_of(made, [x], load, seconds)
    assert not found.why
    return found.sigma[0]


def rms(array):
    return float(np.sqrt(np.mean(np.square(array))))


node = helper.make_node
CHAIN = [node("MatMul", ["x", "w"], ["a"]), node("Tanh", ["a"], ["b"]), node("MatMul", ["b", "v"], ["y"])]
VALUES = {"w": WEIGHTS, "v": WEIGHTS.T.copy()}


def test_noise_is_what_roundings_of_float32_amount_to():
    """Worse than what a float32 kernel does, by a factor that the table's counts explain."""
    sigma = sigma_of(model(*CHAIN, **VALUES))
    exact = np.tanh(X.astype(np.float64) @ WEIGHTS) @ WEIGHTS.T
    came = np.tanh(X @ WEIGHTS) @ WEIGHTS.T
    assert sigma.shape == came.shape
    assert rms(came - exact) < rms(sigma) < 1e-4 * rms(exact)


def test_the_same_every_time():
    made = model(*CHAIN, **VALUES)
    np.testing.assert_array_equal(sigma_of(made), sigma_of(made))


def test_noise_does_not_depend_on_the_scale():
    sigma, larger = (sigma_of(model(node("MatMul", ["x", "w"], ["y"]), w=WEIGHTS), x) for x in (X, X * 2.0**20))
    np.testing.assert_allclose(larger, sigma * 2.0**20, rtol=0.2)


def test_an_operator_that_cancels_amplifies_what_came_before():
    tail = [node("Add", ["y0", "large"], ["b"]), node("Sub", ["b", "large"], ["y"])]
    first = node("MatMul", ["x", "w"], ["y0"])
    plain = sigma_of(model(first, node("Identity", ["y0"], ["y"]), w=WEIGHTS))
    cancelled = sigma_of(model(first, *tail, w=WEIGHTS, large=np.float32([1e4])))
    assert 0.2 * U * 1e4 < rms(cancelled) < 10 * U * 1e4
    assert rms(cancelled) > 20 * rms(plain)


@pytest.mark.parametrize("moved", ["Transpose", "Relu", "Neg"])
def test_what_rounds_nothing_adds_nothing(moved):
    assert not sigma_of(model(node(moved, ["x"], ["y"]))).any()


def test_what_is_not_fed_is_exact():
    parts = [node("Exp", ["c"], ["e"]), node("Add", ["x", "e"], ["y"])]
    sigma = sigma_of(model(*parts, c=np.float32([9.0])))
    assert rms(sigma) < 5 * U * np.exp(9.0)
    alone = noise_of(model(node("Exp", ["c"], ["y"]), c=np.full(50, 2.0, "f4")), [X], load, 60)
    assert 3 * U < rms(alone.sigma[0]) / np.exp(2.0) < 30 * U


def test_shapes_are_exact():
    parts = [
        node("Shape", ["x"], ["s"]),
        node("Cast", ["s"], ["f"], to=TensorProto.FLOAT),
        node("Exp", ["f"], ["e"]),
        node("Log", ["e"], ["l"]),
        node("Round", ["l"], ["r"]),
        node("Cast", ["r"], ["i"], to=TensorProto.INT64),
        node("Reshape", ["x", "i"], ["y"]),
    ]
    assert not sigma_of(model(*parts)).any()


# Discrete values, and numbers that are lost.


def test_a_flip_leaves_no_deviation():
    parts = [node("MatMul", ["x", "w"], ["a"]), node("Mul", ["a", "big"], ["b"]), node("Round", ["b"], ["y"])]
    found = noise_of(model(*parts, w=WEIGHTS, big=np.float32([1e7])), [X], load, 60)
    assert not found.sigma
    assert found.why == "a discrete value changes with the roundings"


def test_a_flip_spoils_only_what_depends_on_it():
    parts = [
        node("MatMul", ["x", "w"], ["z"]),
        node("Mul", ["z", "big"], ["b"]),
        node("Cast", ["b"], ["i"], to=TensorProto.INT64),
        node("Cast", ["i"], ["y"], to=TensorProto.FLOAT),
    ]
    found = noise_of(model(*parts, outputs=["y", "z"], w=WEIGHTS, big=np.float32([1e7])), [X], load, 60)
    assert list(found.sigma) == [1]


def test_less_noise_is_tried_where_a_value_flips():
    """At a distance of 150 roundings noise of 256 flips, and noise of 8 does not."""
    x = np.full(X.shape, 0.5 + 150 * U, np.float32)
    parts = [node("Sqrt", ["x"], ["a"]), node("Mul", ["a", "a"], ["b"]), node("Round", ["b"], ["y"])]
    found = noise_of(model(*parts), [x], load, 60)
    assert not found.sigma[0].any()


def test_quantisation_near_a_half_is_a_flip():
    parts = [node("QuantizeLinear", ["x", "scale"], ["q"]), node("DequantizeLinear", ["q", "scale"], ["y"])]
    made = model(*parts, scale=np.float32(0.25))
    assert noise_of(made, [np.full(X.shape, 0.375, np.float32)], load, 60).why
    assert not noise_of(made, [np.full(X.shape, 0.3, np.float32)], load, 60).why


# Control flow.


def graph(nodes, inputs, outputs):
    values = [helper.make_tensor_value_info(name, kind, None) for name, kind in inputs]
    return helper.make_graph(nodes, "inner", values, [onnx.ValueInfoProto(name=name) for name in outputs])


def plain_sum(times):
    names = ["x", *(f"v{place}" for place in range(1, times)), "y"]
    return [node("Exp", [a], [b]) for a, b in itertools.pairwise(names)]


SMALL_X = X / 40


def test_a_loop_is_as_noisy_as_its_turns():
    body = graph(
        [node("Exp", ["v"], ["w"]), node("Identity", ["c"], ["d"]), node("Identity", ["w"], ["s"])],
        [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("v", TensorProto.FLOAT)],
        ["d", "w", "s"],
    )
    looped = node("Loop", ["n", "", "x"], ["y", "z"], body=body)
    found = noise_of(model(looped, outputs=["y", "z"], n=np.asarray(2)), [SMALL_X], load, 60)
    assert rms(found.sigma[0]) == pytest.approx(rms(sigma_of(model(*plain_sum(2)), SMALL_X)), rel=0.3)
    assert found.sigma[1].shape == (2, *X.shape)
    np.testing.assert_array_equal(found.sigma[1][1], found.sigma[0])


def test_a_loop_ends_when_its_body_says_so():
    body = graph(
        [node("Exp", ["v"], ["w"]), node("Less", ["i", "one"], ["d"])],
        [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("v", TensorProto.FLOAT)],
        ["d", "w"],
    )
    looped = node("Loop", ["n", "go", "x"], ["y"], body=body)
    sigma = sigma_of(model(looped, n=np.asarray(9), go=np.asarray(True), one=np.asarray(1)), SMALL_X)
    assert rms(sigma) == pytest.approx(rms(sigma_of(model(*plain_sum(2)), SMALL_X)), rel=0.3)


def test_a_scan_goes_along_its_axis():
    body = graph(
        [node("Add", ["v", "x_i"], ["w"]), node("Identity", ["w"], ["s"])],
        [("v", TensorProto.FLOAT), ("x_i", TensorProto.FLOAT)],
        ["w", "s"],
    )
    scanned = node("Scan", ["zero", "x"], ["y", "z"], body=body, num_scan_inputs=1, scan_input_axes=[1])
    made = model(scanned, outputs=["y", "z"], zero=np.zeros(4, "f4"))
    found = noise_of(made, [X], load, 60)
    assert found.sigma[0].shape == (4,)
    assert found.sigma[1].shape == (30, 4)
    np.testing.assert_array_equal(found.sigma[1][-1], found.sigma[0])
    assert 0 < rms(found.sigma[0]) < 60 * U * np.abs(X).sum(1).max()


@pytest.mark.parametrize(("chosen", "noisy"), [(True, True), (False, False)])
def test_the_branch_that_is_taken_is_walked(chosen, noisy):
    branches = {
        "then_branch": graph([node("MatMul", ["x", "w"], ["t"])], [], ["t"]),
        "else_branch": graph([node("Neg", ["x"], ["e"])], [], ["e"]),
    }
    made = model(node("If", ["go"], ["y"], **branches), go=np.asarray(chosen), w=WEIGHTS)
    assert sigma_of(made).any() == noisy


# Functions, and operators without a row.


def test_a_local_function_is_walked():
    own = helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["b"],
        [node("Exp", ["a"], ["m"]), node("Exp", ["m"], ["b"])],
        [helper.make_opsetid("", 21)],
    )
    called = helper.make_node("Twice", ["x"], ["y"], domain="own")
    one, other = model(called, functions=[own]), model(*plain_sum(2))
    np.testing.assert_allclose(sigma_of(one, SMALL_X), sigma_of(other, SMALL_X), rtol=1e-6)


def test_further_outputs_of_a_normalisation_are_walked():
    made = model(node("LayerNormalization", ["x", "s"], ["y", "m", "d"]), outputs=["y", "m", "d"], s=np.ones(30, "f4"))
    found = noise_of(made, [X], load, 60)
    assert set(found.sigma) == {0, 1, 2}
    assert all(0 < rms(sigma) < 1e-4 for sigma in found.sigma.values())


def test_an_omitted_output_leaves_the_others_in_place():
    made = model(
        node("LSTM", ["x", "w", "r"], ["", "", "y"], hidden_size=3),
        shape=(5, 2, 4),
        w=GENERATOR.normal(size=(1, 12, 4)).astype("f4"),
        r=GENERATOR.normal(size=(1, 12, 3)).astype("f4"),
    )
    sigma = sigma_of(made, GENERATOR.normal(size=(5, 2, 4)).astype("f4"))
    assert sigma.shape == (1, 2, 3)
    assert U < rms(sigma) < 1e-4


def test_a_determinant_has_the_noise_of_its_inputs():
    made = model(node("Det", ["x"], ["y"]), shape=(3, 3))
    x = GENERATOR.normal(size=(3, 3)).astype("f4")
    assert U * abs(np.linalg.det(x)) < sigma_of(made, x) < 1e-4


# Half precision.


@pytest.mark.parametrize(("dtype", "unit"), [("float16", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_half_precision_is_walked_in_float32_by_its_own_roundoff(dtype, unit):
    kind = getattr(TensorProto, dtype.upper())
    numpy_kind = helper.tensor_dtype_to_np_dtype(kind)
    x, w, v = (array.astype(numpy_kind) for array in (X, WEIGHTS, WEIGHTS.T))
    sigma = sigma_of(model(*CHAIN, dtype=kind, w=w, v=v), x)
    exact = np.tanh(x.astype(np.float64) @ w.astype(np.float64)) @ v.astype(np.float64)
    assert 0.5 * unit * rms(exact) < rms(sigma) < 10 * unit * rms(exact)


def test_float32_inside_of_half_precision_keeps_its_own_roundoff():
    parts = [node("Cast", ["x"], ["a"], to=TensorProto.FLOAT), node("Exp", ["a"], ["b"]), node("Log", ["b"], ["c"])]
    made = model(*parts, node("Neg", ["c"], ["y"]), dtype=TensorProto.FLOAT16)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    assert rms(sigma_of(made, X.astype("f2"))) < 1e-4


# Time.


def test_what_takes_too_long_has_no_deviation():
    found = noise_of(model(*CHAIN, **VALUES), [X], load, -1.0)
    assert not found.sigma
    assert found.out_of_time
    assert "takes more than" in found.why
