"""Graphs of several operators, woven of parts: chains, diamonds, shared constants, dead ends, branches, loops.

What a graph is made of is drawn from its random generator alone. Makes protobuf messages and values; runs and checks
nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar

import numpy as np
import onnx
from onnx import helper, numpy_helper

from burn_verify.cases.generated.build import Choice, feeds_of, value_of
from burn_verify.cases.generated.resized import resized, sizes_of
from burn_verify.graph.dtypes import elem_type_of
from burn_verify.several.corpus import IR_VERSION, OPSET, SYMBOLIC
from burn_verify.several.parts import Part, ValueType
from burn_verify.several.woven import OTHER, SETS, SIZES, Woven
from burn_verify.system.wire import Array

_LONGEST: Final = 6
_REUSED: Final = 0.35
"""How often an operand is a value that is there already, where one fits."""
_SHOWN: Final = 0.3
"""How often a value that another node takes is an output of the graph as well."""
_MOST_OUTPUTS: Final = 4
_TRIPS: Final = 2
_SETTLED: Final = frozenset(
    {"Abs", "And", "Ceil", "Clip", "Floor", "Identity", "Max", "Min", "Or", "Relu", "Round", "Sign"}
)
"""Operators that change nothing the second time: a Loop of one would not tell how often it runs."""
_COUNT: Final = ValueType("int64", (), ())
_TRUTH: Final = ValueType("bool", (), ())

Value = tuple[str, ValueType]
_T = TypeVar("_T")


class NoSuchGraph(Exception):
    """The parts that were drawn do not fit together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Parts, and which of them fit together.

    Attributes:
        takers: parts by the type that one of their free inputs takes.
        pairs: every two operators of which the second takes what the first computes, in the order of their names.
        symbolic_pairs: those of parts whose sizes are declared by name.
    """

    parts: tuple[Part, ...]
    takers: Mapping[ValueType, tuple[Part, ...]]
    pairs: tuple[tuple[str, str], ...]
    symbolic_pairs: tuple[tuple[str, str], ...]

    def pairs_for(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return the pairs of which graphs of a kind are made."""
        return self.symbolic_pairs if kind == SYMBOLIC else self.pairs


def stocked(parts: Sequence[Part]) -> Stock:
    """Return parts with which of them fit together."""
    takers: dict[ValueType, list[Part]] = defaultdict(list)
    for part in parts:
        for kind in dict.fromkeys(kind for _, kind in part.free):
            takers[kind].append(part)
    found: dict[bool, set[tuple[str, str]]] = {False: set(), True: set()}
    for one in parts:
        for _, kind in one.outputs:
            fitting = (other for other in takers.get(kind, ()) if other.symbolic == one.symbolic)
            found[one.symbolic].update((one.operator, other.operator) for other in fitting)
    frozen = {kind: tuple(several) for kind, several in takers.items()}
    pairs, symbolic = (tuple(sorted(found[named])) for named in (False, True))
    return Stock(parts=tuple(parts), takers=frozen, pairs=pairs, symbolic_pairs=symbolic)


def woven(kind: str, stock: Stock, pair: tuple[str, str], rng: Random) -> Woven:
    """Return a graph of a kind, in which the second operator of a pair takes what the first computes.

    Raises:
        NoSuchGraph: what was drawn does not fit together.
    """
    weaving = _Weaving(stock, rng)
    _KINDS[kind](weaving, pair)
    return weaving.done(kind, pair)


