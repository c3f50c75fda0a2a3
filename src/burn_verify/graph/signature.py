"""What one version of an operator takes: its inputs and its attributes, from `onnx.defs`.

Imports onnx on first use.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from burn_verify.graph.operators import schema_of, widest_parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute: whether it has to be given, and its default as onnx holds it; None where it has none."""

    required: bool
    default: Any

    def is_default(self, text: str) -> bool:
        """Return whether a value, written as in the id of a case, is the default."""
        match self.default:
            case None:
                return False
            case float():
                return _single(text) == _single(str(self.default))
            case bytes():
                return text == self.default.decode("utf-8", errors="replace")
            case list():
                return text == "x".join(map(str, self.default))
        return text == str(self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The inputs and attributes of one version, by lower-cased name.

    Attributes:
        inputs: whether an input is of the type parameter that allows the most types, and so holds data; one of another
            type holds a setting, such as axes.
    """

    inputs: Mapping[str, bool]
    attributes: Mapping[str, Attribute]


@functools.cache
def signature_of(op_type: str, domain: str, version: int) -> Signature | None:
    """Return the signature of a version, None for an operator that the installed onnx does not know."""
    schema = schema_of(op_type, version, domain)
    if schema is None:
        return None
    widest = widest_parameter(schema)
    return Signature(
        inputs={each.name.lower(): each.type_str == widest for each in schema.inputs},
        attributes={name.lower(): _attribute(found) for name, found in schema.attributes.items()},
    )


def _attribute(found: Any) -> Attribute:
    from onnx import helper

    default = found.default_value
    return Attribute(required=found.required, default=helper.get_attribute_value(default) if default.type else None)


def _single(text: str) -> float | None:
    """Return a number in single precision, in which onnx holds defaults; None for a word."""
    import numpy as np

    try:
        return float(np.float32(text))
    except ValueError:
        return None
