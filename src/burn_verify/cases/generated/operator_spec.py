"""The types that declare the graphs of an operator: its spec, a point of its axes, and a call.

An `OperatorSpec` has axes; a `Point` has one value of each; the spec's `make` returns a `Call` for it: operands with
their ranges, and attributes. Makes no protobuf (see `build`) and chooses no points (see `covering`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import STRING, numpy_dtype
from burn_verify.graph.operators import all_dtypes_of, attributes_of, dtypes_of

OMIT: Final = "omit"
"""The value of an axis for an omitted attribute or optional input."""

DTYPE: Final = "dtype"
DIMS: Final = "dims"
"""The axes that every operator spec has beside its own and one for each operand."""

KINDS: Final = ("run", "init", "const", "shape", "gathered")
"""The kinds of an operand: runtime input, initializer, ``Constant`` node, output of ``Shape``, one element of that."""

FIRST_OPSET: Final = 7
"""The oldest opset of generated graphs."""


class NotApplicable(Exception):
    """Values of axes that exclude each other; such a point has no graph."""


class Dim(int):
    """A size with a name: where dimensions are symbolic, it is declared by its name, and examples may change it."""

    name: str

    def __new__(cls, size: int, name: str) -> "Dim":
        """Make a size with a name."""
        made = super().__new__(cls, size)
        made.name = name
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One input of the operator.

    Attributes:
        shape: sizes, those that may vary as `Dim`.
        fixed: its only value, such as axes; None where values are drawn.
        low, high: the range of ordinary values, both included.
        special: whether NaN, infinities and extremes are in the operator's domain here.
        kinds: its kinds; those of `KINDS` that its value cannot have are left out in any case.
        ties: values that stand by turns at every other place of the ordinary values, so that equal ones are compared,
            or what the operator looks for is there.
    """

    dtype: str
    shape: tuple[int, ...]
    fixed: npt.NDArray[Any] | None = None
    low: float = -4.0
    high: float = 4.0
    special: bool = True
    ties: tuple[float, ...] = ()
    kinds: tuple[str, ...] = KINDS


Inputs: TypeAlias = Mapping[str, Operand | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One use of an operator.

    Attributes:
        inputs: operands by name, in the order of the schema; None where one is omitted.
        outputs: names of the outputs, empty where one is omitted.
        nodes: instead of one node of the operator: several (`onnx.NodeProto`) that use the operands by name.
    """

    inputs: Inputs
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("Y",)
    nodes: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSpec:
    """The declaration of an operator's graphs.

    Attributes:
        axes: values by name of axis; the first is the default. An axis named as an attribute is left out for versions
            that have no such attribute.
        make: raises `NotApplicable` where values exclude each other.
        dtypes: the values of the axis ``dtype``; empty for those of `parameter`.
        parameter: the type parameter that the axis ``dtype`` varies; empty for the widest of each version.
        since: the first version that `make` supports.
        homes: values of other axes that an axis' value needs, e.g. ``{"A=shape": {"dtype": "int64"}}``.
    """

    op_type: str
    make: Callable[["Point"], Call]
    axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    domain: str = ""
    dtypes: tuple[str, ...] = ()
    parameter: str = ""
    since: int = 1
    homes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of each axis of an operator spec, for one version.

    Attributes:
        version: since_version.
        values: by axis; a missing axis has its default.
        sizes: sizes of named dimensions that differ from those of the spec.
    """

    spec: OperatorSpec
    version: int
    values: Mapping[str, Any]
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, axis: str) -> Any:
        if axis in self.values:
            return self.values[axis]
        return self.spec.axes[axis][0]

    @property
    def dtype(self) -> str:
        """The dtype of the type parameter that the axis ``dtype`` varies."""
        return str(self.values[DTYPE])

    @property
    def opset(self) -> int:
        """The opset that the graph imports for the operator's domain."""
        return self.version if self.spec.domain else max(self.version, FIRST_OPSET)

    @property
    def schema(self) -> Any:
        """The schema of the operator in this version."""
        return schema_of(self.spec, self.version)

    @property
    def symbolic(self) -> bool:
        """Whether named sizes are declared by name."""
        return self.values.get(DIMS) == "symbolic"

    def has(self, attribute: str) -> bool:
        """Return whether this version has an attribute."""
        return attribute in self.schema.attributes

    def attributes(self, *names: str, **fixed: Any) -> dict[str, Any]:
        """Return the attributes from axes of these names, and fixed ones, as far as this version has them."""
        chosen = {name: self[name] for name in names if self[name] != OMIT}
        return {name: value for name, value in {**chosen, **fixed}.items() if self.has(name)}

    def named(self, *operands: Operand | None) -> dict[str, Operand | None]:
        """Return operands by the names that the schema gives its inputs; the last of them may be variadic."""
        names = [parameter.name for parameter in self.schema.inputs]
        if len(operands) > len(names):
            names += [f"{names[-1]}_{place}" for place in range(len(names), len(operands))]
        return dict(zip(names, operands, strict=False))

    def size(self, size: int, name: str) -> int:
        """Return a size that may vary where dimensions are symbolic."""
        return Dim(self.sizes.get(name, size), name) if size > 1 else size

    def shape(self, shape: Sequence[int], prefix: str = "d") -> tuple[int, ...]:
        """Return a shape whose sizes above 1 are named from the right, so that operands still broadcast."""
        rank = len(shape)
        return tuple(self.size(size, f"{prefix}{rank - place}") for place, size in enumerate(shape))

    def data(self, shape: Sequence[int], *, dtype: str | None = None, **rest: Any) -> Operand:
        """Return an operand whose values are drawn."""
        return Operand(dtype=dtype or self.dtype, shape=tuple(shape), **rest)

    def wide(self, shape: Sequence[int], **rest: Any) -> Operand:
        """Return an operand like `data` whose sizes may vary."""
        return self.data(self.shape(shape), **rest)


