"""Functions in place: bodies of the model's own functions, and those that ONNX's operators have in the standard."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, TypeAlias

import onnx
from onnx import defs

from burn_verify.graph import facts
from burn_verify.graph.operators import canonical, qualified, schema_of
from burn_verify.prepare.body import Names
from burn_verify.prepare.instances import renamed_node
from burn_verify.prepare.known import Known, copied, known, opset_of
from burn_verify.prepare.prune import copy_of, inside_out, pruned, set_nodes

_DEEPEST: Final = 12
"""Functions inside functions; a model that nests deeper stays as it is."""

_MOST_NODES: Final = 50_000

_BodyOf: TypeAlias = Callable[[onnx.NodeProto, Known], onnx.FunctionProto | None]


def with_local_bodies(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Replace every call of the model's own functions by its body; None where there is none, or one is recursive."""
    own = {(canonical(one.domain), one.name, one.overload): one for one in model.functions}
    if not own or _is_recursive(own):
        return None

    def body_of(node: onnx.NodeProto, about: Known) -> onnx.FunctionProto | None:
        del about
        return own.get(_name_of(node))

    return _inlined(model, body_of, drop=True)


_Name: TypeAlias = tuple[str, str, str]


def _name_of(node: onnx.NodeProto) -> _Name:
    return canonical(node.domain), node.op_type, node.overload


def _is_recursive(own: Mapping[_Name, onnx.FunctionProto]) -> bool:
    """Return whether a function calls itself, maybe by another one; in place it would never end."""
    bodies = {name: onnx.ModelProto(graph=onnx.GraphProto(node=one.node)) for name, one in own.items()}
    calls = {name: {_name_of(node) for node in facts.nodes(body)} for name, body in bodies.items()}
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        return True
    return False


def with_bodies_of(model: onnx.ModelProto, names: frozenset[str]) -> onnx.ModelProto | None:
    """Replace the nodes of some operators by the bodies that the standard has for them.

    Arguments:
        names: qualified names of operators.
    """
    if not any(qualified(node.op_type, node.domain) in names for node in facts.nodes(model)):
        return None
    opset = opset_of(model)

    def body_of(node: onnx.NodeProto, about: Known) -> onnx.FunctionProto | None:
        if qualified(node.op_type, node.domain) not in names:
            return None
        return body_in_the_standard(node, opset, about)

    return _inlined(model, body_of)


def body_in_the_standard(node: onnx.NodeProto, opset: int, about: Known) -> onnx.FunctionProto | None:
    """Return the body of an operator for the types of a node, None where the standard has none."""
    domain = canonical(node.domain)
    version = opset if not domain else defs.onnx_opset_version()
    schema = schema_of(node.op_type, version, domain)
    if schema is None:
        return None
    try:
        if schema.has_function:
            fitting = [one for one in schema.function_opset_versions if not opset or one <= opset]
            wanted = max(fitting or schema.function_opset_versions)
            return _read(schema.get_function_with_opset_version(wanted))
        if schema.has_context_dependent_function:
            return _read(_in_context(schema, node, opset, about))
    except (defs.SchemaError, ValueError, RuntimeError):
        # A node that breaks its own schema has no body.
        return None
    return None


def _in_context(schema: Any, node: onnx.NodeProto, opset: int, about: Known) -> bytes:
    if any(name and not about.type_of(name).elem_type for name in node.input):
        # onnx's builder of a body reads the type of an input without a look at whether there is one, and dies.
        message = f"{node.op_type}: the type of an input is not known"
        raise ValueError(message)
    versions = schema.context_dependent_function_opset_versions
    wanted = max([one for one in versions if one <= opset] or versions)
    types = [_type(name, about) for name in node.input]
    made: bytes = schema.get_context_dependent_function_with_opset_version(wanted, node.SerializeToString(), types)
    return made


def _read(data: bytes | str | None) -> onnx.FunctionProto | None:
    return onnx.FunctionProto.FromString(data) if isinstance(data, bytes) and data else None


def _type(name: str, about: Known) -> bytes:
    found = about.type_of(name)
    if not found.elem_type:
        return onnx.TypeProto().SerializeToString()
    made = onnx.helper.make_tensor_type_proto(found.elem_type, found.shape)
    data: bytes = made.SerializeToString()
    return data