class _Weaving:
    """A graph in the making."""

    def __init__(self, stock: Stock, rng: Random) -> None:
        self.stock = stock
        self.rng = rng
        self.values: list[Value] = []
        self.taken: set[str] = set()
        self.hidden: set[str] = set()
        self._used: list[tuple[str, Part, frozenset[str]]] = []
        self._inputs: list[Any] = []
        self._initializers: dict[str, Any] = {}
        self._nodes: list[Any] = []
        self._more: list[tuple[str, Sequence[Array]]] = []

    def add(self, part: Part, fed: Mapping[str, str] | None = None, within: list[Any] | None = None) -> list[Value]:
        """Add a part, and return its outputs.

        Arguments:
            fed: values in place of inputs or initializers of the part, by name.
            within: the nodes of an inner graph, to which the part is added instead; its values stay inside.
        """
        prefix = f"n{len(self._used)}_"
        fed = dict(fed or {})
        for name, kind in part.free:
            known = [value for value, other in self.values if other == kind]
            if name not in fed and known and self.rng.random() < _REUSED:
                fed[name] = self.pick(known)
        self.taken.update(fed.values())

        def renamed(name: str) -> str:
            return fed.get(name, f"{prefix}{name}") if name else ""

        graph = part.model.graph
        nodes = within if within is not None else self._nodes
        for place, node in enumerate(graph.node):
            made = onnx.NodeProto()
            made.CopyFrom(node)
            made.name = f"{prefix}{place}"
            made.input[:] = [renamed(name) for name in node.input]
            made.output[:] = [f"{prefix}{name}" if name else "" for name in node.output]
            nodes.append(made)
        for info in graph.input:
            if info.name not in fed:
                declared = onnx.ValueInfoProto()
                declared.CopyFrom(info)
                declared.name = renamed(info.name)
                self._inputs.append(declared)
        for tensor in graph.initializer:
            if tensor.name not in fed:
                self.constant(renamed(tensor.name), tensor)
        self._used.append((prefix, part, frozenset(fed)))
        outputs = [(f"{prefix}{name}", kind) for name, kind in part.outputs]
        if within is None:
            self.values += outputs
        return outputs

    def constant(self, name: str, tensor: Any) -> str:
        """Add an initializer, and return its name."""
        made = onnx.TensorProto()
        made.CopyFrom(tensor)
        made.name = name
        self._initializers[name] = made
        return name

    def node(self, op_type: str, inputs: Sequence[str], output: Value, **attributes: Any) -> Value:
        """Add a node of its own, and return its output."""
        self.taken.update(inputs)
        self._nodes.append(helper.make_node(op_type, inputs, [output[0]], name=output[0], **attributes))
        self.values.append(output)
        return output

    def input(self, name: str, dtype: str, arrays: Sequence[Array]) -> str:
        """Add an input of its own, with its value in each data set, and return its name."""
        self._inputs.append(helper.make_tensor_value_info(name, elem_type_of(dtype), arrays[0].shape))
        self._more.append((name, arrays))
        return name

    def some(self, parts: Sequence[Part], *, symbolic: bool = False) -> Part:
        """Return one of several parts."""
        return self.pick([part for part in parts if part.symbolic == symbolic])

    def pick(self, several: Sequence[_T]) -> _T:
        """Return one of several things.

        Raises:
            NoSuchGraph: there is none.
        """
        if not several:
            raise NoSuchGraph
        return self.rng.choice(several)

    def taker(self, value: Value, *, symbolic: bool = False) -> Part:
        """Return a part that takes a value."""
        return self.some(self.stock.takers.get(value[1], ()), symbolic=symbolic)

    def put(self, part: Part, value: Value, within: list[Any] | None = None) -> list[Value]:
        """Add a part that takes a value at one of its inputs."""
        places = [name for name, kind in part.free if kind == value[1]]
        return self.add(part, {self.pick(places): value[0]}, within)

    def begin(self, pair: tuple[str, str], *, symbolic: bool = False) -> Value:
        """Add a part of each operator of a pair, and return an output of the second."""
        one, other = pair
        fitting = [
            (first, second)
            for first in self.stock.parts
            if first.operator == one and first.symbolic == symbolic
            for kind in dict.fromkeys(kind for _, kind in first.outputs)
            for second in self.stock.takers.get(kind, ())
            if second.operator == other and second.symbolic == symbolic
        ]
        first, second = self.pick(fitting)
        made = self.add(first)
        kinds = {kind for _, kind in second.free}
        return self.last(self.put(second, self.pick([value for value in made if value[1] in kinds])))

    def last(self, outputs: Sequence[Value]) -> Value:
        """Return the output with which a graph goes on."""
        return self.pick(outputs)

    def go_on(self, value: Value, *, symbolic: bool = False) -> Value:
        """Add parts one after the other until the graph is as long as drawn, or nothing fits."""
        for _ in range(self.rng.randint(0, _LONGEST - 2)):
            try:
                value = self.last(self.put(self.taker(value, symbolic=symbolic), value))
            except NoSuchGraph:
                break
        return value

    def done(self, kind: str, pair: tuple[str, str]) -> Woven:
        """Return the graph."""
        outputs = [name for name, _ in self.values if name not in self.hidden and self._is_output(name)]
        if not outputs:
            raise NoSuchGraph
        infos = [helper.make_empty_tensor_value_info(name) for name in outputs[-_MOST_OUTPUTS:]]
        graph = helper.make_graph(self._nodes, "several", self._inputs, infos, [*self._initializers.values()])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="burn-verify"
        )
        operators = tuple(part.operator for _, part, _ in self._used)
        return Woven(kind=kind, operators=operators, model=model, sets=dict(self._sets()), pair=pair)

    def _is_output(self, name: str) -> bool:
        return name not in self.taken or self.rng.random() < _SHOWN

    def _sets(self) -> Iterator[tuple[str, dict[str, Array]]]:
        names = [info.name for info in self._inputs]
        sizes = {name: size for _, part, _ in self._used for name, size in sizes_of(part.choice).items()}
        for place, data_set in enumerate(SETS):
            if data_set == SIZES and not sizes:
                return
            grown = {name: size + 1 for name, size in sizes.items()} if data_set == SIZES else {}
            values = {name: arrays[place % len(arrays)] for name, arrays in self._more}
            for number, (prefix, part, fed) in enumerate(self._used):
                choice = resized(part.choice, {**sizes_of(part.choice), **grown}) if grown else part.choice
                if choice is None:
                    return
                turn = 2 * number + (data_set == OTHER)
                own = feeds_of(choice, {name: _value(choice, name, turn) for name in choice.kinds})
                values |= {f"{prefix}{name}": array for name, array in own.items() if name not in fed}
            yield data_set, {name: values[name] for name in names}


