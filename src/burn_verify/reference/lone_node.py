"""The node of a model with one operator: the facts that the judge needs, to and from JSON.

Takes protobuf messages and arrays. Opens no file and runs nothing. `graphs` finds the operator that a case tests.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from burn_verify.graph import facts
from burn_verify.graph.dtypes import dtype_name, numpy_dtype
from burn_verify.judge.facts import LoneNode, NodeFacts

Array: TypeAlias = npt.NDArray[Any]

SMALL: Final = 16
"""Number of elements up to which an input is stored as a value: axes, ratios, sizes of frames."""


def lone_node(
    model: onnx.ModelProto, fed: Sequence[Array], shapes: Sequence[Sequence[int]]
) -> tuple[LoneNode, list[Array | None]] | None:
    """Return the one node of a model and its inputs, None for a graph of several.

    Arguments:
        fed: inputs of the model, in the order of its runtime inputs.
        shapes: shapes of the outputs of the graph.
    """
    subject = facts.subject(model)
    computing = [node for node in model.graph.node if node.op_type != "Constant"]
    if subject is None or len(computing) != 1:
        return None
    (node,) = computing
    names = [value.name for value in facts.runtime_inputs(model.graph)]
    known = {**_constants(model), **dict(zip(names, fed, strict=True))}
    inputs = [known.get(name) if name else None for name in node.input]
    if any(name and name not in known for name in node.input):
        return None
    given = list(node.output)
    gives = tuple(given.index(value.name) if value.name in given else None for value in model.graph.output)
    given_shapes = {place: tuple(shape) for place, shape in zip(gives, shapes, strict=True) if place is not None}
    node_facts = NodeFacts(
        op_type=subject.op_type,
        domain=subject.domain,
        since_version=subject.since_version,
        attributes=dict(attributes_of(node)),
        input_shapes=tuple(None if array is None else array.shape for array in inputs),
        output_shapes=tuple(given_shapes.get(place, ()) for place in range(len(given))),
        input_dtypes=tuple(None if array is None else dtype_name(array.dtype) for array in inputs),
        input_values={place: array for place, array in enumerate(inputs) if array is not None and array.size <= SMALL},
    )
    feeds = tuple(names.index(name) if name in names else None for name in node.input)
    return LoneNode(facts=node_facts, feeds=feeds, gives=gives), inputs


def to_json(lone: LoneNode) -> dict[str, Any]:
    """Return the node in the format of `from_json`."""
    of_node = lone.facts
    return {
        "op_type": of_node.op_type,
        "domain": of_node.domain,
        "since_version": of_node.since_version,
        "attributes": of_node.attributes,
        "input_shapes": of_node.input_shapes,
        "output_shapes": of_node.output_shapes,
        "input_dtypes": of_node.input_dtypes,
        "input_values": {
            place: [dtype_name(array.dtype), list(array.shape), _plain(array)]
            for place, array in of_node.input_values.items()
        },
        "feeds": lone.feeds,
        "gives": lone.gives,
    }


def from_json(data: Mapping[str, Any]) -> LoneNode:
    """Return the node that `to_json` wrote."""
    node_facts = NodeFacts(
        op_type=data["op_type"],
        domain=data["domain"],
        since_version=data["since_version"],
        attributes=data["attributes"],
        input_shapes=tuple(None if shape is None else tuple(shape) for shape in data["input_shapes"]),
        output_shapes=tuple(tuple(shape) for shape in data["output_shapes"]),
        input_dtypes=tuple(data["input_dtypes"]),
        input_values={
            int(place): np.array(values).astype(numpy_dtype(dtype)).reshape(shape)
            for place, (dtype, shape, values) in data["input_values"].items()
        },
    )
    return LoneNode(facts=node_facts, feeds=tuple(data["feeds"]), gives=tuple(data["gives"]))


def attributes_of(node: onnx.NodeProto) -> list[tuple[str, Any]]:
    """Return the attributes that are numbers, text or lists of them."""
    found = []
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            value = list(value)
            if not all(isinstance(item, int | float) for item in value):
                continue
        if isinstance(value, int | float | str | list):
            found.append((attribute.name, value))
    return found


def _constants(model: onnx.ModelProto) -> dict[str, Array]:
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                found[node.output[0]] = numpy_helper.to_array(attribute.t)
    return found


def _plain(array: Array) -> list[Any]:
    """Return the elements as types that JSON supports: floats of any width as Python floats."""
    flat = array.reshape(-1)
    if dtype_name(array.dtype).startswith(("float", "bfloat")):
        return [float(value) for value in flat]
    return [value.item() if isinstance(value, np.generic) else value for value in flat]
