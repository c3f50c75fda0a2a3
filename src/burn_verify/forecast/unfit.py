"""What of a model does not fit the definitions of its operators, beyond what `burn_verify.graph.validity` looks at.

A cell of a node holds what the node has. What it lacks, or has too much of, is in no cell, and in no case.
"""

from collections.abc import Iterator
from typing import Final

import onnx

from burn_verify.graph.facts import bytes_of, nodes, tensors, text, versions
from burn_verify.graph.operators import canonical, schema_of

_SHOWN: Final = 3
_DATA: Final = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")


def unfit(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return a sentence about what is missing and what is too much; none where nothing is.

    Raises:
        ValueError: the model is damaged.
    """
    found = list(dict.fromkeys(_found(model)))
    if not found:
        return ()
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (f"the model is not valid ONNX, whatever becomes of it: {'; '.join(found[:_SHOWN])}{more}",)


def _found(model: onnx.ModelProto) -> Iterator[str]:
    opsets = versions(model)
    for node in nodes(model):
        domain = canonical(node.domain)
        schema = schema_of(node.op_type, opsets.get(domain, 0), domain)
        if schema is not None:
            yield from _of_node(node, schema)
    for tensor in tensors(model):
        if _is_empty(tensor):
            yield f"the constant `{text(tensor.name)}` has no data"


def _of_node(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> Iterator[str]:
    given = {attribute.name for attribute in node.attribute}
    for name, attribute in schema.attributes.items():
        if attribute.required and name not in given:
            yield f"{node.op_type} lacks the attribute `{name}`"
    for what, names, least, most in (
        ("input", node.input, schema.min_input, schema.max_input),
        ("output", node.output, schema.min_output, schema.max_output),
    ):
        # Names at the end may be left empty, as those in between.
        count = max((place for place, name in enumerate(names, 1) if name), default=0)
        if not least <= count <= most:
            wanted = f"at least {least}" if count < least else f"at most {most}"
            yield f"{node.op_type} has {count} {what}{'s' * (count != 1)}, and {wanted} are defined"


def _is_empty(tensor: onnx.TensorProto) -> bool:
    """Return whether a constant has elements, and nowhere their data."""
    if tensor.external_data or tensor.HasField("raw_data") or any(getattr(tensor, name) for name in _DATA[1:]):
        return False
    try:
        return bool(bytes_of(tensor))
    except ValueError:
        # `validity` tells of a type that does not exist.
        return False