def _info(name: str, kind: ValueType) -> Any:
    return helper.make_tensor_value_info(name, elem_type_of(kind.dtype), kind.shape)


def _value(choice: Choice, name: str, turn: int) -> Array:
    operand = choice.call.inputs[name]
    assert operand is not None
    return value_of(choice, name, turn if operand.fixed is None and choice.kinds[name] == "run" else 0)


def _chain(weaving: _Weaving, pair: tuple[str, str]) -> None:
    weaving.go_on(weaving.begin(pair))


def _symbolic(weaving: _Weaving, pair: tuple[str, str]) -> None:
    weaving.go_on(weaving.begin(pair, symbolic=True), symbolic=True)


def _diamond(weaving: _Weaving, pair: tuple[str, str]) -> None:
    """Two parts take one value, and a third takes what both compute."""
    side = weaving.begin(pair)
    joins = [
        (part, [name for name, kind in part.free if kind == side[1]])
        for part in weaving.stock.takers.get(side[1], ())
        if not part.symbolic
    ]
    joins = [(part, places) for part, places in joins if len(places) > 1]
    others = [
        (value, part)
        for value in weaving.values
        if value != side
        for part in weaving.stock.takers.get(value[1], ())
        if not part.symbolic and any(kind == side[1] for _, kind in part.outputs)
    ]
    value, part = weaving.pick(others)
    made = [one for one in weaving.put(part, value) if one[1] == side[1]]
    join, places = weaving.pick(joins)
    first, second = weaving.rng.sample(places, 2)
    weaving.go_on(weaving.last(weaving.add(join, {first: side[0], second: made[0][0]})))


