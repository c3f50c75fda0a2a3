"""Branches are taken and loops run: their nodes are as noisy as those of a graph without them."""

import numpy as np
import pytest
from onnx import TensorProto

from burn_verify.reference.noise import noise_of
from walking import WEIGHTS, U, X, exponentials, inner, load, model, node, rms, sigma_of

SMALL_X = X / 40


def test_a_loop_is_as_noisy_as_its_turns():
    body = inner(
        [node("Exp", ["v"], ["w"]), node("Identity", ["c"], ["d"]), node("Identity", ["w"], ["s"])],
        [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("v", TensorProto.FLOAT)],
        ["d", "w", "s"],
    )
    looped = node("Loop", ["n", "", "x"], ["y", "z"], body=body)
    found = noise_of(model(looped, outputs=["y", "z"], n=np.asarray(2)), [SMALL_X], load, 60)
    assert rms(found.sigma[0]) == pytest.approx(rms(sigma_of(model(*exponentials(2)), SMALL_X)), rel=0.3)
    assert found.sigma[1].shape == (2, *X.shape)
    np.testing.assert_array_equal(found.sigma[1][1], found.sigma[0])


def test_a_loop_ends_when_its_body_says_so():
    body = inner(
        [node("Exp", ["v"], ["w"]), node("Less", ["i", "one"], ["d"])],
        [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("v", TensorProto.FLOAT)],
        ["d", "w"],
    )
    looped = node("Loop", ["n", "go", "x"], ["y"], body=body)
    sigma = sigma_of(model(looped, n=np.asarray(9), go=np.asarray(True), one=np.asarray(1)), SMALL_X)
    assert rms(sigma) == pytest.approx(rms(sigma_of(model(*exponentials(2)), SMALL_X)), rel=0.3)


def test_a_scan_goes_along_its_axis():
    body = inner(
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
        "then_branch": inner([node("MatMul", ["x", "w"], ["t"])], [], ["t"]),
        "else_branch": inner([node("Neg", ["x"], ["e"])], [], ["e"]),
    }
    made = model(node("If", ["go"], ["y"], **branches), go=np.asarray(chosen), w=WEIGHTS)
    assert sigma_of(made).any() == noisy
