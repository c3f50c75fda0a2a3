"""Operator specs by name, their families, and the reasons why operators have none."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from burn_verify.cases.generated.families import (
    attention,
    broadcast,
    casts,
    control,
    conv,
    elementwise,
    gather,
    matmul,
    ml,
    movement,
    normalisation,
    pool,
    quantisation,
    random,
    recurrent,
    reduce,
    resize,
    sequence,
    signal,
    sorting,
    text,
)
from burn_verify.cases.generated.operator_spec import FIRST_OPSET, OperatorSpec
from burn_verify.graph.operators import Operator, all_operators, qualified

_MODULES: Final = (
    elementwise,
    broadcast,
    reduce,
    conv,
    pool,
    matmul,
    normalisation,
    movement,
    casts,
    gather,
    resize,
    sorting,
    recurrent,
    attention,
    quantisation,
    control,
    sequence,
    random,
    signal,
    text,
    ml,
)
FAMILIES: Final = tuple(module.FAMILY for module in _MODULES)
"""Names of the families, in the order of the pages about them."""

NO_GENERATOR: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ImageDecoder": "its input is an encoded image file, for which Burn has no tensor",
        "ai.onnx.ml.CastMap": "its input is a map, which no Burn value is",
        "ai.onnx.ml.CategoryMapper": "it maps text, for which Burn has no tensor",
        "ai.onnx.ml.DictVectorizer": "its input is a map, which no Burn value is",
        "ai.onnx.ml.SVMClassifier": "no valid support vectors are declared yet",
        "ai.onnx.ml.SVMRegressor": "no valid support vectors are declared yet",
        "ai.onnx.ml.TreeEnsemble": "no valid trees are declared yet",
        "ai.onnx.ml.ZipMap": "its output is a sequence of maps, which no Burn value is",
    }
)
"""Why operators have no spec, by qualified name."""


@functools.cache
def operator_specs() -> Mapping[str, OperatorSpec]:
    """Return every operator spec by the qualified name of its operator."""
    found = [spec for module in _MODULES for spec in module.SPECS]
    return MappingProxyType({qualified(spec.op_type, spec.domain): spec for spec in found})


@functools.cache
def family_of(name: str) -> str | None:
    """Return the family of an operator, None where it has no spec."""
    families = zip(FAMILIES, _MODULES, strict=True)
    return next((family for family, module in families if operator_specs().get(name) in module.SPECS), None)


def operators() -> tuple[Operator, ...]:
    """Return the operators of the newest opset, with a spec or with a reason in `NO_GENERATOR`."""
    return tuple(operator for operator in all_operators() if not operator.deprecated)


def versions_of(operator: Operator) -> tuple[int, ...]:
    """Return the versions of an operator that the opsets from `FIRST_OPSET` on select, oldest first."""
    if operator.domain:
        return operator.versions
    later = (*operator.versions[1:], FIRST_OPSET + 1)
    return tuple(
        version
        for version, next_one in zip(operator.versions, later, strict=True)
        if version >= FIRST_OPSET or next_one > FIRST_OPSET
    )
