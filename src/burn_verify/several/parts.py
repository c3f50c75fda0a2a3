"""Graphs of one operator that are known to agree, as parts of graphs of several.

A part is a generated graph (`cases.generated`) whose operator's cell the packaged evidence calls right. Makes protobuf
messages; runs nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.cases.generated.build import Choice, Space, model_of
from burn_verify.cases.generated.operator_spec import DTYPE, Dim, Operand, OperatorSpec
from burn_verify.cases.generated.profiles import choices
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.generated.typed import InvalidGraph, refusals, typed
from burn_verify.forecast.cells import cells
from burn_verify.forecast.endings import Ending
from burn_verify.forecast.evidence import Evidence
from burn_verify.graph.dtypes import dtype_of
from burn_verify.graph.operators import RANDOM, since_version
from burn_verify.several.corpus import OPSET

DTYPES: Final = ("float32", "int64", "bool")
"""The dtypes of parts: of these nearly every operator has cells, so that parts fit together."""

_USUAL: Final = 4
"""An operand that takes all values between -4 and 4 takes what another operator computes."""


@dataclass(frozen=True, slots=True)
class ValueType:
    """The type of a value between two nodes.

    Attributes:
        names: of each size, where it is symbolic; else empty.
    """

    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A graph of one operator.

    Attributes:
        model: its outputs have their types.
        free: inputs of the graph that take what another part computes.
        outputs: of the graph.
        constants: initializers that may be replaced by others of their type.
    """

    choice: Choice
    model: Any
    free: tuple[tuple[str, ValueType], ...]
    outputs: tuple[tuple[str, ValueType], ...]
    constants: tuple[tuple[str, ValueType], ...]

    @property
    def operator(self) -> str:
        """The type of its operator."""
        return self.choice.point.spec.op_type

    @property
    def symbolic(self) -> bool:
        """Whether its sizes are declared by name."""
        return self.choice.point.symbolic


def parts(evidence: Evidence, names: Iterable[str] | None = None) -> tuple[Part, ...]:
    """Return the parts that the evidence knows to be right, of the points near the default and of the ops profiles.

    Arguments:
        names: of operators; None for all.
    """
    specs = operator_specs()
    chosen = specs if names is None else names
    return tuple(part for name in chosen for part in _parts(specs[name], evidence))


def _parts(spec: OperatorSpec, evidence: Evidence) -> Iterator[Part]:
    version = since_version(spec.op_type, spec.domain, OPSET)
    if spec.domain or version is None or version < spec.since or spec.op_type in RANDOM:
        return
    usual = (choice for choice, _ in choices(spec, [version]) if choice.point.dtype in DTYPES)
    candidates = {choice.id: choice for choice in (*_near_default(Space(spec, version)), *usual)}
    for choice in candidates.values():
        if choice.call.nodes:
            continue
        try:
            with refusals():
                model = typed(model_of(choice))
        except InvalidGraph:
            continue
        model.opset_import[0].version = OPSET
        own = [placed.cell for placed in cells(model) if placed.cell.operator == spec.op_type]
        if all(evidence.only_ending_of(cell) is Ending.AGREES for cell in own) and (part := _part(choice, model)):
            yield part


def _near_default(space: Space) -> Iterator[Choice]:
    """Yield the points that differ from the default in one axis at most."""
    for dtype in space.axes[DTYPE]:
        if dtype not in DTYPES:
            continue
        default = {**space.default, DTYPE: dtype}
        for axis, values in space.axes.items():
            for value in values if axis != DTYPE else (dtype,):
                if (choice := space.choice({**default, axis: value})) is not None:
                    yield choice


def _part(choice: Choice, model: Any) -> Part | None:
    """Return the part of a choice; None where an output is no tensor of a known shape."""
    named = {name: size for name, operand in _operands(choice) for size in operand.shape for name in _name_of(size)}
    outputs = []
    for output in model.graph.output:
        found = _inferred(output.type.tensor_type, named)
        if found is None:
            return None
        outputs.append((output.name, found))
    of = {name: _declared(operand, symbolic=choice.point.symbolic) for name, operand in _operands(choice)}
    takes = [name for name, operand in _operands(choice) if _takes_anything(operand)]
    return Part(
        choice=choice,
        model=model,
        free=tuple((name, of[name]) for name in takes if choice.kinds[name] == "run"),
        outputs=tuple(outputs),
        constants=tuple((name, of[name]) for name in takes if choice.kinds[name] == "init"),
    )


def _operands(choice: Choice) -> Iterator[tuple[str, Operand]]:
    yield from ((name, operand) for name, operand in choice.call.inputs.items() if operand is not None)


def _name_of(size: int) -> tuple[str, ...]:
    return (size.name,) if isinstance(size, Dim) else ()


def _declared(operand: Operand, *, symbolic: bool) -> ValueType:
    names = (size.name if symbolic and isinstance(size, Dim) else "" for size in operand.shape)
    return ValueType(operand.dtype, tuple(map(int, operand.shape)), tuple(names))


def _inferred(tensor: Any, named: dict[str, int]) -> ValueType | None:
    if not tensor.elem_type or not tensor.HasField("shape"):
        return None
    sizes, names = [], []
    for dim in tensor.shape.dim:
        size = dim.dim_value if dim.HasField("dim_value") else named.get(dim.dim_param)
        if size is None:
            return None
        sizes.append(int(size))
        names.append(dim.dim_param)
    return ValueType(dtype_of(tensor.elem_type), tuple(sizes), tuple(names))


def _takes_anything(operand: Operand) -> bool:
    """Return whether an operand may have whatever value another operator computes: an index may not."""
    if operand.fixed is not None or operand.dtype not in DTYPES:
        return False
    if operand.dtype == "bool":
        return True
    wide = operand.low <= -_USUAL and operand.high >= _USUAL
    return wide and (operand.special or operand.dtype == "float32")