def fixed(value: Any, dtype: str = "int64", **rest: Any) -> Operand:
    """Return an operand of one value."""
    array = np.asarray(value)
    array = array.astype(str).astype(object) if dtype == STRING else array.astype(numpy_dtype(dtype))
    return Operand(dtype=dtype, shape=array.shape, fixed=array, special=False, **rest)


def index(shape: Sequence[int], bound: int, *, dtype: str = "int64", negative: bool = True, **rest: Any) -> Operand:
    """Return an operand of indices into an axis of `bound` elements, negative ones too where they are allowed."""
    if bound == 0:
        raise NotApplicable
    low = -bound if negative else 0
    return Operand(dtype=dtype, shape=tuple(shape), low=low, high=bound - 1, special=False, **rest)


def setting(point: Point, name: str, value: Any, dtype: str = "int64") -> tuple[dict[str, Any], Operand | None]:
    """Return a setting that is an attribute in some versions and an input in others: attributes, operand or None."""
    if value == OMIT or value is None:
        return {}, None
    if point.has(name):
        return {name: value}, None
    return {}, fixed(value, dtype)


def schema_of(spec: OperatorSpec, version: int) -> Any:
    """Return the schema of an operator in a version."""
    from onnx import defs

    return defs.get_schema(spec.op_type, version, spec.domain)


def axes_of(spec: OperatorSpec, version: int) -> dict[str, tuple[Any, ...]]:
    """Return the axes of an operator spec in a version, without those of operands."""
    schema = schema_of(spec, version)
    here = {name.lower() for name in (*schema.attributes, *(parameter.name for parameter in schema.inputs))}
    elsewhere = attributes_of(spec.op_type, spec.domain)
    own = {name: values for name, values in spec.axes.items() if name.lower() in here or name.lower() not in elsewhere}
    allowed = all_dtypes_of(spec.op_type, spec.domain, version)
    # The element types of sequences and optionals are in no constraint of a tensor.
    given = tuple(dtype for dtype in spec.dtypes if dtype in allowed) or spec.dtypes
    return {DTYPE: given or dtypes_of(spec.op_type, spec.domain, version, spec.parameter), **own}


def with_sizes(point: Point, sizes: Mapping[str, int]) -> Point:
    """Return a point with other sizes of its named dimensions."""
    return replace(point, sizes=dict(sizes))
