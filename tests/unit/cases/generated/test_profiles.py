"""Declarations of generated graphs: complete, valid, and chosen so that what is promised is covered."""

import functools

import numpy as np
import onnx
import pytest

from burn_verify.cases.generated.build import Space, feeds_of, model_of, other_values, value_of
from burn_verify.cases.generated.operator_spec import DIMS
from burn_verify.cases.generated.profiles import PROFILES, choices
from burn_verify.cases.generated.registry import (
    operator_specs,
    operators,
    qualified,
    versions_of,
)

OPERATORS = {qualified(operator.op_type, operator.domain): operator for operator in operators()}
SOME = ("Relu", "Add", "ReduceSum", "Conv", "Gather", "Slice", "Resize", "Clip", "If", "SequenceAt", "Reshape")


@pytest.mark.parametrize("name", sorted(operator_specs()))
def test_ids_are_unique_and_profiles_grow(name):
    spec = operator_specs()[name]
    versions = [version for version in versions_of(OPERATORS[name]) if version >= spec.since][-1:]
    found = list(choices(spec, versions))
    ids = [choice.id for choice, _ in found]
    assert len(set(ids)) == len(ids)
    assert not any(set(text) & set("[]: \n") for text in ids)
    assert {smallest for _, smallest in found} <= set(PROFILES)
    assert found[0][1] == "quick"


@pytest.mark.parametrize("name", SOME)
def test_models_pass_the_checker_and_are_fed_what_they_declare(name):
    spec = operator_specs()[name]
    for choice, smallest in choices(spec, versions_of(OPERATORS[name])[-1:]):
        if smallest != "quick":
            continue
        model = model_of(choice)
        values = {operand: value_of(choice, operand) for operand in choice.kinds}
        feeds = feeds_of(choice, values)
        assert [value.name for value in model.graph.input] == list(feeds), choice.id
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        for value in model.graph.input:
            dims = value.type.tensor_type.shape.dim
            assert len(dims) == feeds[value.name].ndim, choice.id
            sizes = [dim.dim_value for dim in dims if not dim.dim_param]
            assert sizes == [
                size for size, dim in zip(feeds[value.name].shape, dims, strict=True) if not dim.dim_param
            ], choice.id


def newest(name):
    spec = operator_specs()[name]
    versions = [version for version in versions_of(OPERATORS[name]) if version >= spec.since][-1:]
    return spec, versions


@functools.cache
def quick(name):
    return [choice for choice, smallest in choices(*newest(name)) if smallest == "quick"]


def values_of(choice):
    return {operand: value_of(choice, operand) for operand in choice.kinds}


def content(choice):
    """Return all that a graph is: the model, and what it is fed."""
    feeds = feeds_of(choice, values_of(choice))
    return model_of(choice).SerializeToString(), *((name, array.tobytes()) for name, array in feeds.items())


def neighbours(choice, space, axes):
    """Yield the graphs that differ from one in the declared value of one axis."""
    for axis in axes:
        for value in space.axes[axis]:
            other = space.choice({**choice.row, axis: value}) if value != choice.row[axis] else None
            changed = () if other is None else [one for one in choice.row if other.row[one] != choice.row[one]]
            if changed == [axis]:
                yield axis, other


# An axis that says nothing beside the defaults of the others, and why.
SILENT = {
    ("DFT", "length_dtype"): "no length is given",
    ("If", "cond"): "the drawn condition is one of the two",
    ("Pow", "exponent"): "the same dtype is float32, which is among the others",
    ("QuantizeLinear", "saturate"): "an attribute of float8 alone",
    ("RMSNormalization", "scale_shape"): "the last axis is the whole of what is normalised",
}


@pytest.mark.parametrize("name", sorted(operator_specs()))
def test_a_declared_value_of_an_axis_is_in_the_graph_or_its_data(name):
    spec, (version,) = newest(name)
    space = Space(spec, version)
    default = quick(name)[0]
    mine = content(default)
    axes = [axis for axis in space.axes if axis != DIMS and (name, axis) not in SILENT]
    for axis, other in neighbours(default, space, axes):
        assert content(other) != mine, f"{default.id}: {axis} changes nothing"


@pytest.mark.parametrize("name", sorted(operator_specs()))
def test_what_an_axis_says_is_true_of_every_graph_that_says_so(name):
    spec, (version,) = newest(name)
    space = Space(spec, version)
    claims = [axis for axis, values in space.own.items() if set(values) == {True, False}]
    for choice in quick(name) if claims else ():
        for axis, other in neighbours(choice, space, claims):
            assert content(other) != content(choice), f"{choice.id}: {axis} changes nothing"


COMPARING = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
SORTING = ("ArgMax", "ArgMin", "TopK", "Hardmax")


@pytest.mark.parametrize("name", COMPARING)
def test_what_compares_two_operands_has_ties_and_others(name):
    for choice in quick(name):
        one, other = np.broadcast_arrays(*values_of(choice).values())
        assert not one.size or (one == other).any(), choice.id


@pytest.mark.parametrize("name", SORTING)
def test_what_sorts_has_ties_at_the_end_that_it_returns(name):
    for choice in quick(name):
        data = next(iter(values_of(choice).values()))
        least = name == "ArgMin" or dict(choice.labels).get("largest") == "0"
        axis = next((one for one, size in enumerate(data.shape) if size > 2), None)
        if axis is None or not data.size:
            continue
        end = (data.min if least else data.max)(axis=axis, keepdims=True)
        assert ((data == end).sum(axis=axis) > 1).any(), choice.id


@pytest.mark.parametrize(("name", "looked_for"), [("IsInf", np.isinf), ("IsNaN", np.isnan)])
def test_what_an_operator_looks_for_is_there_and_missing(name, looked_for):
    for choice in quick(name):
        (value,) = values_of(choice).values()
        (other,) = other_values(choice, 1).values()
        if value.size and choice.kinds["X"] == "run":
            found = [looked_for(one.astype(np.float32)).any() for one in (value, other)]
            assert any(found), choice.id
            assert value.size > 1 or not all(found), choice.id


@pytest.mark.parametrize("name", sorted(operator_specs()))
def test_data_that_may_be_negative_are(name):
    for choice in quick(name):
        for operand, value in values_of(choice).items():
            declared = choice.call.inputs[operand]
            signed = not declared.dtype.startswith(("u", "b", "s", "c")) and choice.kinds[operand] not in FROM_SHAPE
            if declared.fixed is None and declared.low < 0 and value.size > 1 and signed and not declared.ties:
                assert (value < 0).any(), (choice.id, operand)


FROM_SHAPE = ("shape", "gathered")


@pytest.mark.parametrize("name", sorted(operator_specs()))
def test_an_axis_that_says_negative_has_a_negative_index(name):
    for choice in quick(name):
        if dict(choice.labels).get("negative") == "true":
            values = [value for value in values_of(choice).values() if value.dtype.kind == "i"]
            assert any((value < 0).any() for value in values), choice.id


@pytest.mark.parametrize("name", SOME)
def test_the_other_values_are_others_of_the_same_model(name):
    varied = 0
    for choice in quick(name):
        mine, others = values_of(choice), other_values(choice, 1)
        assert model_of(choice, others).SerializeToString() == model_of(choice).SerializeToString(), choice.id
        varied += any(mine[one].tobytes() != others[one].tobytes() for one in mine)
    assert varied
