"""A way of loading is a module of its own; the default stays as it was."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from burn_verify.burn.codegen import Group
from burn_verify.burn.ways import loading, of_target, recorded
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Target
from burn_verify.core.ways import BYTES, EMBEDDED, LOADS, RECORDS, WEIGHTS

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


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("record", RECORDS[1:])
def test_a_record_is_read_as_it_was_converted(record, weights):
    model = of_target(MODEL, Target(burn="0.19.1", record=record, weights=weights))

    assert (model.module, model.loaded, model.halves) == (MODEL.module, MODEL.weights, False)
    assert recorded(model) == "runner::compat::insert!(registry, m_1"


def test_a_burnpack_of_burn_import_is_a_burnpack_whose_code_names_alloc():
    model = of_target(MODEL, Target(burn="0.20.1", burn_onnx="0.20.1", backend="ndarray"))

    assert model == replace(MODEL, alloc=True)
    lines = Group(crate="g", models=(model,)).source.splitlines()
    assert (lines[0], lines[4]) == (
        "#![allow(warnings)] extern crate alloc;",
        "runner::compat::insert!(registry, m_1);",
    )


@pytest.mark.parametrize("count", [1, 40])
def test_records_that_are_embedded_or_bytes_have_macros_of_their_own(count):
    old = Target(burn="0.19.1", record="bin", weights="half")
    made = [of_target(MODEL, replace(old, load=load)) for load in (EMBEDDED, BYTES)]

    lines = [Group(crate="g", models=(replace(one, inputs=count),)).source.splitlines()[4] for one in made]

    assert Group(crate="g", models=tuple(made)).source.startswith("#![allow(warnings)] extern crate alloc;\n")
    assert "alloc;" not in Group(crate="g", models=(MODEL,)).source
    assert made[1].module == "m_1_bytes"
    assert "insert_embedded!(registry, m_1" in lines[0]
    assert "m_1_bytes, burn::record::BinBytesRecorder<burn::record::HalfPrecisionSettings>" in lines[1]
    assert [("[i0 i1 " in line) == (count == 40) for line in lines] == [True, True]
    assert "NamedMpkBytesRecorder<burn::record::FullPrecisionSettings>" in recorded(
        of_target(MODEL, Target(burn="0.19.1", record="mpk", load="bytes"))
    )
