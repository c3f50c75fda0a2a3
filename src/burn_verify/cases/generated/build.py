"""From a row of axes to a model: the kinds of operands, the inputs of the graph, and the id of the case.

Makes protobuf messages and values; runs and checks nothing.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.cases.generated.operator_spec import (
    DIMS,
    DTYPE,
    FIRST_OPSET,
    KINDS,
    OMIT,
    Call,
    Dim,
    NotApplicable,
    Operand,
    OperatorSpec,
    Point,
    axes_of,
)
from burn_verify.cases.generated.values import near, ordinary
from burn_verify.graph.dtypes import elem_type_of
from burn_verify.graph.operators import dtypes_of, qualified, since_version

_MOST_ELEMENTS: Final = 4096
_FAR: Final = 2**62
_IR_VERSION: Final = 8
_OPSET_BESIDE_ML: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One graph to make: a point of an operator spec, and the kind of each operand.

    Attributes:
        row: the value of every axis, those of operands included; values that differ from the default row are in the id.
    """

    point: Point
    call: Call
    kinds: Mapping[str, str]
    row: Mapping[str, Any]
    default: Mapping[str, Any]

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Every axis but the dtype with its value, as text."""
        return tuple((axis, label(axis, value)) for axis, value in self.row.items() if axis != DTYPE)

    @property
    def id(self) -> str:
        """The id of the case."""
        spec = self.point.spec
        name = qualified(spec.op_type, spec.domain)
        changed = [f"{axis}={text}" for axis, text in self.labels if text != label(axis, self.default.get(axis, OMIT))]
        return f"{CORPUS}/{name}-{self.point.version}/{self.point.dtype}/{','.join(changed) or 'default'}"


def label(axis: str, value: Any) -> str:
    """Return the value of an axis as text for an id."""
    match value:
        case bool():
            return str(value).lower()
        case tuple() if any(isinstance(part, tuple) or part == OMIT for part in value):
            return "~".join(label(axis, part) for part in value)
        case tuple():
            return "x".join(label(axis, part) for part in value) or ("rank0" if "shape" in axis else "none")
        case int() if abs(value) > _FAR:
            return "max" if value > 0 else "-max"
    return str(value)


def fits(operand: Operand, kind: str) -> bool:
    """Return whether an operand can have a kind: the output of ``Shape`` is int64 and never negative."""
    if kind not in operand.kinds:
        return False
    if kind not in ("shape", "gathered"):
        return True
    if operand.dtype != "int64" or len(operand.shape) != (1 if kind == "shape" else 0):
        return False
    if operand.fixed is None:
        return operand.low <= 0 <= operand.high
    return bool((operand.fixed >= 0).all()) and int(np.prod(operand.fixed)) <= _MOST_ELEMENTS


def usual_kind(operand: Operand) -> str:
    """Return the default kind of an operand: initializer for a fixed value, else runtime input."""
    preferred = "init" if operand.fixed is not None else "run"
    return preferred if preferred in operand.kinds else operand.kinds[0]


class Space:
    """All axes of an operator spec in a version, those of operands and dimensions included."""

    def __init__(self, spec: OperatorSpec, version: int) -> None:
        self.spec = spec
        self.version = version
        self.own = axes_of(spec, version)
        operands = [(self.kind_axis(name), operand) for name, operand in self._operands()]
        self.kinds: dict[str, tuple[str, ...]] = {}
        for axis, operand in operands:
            known = self.kinds.get(axis, (usual_kind(operand),))
            self.kinds[axis] = tuple(dict.fromkeys((*known, *(kind for kind in KINDS if self._fits(operand, kind)))))
        varies = any(isinstance(size, Dim) for _, operand in operands for size in operand.shape)
        dims = {DIMS: ("static", "symbolic")} if varies else {}
        self.axes: dict[str, tuple[Any, ...]] = {**self.own, **self.kinds, **dims}
        self.default = {axis: values[0] for axis, values in self.axes.items()}

    def choice(self, row: Mapping[str, Any]) -> Choice | None:
        """Return the graph of a row, kinds that do not fit replaced by the usual ones; None where there is none."""
        point = self._point(row)
        try:
            call = self.spec.make(point)
        except NotApplicable:
            return None
        there = {name: operand for name, operand in call.inputs.items() if operand is not None}
        kinds = {name: self._kind(operand, row.get(self.kind_axis(name), "")) for name, operand in there.items()}
        named = any(
            isinstance(size, Dim) for name, one in there.items() if kinds[name] == "run" for size in one.shape
        ) or any(kind in ("shape", "gathered") for kind in kinds.values())
        final = {axis: value for axis, value in row.items() if axis in self.own}
        kinds_by_axis = {self.kind_axis(name): kind for name, kind in kinds.items()}
        final |= {axis: kinds_by_axis.get(axis, usual[0]) for axis, usual in self.kinds.items()}
        if DIMS in self.axes:
            final[DIMS] = row[DIMS] if named else "static"
        point = self._point(final)
        return Choice(point=point, call=self.spec.make(point), kinds=kinds, row=final, default=self.default)

    def choice_of(self, dtype: str, labels: Mapping[str, str]) -> Choice | None:
        """Return the graph of axes given as text, see `Choice.labels`; None where an axis has no such value."""
        row: dict[str, Any] = {DTYPE: dtype}
        for axis, values in self.axes.items():
            if axis != DTYPE:
                found = next((value for value in values if label(axis, value) == labels.get(axis)), None)
                if found is None:
                    return None
                row[axis] = found
        return self.choice(row)

    def kind_axis(self, name: str) -> str:
        """Return the name of the axis of an operand's kinds: the operand's, unless another axis has it."""
        return f"{name}_as" if name in self.own else name

    def _kind(self, operand: Operand, kind: str) -> str:
        return kind if kind and self._fits(operand, kind) else usual_kind(operand)

    def _fits(self, operand: Operand, kind: str) -> bool:
        opset = _OPSET_BESIDE_ML if self.spec.domain else max(self.version, FIRST_OPSET)
        if kind == "const" and operand.dtype not in _constants(opset):
            return False
        return fits(operand, kind)

    def _point(self, row: Mapping[str, Any]) -> Point:
        values = {axis: value for axis, value in row.items() if axis in self.own or axis == DIMS}
        return Point(spec=self.spec, version=self.version, values=values)

    def _operands(self) -> Iterator[tuple[str, Operand]]:
        """Yield the operands of the default point, and of each that differs from it in one axis."""
        default = {axis: values[0] for axis, values in self.own.items()}
        points = [default, *({**default, axis: value} for axis, values in self.own.items() for value in values)]
        points += [{**default, **home} for home in self.spec.homes.values()]
        for values in points:
            try:
                call = self.spec.make(self._point(values))
            except NotApplicable:
                continue
            yield from ((name, operand) for name, operand in call.inputs.items() if operand is not None)


@functools.cache
def _constants(opset: int) -> tuple[str, ...]:
    """Return the dtypes that a ``Constant`` node may have at an opset."""
    version = since_version("Constant", "", opset)
    assert version is not None
    return dtypes_of("Constant", "", version)


def value_of(choice: Choice, name: str, turn: int = 0) -> npt.NDArray[Any]:
    """Return the ordinary value of an operand; as an output of ``Shape`` it is small and not negative.

    Arguments:
        turn: 0 for the value of the case itself, 1 and more for others.
    """
    operand = choice.call.inputs[name]
    assert operand is not None
    seed = [choice.point.spec.op_type, name, *([str(turn)] if turn else [])]
    value = near(operand, *seed) if turn and operand.fixed is not None else ordinary(operand, *seed, phase=turn % 2)
    from_shape = choice.kinds[name] in ("shape", "gathered") and (operand.fixed is None or turn > 0)
    return np.minimum(np.abs(value), min(4, int(operand.high))) if from_shape else value


def other_values(choice: Choice, turn: int) -> dict[str, npt.NDArray[Any]]:
    """Return other ordinary values of the operands that arrive at run time, of a turn from 1; the model is the same."""
    free = free_kinds(choice)
    return {name: value_of(choice, name, turn if kind in free else 0) for name, kind in choice.kinds.items()}


def free_kinds(choice: Choice) -> tuple[str, ...]:
    """Return the kinds of operands whose values may vary once the graph is compiled."""
    return ("run", "shape", "gathered") if choice.point.symbolic else ("run",)


def feeds_of(choice: Choice, values: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the graph's inputs, in their order, for values of the operands.

    The input for an operand from ``Shape`` is a tensor of zeros with that shape.
    """
    feeds = {}
    for name, kind in choice.kinds.items():
        if kind == "run":
            feeds[name] = values[name]
        elif kind in ("shape", "gathered"):
            feeds[f"{name}_of"] = np.zeros(tuple(map(int, np.atleast_1d(values[name]))), dtype=np.float32)
    return feeds


