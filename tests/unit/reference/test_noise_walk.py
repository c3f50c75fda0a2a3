"""Discrete values on the way through a graph: where one flips there is no deviation, only there."""

import itertools

import numpy as np
import pytest
from onnx import TensorProto

from burn_verify.reference import noise_walk
from burn_verify.reference.noise import noise_of
from walking import CHAIN, VALUES, WEIGHTS, U, X, load, model, node, rms, sigma_of


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


def test_where_time_gets_short_fewer_samples_will_do(monkeypatch):
    """A clock that goes on by a second whenever it is looked at; a walk looks some 30 times."""
    full = sigma_of(model(*CHAIN, **VALUES))
    clock = itertools.count()
    monkeypatch.setattr(noise_walk.time, "monotonic", lambda: float(next(clock)))
    fewer = sigma_of(model(*CHAIN, **VALUES), seconds=40.0)
    assert next(clock) > 20
    assert not np.array_equal(fewer, full)
    assert rms(fewer) == pytest.approx(rms(full), rel=0.4)
