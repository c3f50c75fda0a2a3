"""The cells of a model: what of each node may decide whether Burn computes it, as named facets.

A facet is the since_version, an attribute, or the dtype, kind, rank or value of an operand. Constants are cells as
well, and so are the inputs and outputs of the graph. Takes a protobuf message; infers and runs nothing.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import onnx

from burn_verify.forecast.values import ABSENT, CONSTANT, INITIALIZER, Value, known_values
from burn_verify.graph.dtypes import ELEM_TYPES
from burn_verify.graph.facts import runtime_inputs, text
from burn_verify.graph.operators import canonical, qualified, schema_of

VERSION: Final = "since_version"
"""The facet that nodes of operators known to onnx have."""

TENSOR: Final = "Constant"
"""The operator of constants: burn-onnx makes a node of it of every initializer."""

INTERFACE: Final = "graph interface"
"""In place of the operator, for an input or output of the graph."""

OUTPUT: Final = "output"
"""The first output, in the names of facets."""

_VARIADIC: Final = 3
"""Further operands of a variadic input have no facets of their own."""

_MANY: Final = 8
"""Elements of a constant, or items of an attribute, that are still shown."""

_LONG: Final = 60
"""Characters of a value that are kept."""


@dataclass(frozen=True)
class Cell:
    """What decides whether Burn computes one node rightly; equal for nodes that differ in nothing that decides.

    Attributes:
        operator: qualified name, `INTERFACE`, or `TENSOR` for every constant.
        facets: name and value, sorted by name; what is not known is missing.
    """

    operator: str
    facets: tuple[tuple[str, str], ...]

    @functools.cached_property
    def by_name(self) -> Mapping[str, str]:
        """The facets by name."""
        return dict(self.facets)

    @functools.cached_property
    def facet_set(self) -> frozenset[tuple[str, str]]:
        """The facets as a set."""
        return frozenset(self.facets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A cell and where it stands in its model.

    Attributes:
        name: of the node, initializer, input or output; may be empty for a node.
        outputs: names of the node's outputs; empty ones are left out.
        number: of the node among those of its operator, from 1, in the order of the graphs; 0 for what is no node.
    """

    cell: Cell
    name: str
    outputs: tuple[str, ...] = ()
    number: int = 0

    @property
    def label(self) -> str:
        """How a message calls it: by its name, else by its first output."""
        return self.name or next(iter(self.outputs), "")


def cells(model: onnx.ModelProto) -> tuple[Placed, ...]:
    """Return the cells of a model: nodes in the order of the graphs, constants, the graph's inputs and outputs.

    Raises:
        ValueError: the model is damaged.
    """
    versions = _versions(model.opset_import)
    walk = _Walk()
    values = walk.graph(model.graph, versions, {})
    for function in model.functions:
        walk.nodes(function.node, _versions(function.opset_import) or versions, {})
    return (*walk.found, *_interface(model.graph, values))


@dataclass(slots=True)
class _Walk:
    """Collects the cells of graphs and the graphs inside their nodes."""

    found: list[Placed] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def graph(
        self, graph: onnx.GraphProto, versions: Mapping[str, int], outer: Mapping[str, Value]
    ) -> Mapping[str, Value]:
        values = {**outer, **known_values(graph)}
        self.nodes(graph.node, versions, values)
        for tensor in graph.initializer:
            name = text(tensor.name)
            self.found.append(Placed(cell=_constant(values[name]), name=name))
        return values

    def nodes(self, nodes: Sequence[onnx.NodeProto], versions: Mapping[str, int], values: Mapping[str, Value]) -> None:
        for node in nodes:
            operator = qualified(text(node.op_type), text(node.domain))
            self.counts[operator] = self.counts.get(operator, 0) + 1
            self.found.append(
                Placed(
                    cell=_cell(node, operator, versions, values),
                    name=text(node.name),
                    outputs=tuple(text(name) for name in node.output if name),
                    number=self.counts[operator],
                )
            )
            for attribute in node.attribute:
                for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                    self.graph(inner, versions, values)


def _versions(imports: Sequence[onnx.OperatorSetIdProto]) -> dict[str, int]:
    return {canonical(text(entry.domain)): entry.version for entry in imports}


def _made(operator: str, facets: Iterator[tuple[str, str]]) -> Cell:
    return Cell(operator, tuple(sorted(dict(facets).items())))


def _cell(node: onnx.NodeProto, operator: str, versions: Mapping[str, int], values: Mapping[str, Value]) -> Cell:
    if operator == TENSOR and node.output:
        return _constant(values.get(text(node.output[0]), Value(kind=CONSTANT)))
    return _made(operator, _facets(node, versions, values))


def _constant(value: Value) -> Cell:
    kind = INITIALIZER if value.kind == INITIALIZER else CONSTANT
    described = (pair for pair in _described(OUTPUT, value) if not pair[0].endswith(" value"))
    return _made(TENSOR, iter([("is", kind), *described]))


