"""What a walk with noise says of a whole model: the deviation of its outputs, or why there is none."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from burn_verify.reference.noise import noise_of, pooled
from burn_verify.reference.noisy_value import FEWER, SAMPLES
from walking import CHAIN, VALUES, WEIGHTS, U, X, exponentials, load, model, node, rms, sigma_of


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
    one, other = model(called, functions=[own]), model(*exponentials(2))
    np.testing.assert_allclose(sigma_of(one, X / 40), sigma_of(other, X / 40), rtol=1e-6)


def test_further_outputs_of_a_normalisation_are_walked():
    made = model(node("LayerNormalization", ["x", "s"], ["y", "m", "d"]), outputs=["y", "m", "d"], s=np.ones(30, "f4"))
    found = noise_of(made, [X], load, 60)
    assert set(found.sigma) == {0, 1, 2}
    assert all(0 < rms(sigma) < 1e-4 for sigma in found.sigma.values())


def test_an_omitted_output_leaves_the_others_in_place():
    made = model(
        node("LSTM", ["x", "w", "r"], ["", "", "y"], hidden_size=3),
        shape=(5, 2, 4),
        w=np.random.default_rng(2).normal(size=(1, 12, 4)).astype("f4"),
        r=np.random.default_rng(2).normal(size=(1, 12, 3)).astype("f4"),
    )
    sigma = sigma_of(made, np.random.default_rng(2).normal(size=(5, 2, 4)).astype("f4"))
    assert sigma.shape == (1, 2, 3)
    assert U < rms(sigma) < 1e-4


def test_a_determinant_has_the_noise_of_its_inputs():
    made = model(node("Det", ["x"], ["y"]), shape=(3, 3))
    x = np.random.default_rng(2).normal(size=(3, 3)).astype("f4")
    assert U * abs(np.linalg.det(x)) < sigma_of(made, x) < 1e-4


def test_what_takes_too_long_has_no_deviation():
    found = noise_of(model(*CHAIN, **VALUES), [X], load, -1.0)
    assert not found.sigma
    assert found.out_of_time
    assert "takes more than" in found.why


def test_of_fewer_samples_no_element_has_hardly_any_deviation():
    drawn = np.random.default_rng(0).standard_normal((FEWER, 100_000))
    squares = (drawn * drawn).mean(axis=0)
    finite = np.ones(squares.shape, dtype=bool)
    found = pooled(squares, finite, FEWER)
    assert found.mean() == pytest.approx(squares.mean())
    assert squares.min() < 0.01 < 0.3 < found.min()


def test_of_all_samples_every_element_has_its_own_deviation():
    squares = np.array([0.0, 1.0, 4.0])
    finite = np.array([True, True, False])
    assert pooled(squares, finite, SAMPLES) is squares
    assert pooled(squares, ~finite & False, FEWER) is squares