def model_of(choice: Choice, values: Mapping[str, npt.NDArray[Any]] | None = None) -> Any:
    """Return the model of a choice; its outputs have no type yet.

    Arguments:
        values: of the operands, instead of their ordinary ones.
    """
    from onnx import helper

    values = values or {name: value_of(choice, name) for name in choice.kinds}
    made = _OperandSources(choice, values)
    nodes = [*made.nodes, *(choice.call.nodes or (_node(choice),))]
    outputs = [helper.make_empty_tensor_value_info(name) for name in _outputs(choice) if name]
    graph = helper.make_graph(nodes, "generated", made.inputs, outputs, made.initializers)
    spec = choice.point.spec
    opsets = [helper.make_opsetid(spec.domain, choice.point.opset)]
    if spec.domain:
        opsets.append(helper.make_opsetid("", _OPSET_BESIDE_ML))
    ir_version = max(_IR_VERSION, helper.find_min_ir_version_for(opsets, ignore_unknown=True))
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name="burn-verify")


def _node(choice: Choice) -> Any:
    from onnx import helper

    spec = choice.point.spec
    names = [name if operand is not None else "" for name, operand in choice.call.inputs.items()]
    while names and not names[-1]:
        names.pop()
    attributes = {name: _plain(value) for name, value in choice.call.attributes.items()}
    return helper.make_node(spec.op_type, names, _outputs(choice), domain=spec.domain, **attributes)