def _interface(graph: onnx.GraphProto, values: Mapping[str, Value]) -> Iterator[Placed]:
    for side, infos in (("input", runtime_inputs(graph)), ("output", graph.output)):
        for info in infos:
            value = values.get(text(info.name), Value())
            rank = "unknown" if value.shape is None else "0" if not value.shape else "above 0"
            facets = [("is", side), (f"{side} dtype", value.dtype or "unknown"), (f"{side} rank", rank)]
            yield Placed(cell=_made(INTERFACE, iter(facets)), name=text(info.name))


def _facets(
    node: onnx.NodeProto, versions: Mapping[str, int], values: Mapping[str, Value]
) -> Iterator[tuple[str, str]]:
    schema = _schema(node, versions)
    if schema is not None:
        yield VERSION, str(schema.since_version)
    yield from _attributes(node, schema)
    yield from _operands(node, [parameter.name for parameter in schema.inputs] if schema else [], values)
    results = [parameter.name for parameter in schema.outputs] if schema else []
    given = [_label(results, place) for place, name in enumerate(node.output) if name]
    yield "outputs", " ".join(given) if len(given) <= _VARIADIC else "many"
    if node.output and (value := values.get(text(node.output[0]))):
        yield from _described(OUTPUT, value)


def _operands(node: onnx.NodeProto, names: Sequence[str], values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    given = [text(name) for name in node.input]
    for place in range(max(len(names), min(len(given), len(names) + _VARIADIC))):
        label = _label(names, place)
        if place >= len(given) or not given[place]:
            yield f"{label} is", ABSENT
        else:
            value = values.get(given[place], Value())
            yield f"{label} is", value.kind
            yield from _described(label, value)
    present = [values.get(name, Value()) for name in given if name]
    yield "inputs", str(len(present)) if len(present) <= _MANY else "many"
    if len(present) > 1:
        yield "first two shapes", _relation(present[0].shape, present[1].shape)
    if present and all(value.fixed for value in present):
        yield "every input is", "constant"


def _described(label: str, value: Value) -> Iterator[tuple[str, str]]:
    if value.dtype:
        yield f"{label} dtype", value.dtype
    if value.shape is not None:
        yield f"{label} rank", str(len(value.shape))
        yield f"{label} sizes", "known" if all(isinstance(size, int) for size in value.shape) else "symbolic"
        if 0 in value.shape:
            yield f"{label} elements", "none"
    if value.array is not None and value.array.size <= _MANY:
        yield f"{label} value", "".join(str(value.array.tolist()).split())[:_LONG]


def _relation(one: Sequence[Any] | None, other: Sequence[Any] | None) -> str:
    if one is None or other is None:
        return "unknown"
    if len(one) != len(other):
        return "of different ranks"
    return "equal" if one == other else "of one rank"


def _attributes(node: onnx.NodeProto, schema: Any) -> Iterator[tuple[str, str]]:
    given = {text(attribute.name): attribute for attribute in node.attribute}
    declared = dict(schema.attributes) if schema is not None else {}
    for name in {*given, *declared}:
        if name in given:
            yield name, _attribute(given[name])
        else:
            default = declared[name].default_value
            yield name, _attribute(default) if default.type else "not set"


def _attribute(attribute: onnx.AttributeProto) -> str:
    if attribute.ref_attr_name:
        return "of the function"
    match attribute.type:
        case onnx.AttributeProto.INT:
            return str(attribute.i)
        case onnx.AttributeProto.FLOAT:
            return f"{attribute.f:g}"
        case onnx.AttributeProto.STRING:
            return _shown(attribute.s)
        case onnx.AttributeProto.INTS:
            return _listed([str(item) for item in attribute.ints[: _MANY + 1]])
        case onnx.AttributeProto.FLOATS:
            return _listed([f"{item:g}" for item in attribute.floats[: _MANY + 1]])
        case onnx.AttributeProto.STRINGS:
            return _listed([_shown(item) for item in attribute.strings[: _MANY + 1]])
        case onnx.AttributeProto.TENSOR:
            return f"{ELEM_TYPES.get(attribute.t.data_type, 'unknown')} of rank {len(attribute.t.dims)}"
        case kind if kind in onnx.AttributeProto.AttributeType.values():
            return f"a {onnx.AttributeProto.AttributeType.Name(kind).lower()}"
        case _:
            return "unknown"


def _listed(items: Sequence[str]) -> str:
    return " ".join(items)[:_LONG] or "empty" if len(items) <= _MANY else "many"


def _shown(value: bytes) -> str:
    return value.decode(errors="replace")[:_LONG] or "empty"


def _schema(node: onnx.NodeProto, versions: Mapping[str, int]) -> Any:
    domain = canonical(node.domain)
    return schema_of(node.op_type, versions[domain], domain) if domain in versions else None


def _label(names: Sequence[str], place: int) -> str:
    if not names:
        return f"#{place}"
    return names[place] if place < len(names) else f"{names[-1]}+{place - len(names) + 1}"
