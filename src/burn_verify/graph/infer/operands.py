"""Rules for small operands that say how an operator works: axes, sizes, counts, ratios."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer.finding import Dim, Values
from burn_verify.graph.infer.trace import Path, paths
from burn_verify.graph.infer.view import View

_Fields: TypeAlias = dict[str, Any]
_Rule: TypeAlias = Callable[[View, Path, TensorSpec], _Fields | None]

_AXES: Final = frozenset(
    {
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
    }
)
_SEQUENCES: Final = {("LSTM", 4): 0, ("GRU", 4): 0, ("RNN", 4): 0}


def how_an_operator_works(view: View, spec: TensorSpec) -> Iterator[Values]:
    """An operand that is an axis, a size, a count or a ratio has a value that the operator takes."""
    for path in paths(view, spec.name):
        node, place = path.use.node, path.use.place
        if path.bounded:
            continue
        rule = _RULES.get((node.op_type, place)) or (_axes if place == 1 and node.op_type in _AXES else None)
        if rule is not None and (found := rule(view, path, spec)) is not None:
            name = found.pop("rule")
            yield Values(input=spec.name, rule=name, why=f"operand {place} of {node.op_type}", **found)


def lengths(view: View, spec: TensorSpec) -> Iterator[Values]:
    """A length is at least one, and at most the dimension that it counts."""
    for path in paths(view, spec.name):
        node, place = path.use.node, path.use.place
        axis = _SEQUENCES.get((node.op_type, place))
        if node.op_type == "ReverseSequence" and place == 1:
            axis = next((one.i for one in node.attribute if one.name == "time_axis"), 0)
        if axis is None:
            continue
        size = view.dim(node.input[0], axis)
        why = f"a length of {node.op_type}"
        if isinstance(size, str):
            yield Values(input=spec.name, rule="length", why=why, low=1, high_of=size, beyond=1)
        elif size:
            yield Values(input=spec.name, rule="length", why=why, low=1, high=size + 1)


def _count(spec: TensorSpec) -> int:
    """Return the number of elements of an operand of rank 0 or 1; 1 where it is not known."""
    return spec.shape[0] if len(spec.shape) == 1 and isinstance(spec.shape[0], int) else 1


def _rank(view: View, path: Path) -> int:
    shape = view.shape(path.use.node.input[0])
    return 1 if shape is None else len(shape)


def _range(rule: str, low: float, high: float) -> _Rule:
    return lambda view, path, spec: {"rule": rule, "low": low, "high": high}


def _always(rule: str, value: float) -> _Rule:
    return lambda view, path, spec: {"rule": rule, "exact": (value,) * _count(spec)}


def _turns(rule: str, *values: float) -> _Rule:
    """Return a rule of values that are fed in turn, for an operand of one element; else of the first of them."""
    return lambda view, path, spec: (
        {"rule": rule, "choices": tuple(map(float, values))}
        if _count(spec) == 1
        else {"rule": rule, "exact": (float(values[0]),) * _count(spec)}
    )


def _axes(view: View, path: Path, spec: TensorSpec) -> _Fields:
    rank, count = max(_rank(view, path), 1), _count(spec)
    if count >= rank:
        return {"rule": "axes", "exact": tuple(float(axis) for axis in range(count))}
    return {"rule": "axes", "low": 0, "high": rank, "distinct": True}


def _new_axes(view: View, path: Path, spec: TensorSpec) -> _Fields:
    return {"rule": "axes", "exact": tuple(float(axis) for axis in range(_count(spec)))}


def _single_axes(view: View, path: Path, spec: TensorSpec) -> _Fields | None:
    shape = view.shape(path.use.node.input[0]) or ()
    single = [float(axis) for axis, dim in enumerate(shape) if dim == 1][: _count(spec)]
    return {"rule": "axes", "exact": tuple(single)} if len(single) == _count(spec) else None


def _axis(view: View, path: Path, spec: TensorSpec) -> _Fields:
    return {"rule": "axis", "low": 0, "high": max(_rank(view, path), 1)}


def _kept(view: View, path: Path, spec: TensorSpec) -> _Fields:
    """TopK: as many as there are at most."""
    node = path.use.node
    axis = next((one.i for one in node.attribute if one.name == "axis"), -1)
    size = view.dim(node.input[0], axis)
    if isinstance(size, str):
        return {"rule": "count", "low": 1, "high_of": size, "beyond": 1}
    return {"rule": "count", "low": 1, "high": (size or 1) + 1}


def _whole(view: View, path: Path, spec: TensorSpec) -> _Fields:
    """Reshape to a shape that any number of elements has."""
    return {"rule": "shape", "exact": (-1.0, *(1.0,) * (_count(spec) - 1))}


def _parts(view: View, path: Path, spec: TensorSpec) -> _Fields | None:
    """Split: equal parts of the axis."""
    node, count = path.use.node, _count(spec)
    size = view.dim(node.input[0], next((one.i for one in node.attribute if one.name == "axis"), 0))
    if not isinstance(size, int) or size < count:
        return None
    parts = [size // count] * count
    parts[-1] += size - sum(parts)
    return {"rule": "sizes", "exact": tuple(map(float, parts))}


def _ends(view: View, path: Path, spec: TensorSpec) -> _Fields:
    """Slice: at least one element stays."""
    shape = [dim for dim in view.shape(path.use.node.input[0]) or () if isinstance(dim, int)]
    high = min(shape, default=4)
    return {"rule": "end", "low": max(high // 2, 1), "high": high + 1}


def _starts(view: View, path: Path, spec: TensorSpec) -> _Fields:
    shape = [dim for dim in view.shape(path.use.node.input[0]) or () if isinstance(dim, int)]
    return {"rule": "start", "low": 0, "high": max(min(shape, default=2) // 2, 1)}


def _scales(view: View, path: Path, spec: TensorSpec) -> _Fields:
    """Resize: the last two dimensions are doubled."""
    count = _count(spec)
    return {"rule": "scales", "exact": (*(1.0,) * max(count - 2, 0), *(2.0,) * min(count, 2))}


def _resized(view: View, path: Path, spec: TensorSpec) -> _Fields | None:
    """Resize: batch and channels stay, whose sizes `fixed_by_sizes` knows; the others change."""
    shape = view.shape(path.use.node.input[0]) or ()
    if len(shape) != _count(spec):
        return {"rule": "sizes", "low": 4, "high": 9}
    kept = (float(dim) if isinstance(dim, int) else 1.0 for dim in shape[:2])
    changed = (2.0 * dim if isinstance(dim, int) else 10.0 + 2 * place for place, dim in enumerate(shape[2:]))
    return {"rule": "sizes", "exact": (*kept, *changed)}


def fixed_by_sizes(view: View) -> Iterator[Dim]:
    """Batch and channels of what an input resizes are 1 where nothing is known: the input says their sizes, too."""
    for spec in view.inputs:
        for path in paths(view, spec.name):
            node, place = path.use.node, path.use.place
            shape = view.shape(node.input[0]) or ()
            if node.op_type == "Resize" and place == 3 and not path.bounded and len(shape) == _count(spec):
                for dim in shape[:2]:
                    if isinstance(dim, str):
                        yield Dim(symbol=dim, rule="sizes", why="an input says the sizes after Resize", size=1)


def _bits(view: View, path: Path, spec: TensorSpec) -> _Fields:
    return {"rule": "bits", "low": 0, "high": int(spec.dtype.removeprefix("uint") or 8)}


_RULES: Final[Mapping[tuple[str, int], _Rule]] = {
    ("AffineGrid", 1): _range("sizes", 2, 6),
    ("BitShift", 1): _bits,
    ("BlackmanWindow", 0): _range("size", 4, 17),
    ("CenterCropPad", 1): _range("sizes", 3, 8),
    ("Clip", 1): _always("limit", -1),
    ("Clip", 2): _always("limit", 1),
    ("ConstantOfShape", 0): _range("shape", 2, 6),
    ("CumSum", 1): _axis,
    ("CumProd", 1): _axis,
    ("Dropout", 1): _range("ratio", 0.1, 0.9),
    ("Dropout", 2): _always("training", 0),
    ("Expand", 1): _always("shape", 1),
    ("HammingWindow", 0): _range("size", 4, 17),
    ("HannWindow", 0): _range("size", 4, 17),
    ("Loop", 0): _turns("trip count", 3, 0, 1),
    ("Loop", 1): _turns("condition", 1, 0),
    ("NonMaxSuppression", 2): _range("count", 2, 6),
    ("NonMaxSuppression", 3): _range("ratio", 0.3, 0.7),
    ("NonMaxSuppression", 4): _range("ratio", 0.0, 0.1),
    ("OneHot", 1): _range("depth", 4, 10),
    ("Pad", 1): _range("pads", 0, 3),
    ("Range", 0): _range("start", 0, 3),
    ("Range", 1): _range("limit", 5, 10),
    ("Range", 2): _range("step", 1, 3),
    ("Reshape", 1): _whole,
    ("Resize", 2): _scales,
    ("Resize", 3): _resized,
    ("RoiAlign", 2): _always("batch index", 0),
    ("Slice", 1): _starts,
    ("Slice", 2): _ends,
    ("Slice", 3): _new_axes,
    ("Slice", 4): _range("step", 1, 3),
    ("Split", 1): _parts,
    ("Squeeze", 1): _single_axes,
    ("Tile", 1): _range("repeats", 1, 4),
    ("TopK", 1): _kept,
    ("Trilu", 1): _range("diagonal", -1, 2),
    ("Unsqueeze", 1): _new_axes,
    ("Upsample", 1): _scales,
}