def _shared(weaving: _Weaving, pair: tuple[str, str]) -> None:
    """Two parts have one constant."""
    value = weaving.go_on(weaving.begin(pair))
    with_constants = [part for part in weaving.stock.parts if part.constants and not part.symbolic]
    first = weaving.pick(with_constants)
    name, kind = weaving.pick(first.constants)
    fed = {place: value[0] for place, taken in first.free[:1] if taken == value[1]}
    prefix = f"n{len(weaving._used)}_"
    weaving.add(first, fed)
    fitting = [
        (part, own) for part in with_constants for own, other in part.constants if other == kind and part is not first
    ]
    second, own = weaving.pick(fitting)
    weaving.add(second, {own: f"{prefix}{name}"})


def _dead_end(weaving: _Weaving, pair: tuple[str, str]) -> None:
    """What a part computes of a value between two others is used by nobody."""
    weaving.go_on(weaving.begin(pair))
    value = weaving.pick(weaving.values)
    weaving.hidden.update(name for name, _ in weaving.put(weaving.taker(value), value))


def _branch(weaving: _Weaving, pair: tuple[str, str]) -> None:
    """An If, each of whose branches is a part that takes the same value."""
    value = weaving.begin(pair)
    by_type: dict[ValueType, list[Part]] = defaultdict(list)
    for part in weaving.stock.takers.get(value[1], ()):
        for kind in dict.fromkeys(kind for _, kind in part.outputs):
            if not part.symbolic:
                by_type[kind].append(part)
    kinds = [kind for kind, several in by_type.items() if len({part.operator for part in several}) > 1]
    kind = weaving.pick(kinds)
    graphs = []
    for word in ("then", "else"):
        nodes: list[Any] = []
        made = weaving.put(weaving.pick(by_type[kind]), value, nodes)
        name = next(name for name, other in made if other == kind)
        graphs.append(helper.make_graph(nodes, word, [], [_info(name, kind)]))
    condition = weaving.input("condition", "bool", [np.array(True), np.array(False)])
    chosen = weaving.node("If", [condition], ("chosen", kind), then_branch=graphs[0], else_branch=graphs[1])
    weaving.taken.add(value[0])
    weaving.go_on(chosen)


def _loop(weaving: _Weaving, pair: tuple[str, str]) -> None:
    """A Loop whose body is a part that gives what it takes."""
    value = weaving.begin(pair)
    steady = [
        part
        for part in weaving.stock.takers.get(value[1], ())
        if not part.symbolic and part.operator not in _SETTLED and any(kind == value[1] for _, kind in part.outputs)
    ]
    carried: Value = ("carried", value[1])
    nodes: list[Any] = []
    made = weaving.put(weaving.some(steady), carried, nodes)
    name = next(name for name, kind in made if kind == value[1])
    nodes.append(helper.make_node("Identity", ["going"], ["go_on"]))
    body = helper.make_graph(
        nodes,
        "body",
        [_info("trip", _COUNT), _info("going", _TRUTH), _info(*carried)],
        [_info("go_on", _TRUTH), _info(name, value[1])],
    )
    weaving.taken.discard("carried")
    weaving.constant("trips", numpy_helper.from_array(np.asarray(_TRIPS, dtype=np.int64)))
    weaving.go_on(weaving.node("Loop", ["trips", "", value[0]], ("looped", value[1]), body=body))


_KINDS: Final[Mapping[str, Callable[[_Weaving, tuple[str, str]], None]]] = {
    "chain": _chain,
    "diamond": _diamond,
    "shared": _shared,
    "dead-end": _dead_end,
    "branch": _branch,
    "loop": _loop,
    SYMBOLIC: _symbolic,
}
