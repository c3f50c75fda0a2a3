"""What of a model contradicts ONNX itself, so that no program can be blamed for what it makes of it.

Less than onnx's checker asks for, which also refuses models that every engine runs. Takes a protobuf message and runs
nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

import onnx

from burn_verify.graph.facts import bytes_of, tensors, text, versions
from burn_verify.graph.operators import canonical, schema_of


def contradictions(model: onnx.ModelProto) -> Iterator[str]:
    """Yield a part of a sentence for each: ``nothing gives `ghost`, which Add reads``.

    Raises:
        ValueError: the model is damaged.
    """
    yield from _of_versions(model)
    opsets = versions(model)
    yield from _of_graph(model.graph, frozenset(), opsets)
    for function in model.functions:
        yield from _of_nodes(function.node, set(function.input), opsets)
        yield from _not_given(function.output, function.input, function.node)
    for tensor in tensors(model):
        yield from _of_tensor(tensor)


def _of_versions(model: onnx.ModelProto) -> Iterator[str]:
    known, imported = onnx.defs.onnx_opset_version(), versions(model).get("")
    if imported is not None and not 0 < imported <= known:
        yield f"it imports version {imported} of ONNX's operators, and there are 1 to {known}"
    if model.ir_version > onnx.IR_VERSION:
        yield f"it is of version {model.ir_version} of the format, and there are 1 to {int(onnx.IR_VERSION)}"


def _of_graph(graph: onnx.GraphProto, outer: Collection[str], opsets: Mapping[str, int]) -> Iterator[str]:
    names = [text(value.name) for value in graph.input]
    if not all(names):
        yield "an input has no name"
    for name in _twice(names):
        yield f"two inputs are called `{name}`"
    for name in _twice([text(value.name) for value in graph.output]):
        yield f"two outputs are called `{name}`"
    given = {*outer, *names, *(text(one.name) for one in graph.initializer)}
    given |= {text(one.values.name) for one in graph.sparse_initializer}
    before = set(given) - set(outer)
    yield from _of_nodes(graph.node, given, opsets, before)
    yield from _not_given([value.name for value in graph.output], given, graph.node)


def _not_given(outputs: Iterable[str], given: Collection[str], nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    made = {*given, *(name for node in nodes for name in node.output)}
    for name in outputs:
        if name not in made:
            yield f"nothing gives the output `{text(name)}`"


def _of_nodes(
    nodes: Iterable[onnx.NodeProto], given: set[str], opsets: Mapping[str, int], own: Collection[str] = ()
) -> Iterator[str]:
    """Yield the contradictions of nodes in their order.

    Arguments:
        given: names that are known before the first node; those of each node are added.
        own: those of them that no node may give again.
    """
    some = list(nodes)
    later = {name for node in some for name in node.output if name}
    taken = set(own)
    for node in some:
        kind = text(node.op_type)
        if not kind:
            yield f"the node that gives {' and '.join(f'`{name}`' for name in node.output)} has no operator"
        for name in dict.fromkeys(node.input):
            if name and name not in given:
                there = "a later node" if name in later else "nothing"
                yield f"{there} gives `{text(name)}`, which {kind or 'a node'} reads"
        yield from _of_attributes(node, opsets)
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _of_graph(inner, frozenset(given), opsets)
        for name in filter(None, node.output):
            if name in taken:
                yield f"`{text(name)}` is given twice"
            taken.add(name)
            given.add(name)


def _of_attributes(node: onnx.NodeProto, opsets: Mapping[str, int]) -> Iterator[str]:
    domain = canonical(node.domain)
    schema = schema_of(node.op_type, opsets.get(domain, 0), domain)
    if schema is None:
        return
    declared = schema.attributes
    for attribute in node.attribute:
        # Models of the first versions of the format do not say what an attribute is.
        if (asked := declared.get(attribute.name)) is None or attribute.ref_attr_name or not attribute.type:
            continue
        wanted = str(asked.type).rpartition(".")[2].lower()
        found = onnx.AttributeProto.AttributeType.Name(attribute.type).lower()
        if wanted != found:
            yield f"the attribute `{text(attribute.name)}` of {node.op_type} is of type {found}, not {wanted}"


def _of_tensor(tensor: onnx.TensorProto) -> Iterator[str]:
    called = f"the constant `{text(tensor.name)}`" if tensor.name else "a constant"
    if any(dim < 0 for dim in tensor.dims):
        yield f"{called} has a negative size"
        return
    try:
        size = bytes_of(tensor)
    except ValueError:
        yield f"{called} is of type {tensor.data_type}, which ONNX does not have"
        return
    if size is not None and tensor.HasField("raw_data") and len(tensor.raw_data) != size:
        yield f"{called} needs {size} bytes and has {len(tensor.raw_data)}"


def _twice(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            yield name
        seen.add(name)
