"""ONNX's operators, their versions and types, from `onnx.defs`.

Imports onnx on first use; knows no model and no case.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.core.case import Subject
from burn_verify.graph.dtypes import dtype_of

DOMAINS: Final = ("", "ai.onnx.ml")
"""The domains of ONNX, by their names in a model; reports list their operators."""

RANDOM: Final = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)
"""Operators of ``ai.onnx`` with random output. Dropout is random in training mode only."""

_NUMBERS: Final = {
    "float": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "string": 8,
    "bool": 9,
    "float16": 10,
    "double": 11,
    "uint32": 12,
    "uint64": 13,
    "complex64": 14,
    "complex128": 15,
    "bfloat16": 16,
    "float8e4m3fn": 17,
    "float8e4m3fnuz": 18,
    "float8e5m2": 19,
    "float8e5m2fnuz": 20,
    "uint4": 21,
    "int4": 22,
    "float4e2m1": 23,
    "float8e8m0": 24,
    "uint2": 25,
    "int2": 26,
    "float6e2m3": 27,
    "float6e3m2": 28,
}
"""The words of a type string such as ``tensor(double)`` → ``onnx.TensorProto.DataType``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator in all its versions.

    Attributes:
        versions: every since_version, ascending; a version in which it is only declared deprecated is not one of them.
        deprecated: the newest opset does not have it.
        dtypes: those that the widest type parameter of the newest version allows.
    """

    op_type: str
    domain: str
    versions: tuple[int, ...]
    deprecated: bool
    dtypes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name in the record."""
        return qualified(self.op_type, self.domain)


def canonical(domain: str) -> str:
    """Return a domain by its name in this project: empty for ``ai.onnx``."""
    return "" if domain == "ai.onnx" else domain


def qualified(op_type: str, domain: str) -> str:
    """Return the name of an operator in the record: ``domain.op_type`` outside of ``ai.onnx``."""
    return f"{domain}.{op_type}" if (domain := canonical(domain)) else op_type


@functools.cache
def all_operators() -> tuple[Operator, ...]:
    """Return every operator of `DOMAINS` that the installed onnx knows, by domain and name."""
    from onnx import defs

    found: dict[tuple[str, str], list[Any]] = {}
    for schema in defs.get_all_schemas_with_history():
        if schema.domain in DOMAINS:
            found.setdefault((schema.domain, schema.name), []).append(schema)
    return tuple(_operator(domain, name, found[domain, name]) for domain, name in sorted(found))


def since_version(op_type: str, domain: str, opset: int) -> int | None:
    """Return the version of an operator that an opset selects, None where it has no such operator."""
    schema = schema_of(op_type, opset, domain)
    return None if schema is None else int(schema.since_version)


def schema_of(op_type: str, opset: int, domain: str) -> Any:
    """Return the schema of an operator in an opset; None where the installed onnx has none."""
    from onnx import defs

    try:
        return defs.get_schema(op_type, opset, domain)
    except (defs.SchemaError, TypeError):  # no such operator; an opset that fits no C int
        return None


@functools.cache
def dtypes_of(op_type: str, domain: str, version: int, parameter: str = "") -> tuple[str, ...]:
    """Return the dtypes of tensors that a type parameter of a version allows, the most usual one first.

    Arguments:
        parameter: name of the type parameter; the widest one where it is empty.
    """
    from onnx import defs

    schema = defs.get_schema(op_type, version, domain)
    constraints = {constraint.type_param_str: constraint for constraint in schema.type_constraints}
    wanted = parameter or widest_parameter(schema)
    allowed = constraints[wanted].allowed_type_strs if wanted in constraints else ()
    found = {_dtype(text) for text in allowed if text.startswith("tensor(")}
    usual = [dtype for dtype in ("float32", "int64", "bool") if dtype in found]
    return (*usual, *sorted(found - set(usual)))


@functools.cache
def all_dtypes_of(op_type: str, domain: str, version: int) -> frozenset[str]:
    """Return the dtypes of tensors that any type parameter of a version allows."""
    from onnx import defs

    constraints = defs.get_schema(op_type, version, domain).type_constraints
    names = (constraint.type_param_str for constraint in constraints)
    return frozenset(dtype for name in names for dtype in dtypes_of(op_type, domain, version, name))


@functools.cache
def attributes_of(op_type: str, domain: str) -> frozenset[str]:
    """Return the names, lower-cased, of the attributes that any version of an operator has."""
    from onnx import defs

    schemas = defs.get_all_schemas_with_history()
    return frozenset(
        name.lower()
        for schema in schemas
        if (schema.name, schema.domain) == (op_type, domain)
        for name in schema.attributes
    )


def subject_of(
    op_type: str, domain: str, opset: int, inputs: Sequence[str | None], outputs: Sequence[str | None]
) -> Subject | None:
    """Return the subject of a graph of one node.

    Arguments:
        inputs, outputs: dtype names of the node's values, None where one is omitted or not known.

    Returns:
        None for an operator that the installed onnx does not know.
    """
    domain = canonical(domain)
    schema = schema_of(op_type, opset, domain)
    if schema is None:
        return None
    widest = widest_parameter(schema)
    typed = [*_typed(schema.inputs, inputs), *_typed(schema.outputs, outputs)]
    dtype = next((dtype for parameter, dtype in typed if parameter == widest and dtype), "")
    return Subject(op_type=op_type, domain=domain, since_version=int(schema.since_version), dtype=dtype)


def _operator(domain: str, name: str, schemas: Sequence[Any]) -> Operator:
    ordered = sorted(schemas, key=lambda schema: schema.since_version)
    alive = [schema for schema in ordered if not schema.deprecated]
    newest = (alive or ordered)[-1]
    constraints = {constraint.type_param_str: constraint for constraint in newest.type_constraints}
    allowed = constraints[widest].allowed_type_strs if (widest := widest_parameter(newest)) in constraints else ()
    return Operator(
        op_type=name,
        domain=domain,
        versions=tuple(schema.since_version for schema in alive or ordered),
        deprecated=ordered[-1].deprecated,
        dtypes=tuple(sorted({_dtype(text) for text in allowed})),
    )


def widest_parameter(schema: Any) -> str:
    """Return the type parameter that allows the most types; the first of several."""
    names = [constraint.type_param_str for constraint in schema.type_constraints]
    sizes = [len(constraint.allowed_type_strs) for constraint in schema.type_constraints]
    return names[sizes.index(max(sizes))] if names else ""


def _typed(parameters: Sequence[Any], dtypes: Sequence[str | None]) -> list[tuple[str, str | None]]:
    """Pair the type parameters of a schema with dtypes; the last parameter of a variadic one stands for the rest."""
    names = [parameter.type_str for parameter in parameters]
    if names:
        names += names[-1:] * max(0, len(dtypes) - len(names))
    return list(zip(names, dtypes, strict=False))


def _dtype(text: str) -> str:
    """Return the dtype name inside a type string; a sequence or an optional has its outermost word."""
    word = text.removeprefix("tensor(").removesuffix(")")
    return dtype_of(_NUMBERS[word]) if word in _NUMBERS else text.partition("(")[0]
