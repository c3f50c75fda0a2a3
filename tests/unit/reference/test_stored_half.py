"""Weights that move as storing them as halves moves them: which, how far, and what follows for the outputs."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import helper, numpy_helper

import handmade
from burn_verify.reference import stored_half
from fakes import FakeEngine, Faults

X = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)


def linear(weight, extra=()):
    stored = numpy_helper.from_array(weight, "w")
    nodes = [
        helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "wt"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["y"]),
        helper.make_node("Mul", ["y", "k"], ["z"]),
    ]
    constants = [numpy_helper.from_array(np.float32([value] * 3), name) for name, value in (("b", 0.3), ("k", 0.7))]
    inputs, outputs = [handmade.value("x", shape=[2, 4])], [handmade.value("z", shape=[2, 3])]
    return handmade.model(nodes, inputs, outputs, [stored, *constants, *extra])


def test_weights_of_modules_are_stored_as_halves_and_other_constants_are_not():
    integers = numpy_helper.from_array(np.arange(3), "i")

    model = linear(np.ones((3, 4), np.float32), [integers])
    assert stored_half.weights_of(model.graph) == {"w", "b"}
    assert stored_half.weights_of(model.graph, every=True) == {"w", "b", "k"}


def test_constants_are_stored_too_where_every_weight_is(tmp_path, cache):
    constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.full((2, 4), 0.3, np.float32)))
    model = handmade.model(
        [constant, helper.make_node("Mul", ["x", "c"], ["z"])],
        [handmade.value("x", shape=[2, 4])],
        [handmade.value("z", shape=[2, 4])],
    )
    onnx.save(model, path := tmp_path / "a.onnx")
    engine = FakeEngine(cache, 1.0, Faults())
    assert stored_half.deviations(engine, path, {"a": [X]}) == {}
    (sigma,) = stored_half.deviations(engine, path, {"a": [X]}, every=True)["a"].values()
    assert (sigma > 0).all()


@given(arrays(np.float32, 16, elements=st.floats(-65472, 65472, width=32)), st.integers(0, 99))
def test_no_weight_moves_further_than_a_half_may_be_off(values, seed):
    before = handmade.model([], [], [], [numpy_helper.from_array(values, "w")])
    after = stored_half.moved(before, frozenset({"w"}), seed)

    came = numpy_helper.to_array(after.graph.initializer[0]).astype(np.float64)
    distance = np.spacing(np.maximum(np.abs(values), np.float32(2.0**-14)).astype(np.float16)).astype(np.float64)
    assert (np.abs(came - values) <= distance).all()
    assert (came == values)[values.astype(np.float16) == values].all()


@given(arrays(np.float32, 16, elements=st.floats(-65472, 65472, width=32)))
def test_one_sample_is_the_rounding_itself(values):
    before = handmade.model([], [], [], [numpy_helper.from_array(values, "w")])

    after = stored_half.moved(before, frozenset({"w"}), None)

    assert np.array_equal(numpy_helper.to_array(after.graph.initializer[0]), values.astype(np.float16))


def test_the_deviation_is_that_of_rounding_to_halves(tmp_path, cache):
    drawn = np.random.default_rng(1)
    model = linear(drawn.standard_normal((3, 4)).astype(np.float32))
    onnx.save(model, path := tmp_path / "a.onnx")
    engine = FakeEngine(cache, 1.0, Faults())

    found = stored_half.deviations(engine, path, {"seeded": [X]})["seeded"][0]

    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    for one in halved.graph.initializer:
        if one.name in ("w", "b"):
            values = numpy_helper.to_array(one).astype(np.float16).astype(np.float32)
            one.CopyFrom(numpy_helper.from_array(values, one.name))
    onnx.save(halved, other := tmp_path / "b.onnx")
    moved = engine.infer_all(other, [[X]])[0][0] - engine.infer_all(path, [[X]])[0][0]
    assert found.shape == (2, 3)
    assert (np.abs(moved) > 0).any()
    assert (np.abs(moved) <= 4 * found + 1e-6).all()


def test_a_model_without_such_weights_does_not_move(tmp_path, cache):
    nodes = [helper.make_node("Abs", ["x"], ["y"])]
    model = handmade.model(nodes, [handmade.value("x", shape=[2, 4])], [handmade.value("y", shape=[2, 4])])
    onnx.save(model, path := tmp_path / "a.onnx")

    assert stored_half.deviations(FakeEngine(cache, 1.0, Faults()), path, {"seeded": [X]}) == {}


@pytest.mark.parametrize("seed", [None, 0])
def test_an_infinity_moves_nothing(seed):
    before = handmade.model([], [], [], [numpy_helper.from_array(np.float32([np.inf, 1e30]), "w")])

    after = stored_half.moved(before, frozenset({"w"}), seed)

    assert numpy_helper.to_array(after.graph.initializer[0]).tolist() == [np.inf, np.float32(1e30)]


@pytest.mark.parametrize("own", [None, np.full((2,), 3.0)])
def test_both_deviations_add_as_squares(own):
    sigma = {} if own is None else {0: own}

    found = dict(stored_half.beside(sigma, {0: np.full((2,), 4.0)}))

    assert found[0].tolist() == ([4.0, 4.0] if own is None else [5.0, 5.0])
