"""Declarations of generated graphs: complete, valid, and chosen so that what is promised is covered."""

import onnx
import pytest

from burn_verify.cases.generated.build import feeds_of, model_of, value_of
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