def _outputs(choice: Choice) -> list[str]:
    """Return the names of the outputs, none of them the name of an input."""
    return [f"{name}_out" if name in choice.call.inputs else name for name in choice.call.outputs]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class _OperandSources:
    """Inputs, initializers and nodes that provide the operands."""

    def __init__(self, choice: Choice, values: Mapping[str, npt.NDArray[Any]]) -> None:
        self._symbolic = choice.point.symbolic
        self.inputs: list[Any] = []
        self.initializers: list[Any] = []
        self.nodes: list[Any] = []
        for name, kind in choice.kinds.items():
            operand = choice.call.inputs[name]
            assert operand is not None
            if kind == "run":
                self._input(name, operand.dtype, operand.shape)
            elif kind in ("init", "const"):
                self._known(name, operand, values[name], kind)
            else:
                self._from_shape(name, values[name], kind)

    def _input(self, name: str, dtype: str, shape: tuple[int, ...]) -> None:
        from onnx import helper

        dims = [size.name if self._symbolic and isinstance(size, Dim) else int(size) for size in shape]
        self.inputs.append(helper.make_tensor_value_info(name, elem_type_of(dtype), dims))

    def _known(self, name: str, operand: Operand, value: npt.NDArray[Any], kind: str) -> None:
        from onnx import helper

        tensor = _tensor(name, operand, value)
        if kind == "init":
            self.initializers.append(tensor)
        else:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))

    def _from_shape(self, name: str, value: npt.NDArray[Any], kind: str) -> None:
        from onnx import helper, numpy_helper

        sizes = np.atleast_1d(value)
        named = tuple(Dim(int(size), f"{name}_{place}") for place, size in enumerate(sizes))
        self._input(f"{name}_of", "float32", named)
        if kind == "shape":
            self.nodes.append(helper.make_node("Shape", [f"{name}_of"], [name]))
            return
        self.initializers.append(numpy_helper.from_array(np.asarray(0, dtype=np.int64), f"{name}_at"))
        self.nodes.append(helper.make_node("Shape", [f"{name}_of"], [f"{name}_shape"]))
        self.nodes.append(helper.make_node("Gather", [f"{name}_shape", f"{name}_at"], [name], axis=0))


def _tensor(name: str, operand: Operand, value: npt.NDArray[Any]) -> Any:
    from onnx import helper, numpy_helper

    if operand.dtype == "string":
        text = [str(word).encode() for word in value.reshape(-1)]
        return helper.make_tensor(name, elem_type_of("string"), value.shape, text)  # type: ignore[arg-type]
    return numpy_helper.from_array(value, name)
