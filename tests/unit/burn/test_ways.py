"""A way of loading is a module of its own; the default stays as it was."""

from itertools import product
from pathlib import Path

import pytest

from burn_verify.burn.codegen import Group
from burn_verify.burn.ways import loading, of_target
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Target
from burn_verify.core.ways import LOADS, WEIGHTS

MODEL = ConvertedModel(
    label="zoo/a", module="m_1", rust=Path("/c/1/model.rs"), weights=Path("/c/1/model.bpk"), seconds=0.0, inputs=1
)
WAYS = list(product(LOADS, WEIGHTS))


def test_each_way_has_a_module_and_the_default_its_old_one():
    made = [of_target(MODEL, Target(load=load, weights=weights)) for load, weights in WAYS]

    assert len({one.module for one in made}) == len(WAYS)
    assert made[0] is MODEL
    assert {one.module.isidentifier() for one in made} == {True}


@pytest.mark.parametrize(("load", "weights"), WAYS[1:])
@pytest.mark.parametrize("count", [1, 40])
def test_a_model_stays_two_lines_of_its_crate(load, weights, count):
    model = of_target(MODEL, Target(load=load, weights=weights))
    group = Group(crate="g", models=(ConvertedModel(**{**fields(model), "inputs": count}),))

    lines = group.source.splitlines()

    assert len(lines) == 6
    assert (count == 40) == ("bind_wide!" in lines[4])
    assert loading(model) in lines[4]
    assert group.model_at(5).module == model.module


def fields(model):
    return {name: getattr(model, name) for name in ConvertedModel.__slots__}


def test_half_weights_lie_beside_the_full_ones():
    half = of_target(MODEL, Target(weights="half"))

    assert half.loaded == Path("/c/1/half.bpk")
    assert half.weights == MODEL.weights == MODEL.loaded
    assert "HalfPrecisionAdapter" in loading(half)
    assert "from_bytes" in loading(of_target(MODEL, Target(weights="half", load="bytes")))