def _inlined(model: onnx.ModelProto, body_of: _BodyOf, *, drop: bool = False) -> onnx.ModelProto | None:
    changed = copied(model)
    found = False
    for _ in range(_DEEPEST):
        about, names = known(changed), Names(changed)
        again = False
        for graph in inside_out(changed):
            nodes = list(_nodes(changed, graph, body_of, about, names))
            if any(one is None for one in nodes):
                again = found = True
                set_nodes(graph, [node for node in nodes if node is not None])
        if not again:
            break
        if sum(1 for _ in facts.nodes(changed)) > _MOST_NODES:
            return None
    if drop:
        del changed.functions[:]
    return pruned(changed) if found or drop else None


def _nodes(
    model: onnx.ModelProto, graph: onnx.GraphProto, body_of: _BodyOf, about: Known, names: Names
) -> Iterator[onnx.NodeProto | None]:
    """Yield the nodes of a graph; None once for each node whose body takes its place."""
    for node in graph.node:
        body = body_of(node, about)
        if body is None:
            yield copy_of(node)
            continue
        yield None
        _import(model, body)
        yield from _called(node, body, names)


def _called(node: onnx.NodeProto, body: onnx.FunctionProto, names: Names) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of a body in the place of a call."""
    renamed = dict.fromkeys(body.input, "")
    renamed.update(zip(body.input, node.input, strict=False))
    given = dict(zip(body.output, node.output, strict=False))
    renamed.update((inner, outer) for inner, outer in given.items() if outer and inner not in body.input)
    attributes = {one.name: one for one in (*body.attribute_proto, *_defaults(node), *node.attribute)}
    for inner in body.node:
        for name in inner.output:
            if name and name not in renamed:
                renamed[name] = names.new(name)
        yield renamed_node(inner, renamed, attributes, names)
    for name, outer in given.items():
        # A function may hand on what it was given.
        if name in body.input and outer:
            yield onnx.helper.make_node("Identity", [renamed[name]], [outer])


def _defaults(node: onnx.NodeProto) -> list[onnx.AttributeProto]:
    """Return the attributes that a node leaves at the default of its schema."""
    schema = schema_of(node.op_type, defs.onnx_opset_version(), canonical(node.domain))
    if schema is None:
        return []
    return [one.default_value for one in schema.attributes.values() if one.default_value.name]


def _import(model: onnx.ModelProto, body: onnx.FunctionProto) -> None:
    """Import the domains of a body that the model does not import."""
    present = {canonical(entry.domain) for entry in model.opset_import}
    for entry in body.opset_import:
        if canonical(entry.domain) not in present:
            present.add(canonical(entry.domain))
            model.opset_import.append(onnx.OperatorSetIdProto(domain=entry.domain, version=entry.version))


def operators_inside(model: onnx.ModelProto) -> frozenset[str]:
    """Return the qualified names of the operators in the bodies of a model's functions, those inside these included.

    Of each function one node is looked at: its context decides about its body, but hardly about what is in it.
    """
    first = {qualified(node.op_type, node.domain): node for node in reversed(list(facts.nodes(model)))}
    calls = [node for name, node in first.items() if name in all_functions()]
    if not calls:
        return frozenset()
    about = known(model)
    names = dict.fromkeys(name for node in calls for name in node.input if name)
    small = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    small.graph.node.extend(calls)
    small.graph.initializer.extend(_named(about.tensors[name], name) for name in names if name in about.tensors)
    small.graph.input.extend(
        onnx.ValueInfoProto(name=name, type=onnx.TypeProto.FromString(_type(name, about)))
        for name in names
        if name not in about.tensors
    )
    small.graph.output.extend(onnx.ValueInfoProto(name=name) for node in calls for name in node.output if name)
    inside: set[str] = set()
    functions = {qualified(node.op_type, node.domain) for node in calls}
    for _ in range(_DEEPEST):
        made = with_bodies_of(small, frozenset(functions))
        if made is None:
            break
        present = {qualified(node.op_type, node.domain) for node in facts.nodes(made)}
        inside |= present
        small, functions = made, set(functions_in_the_standard(present))
    return frozenset(inside - set(first))


def _named(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    copy = onnx.TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy


def functions_in_the_standard(names: Iterable[str]) -> frozenset[str]:
    """Return those of some qualified names that have a body in the standard."""
    return frozenset(names) & all_functions()


@functools.cache
def all_functions() -> frozenset[str]:
    """Return the qualified names of all operators that have a body in the standard."""
    schemas: Iterable[Any] = defs.get_all_schemas_with_history()
    return frozenset(
        qualified(schema.name, schema.domain)
        for schema in schemas
        if schema.has_function or schema.has_context_dependent_function
    )
