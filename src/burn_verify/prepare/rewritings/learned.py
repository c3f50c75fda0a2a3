"""Operators of ``ai.onnx.ml`` by arithmetic: linear models, trees, scaling and choice of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site

_FLOAT: Final = TensorProto.FLOAT
_REALS: Final = (TensorProto.FLOAT, TensorProto.DOUBLE)
_MOST: Final = 1 << 24
"""Elements of the matrix of a forest."""


def _real(site: Site, body: Body) -> str:
    return site.input(0) if site.elem_type(0) == _FLOAT else body.cast(site.input(0), _FLOAT)


def binarizer(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Binarizer by a comparison."""
    dtype = site.elem_type(0)
    if not dtype:
        return None
    limit = body.const([site.attribute("threshold", 0.0)], dtype)
    return [body.cast(body("Greater", site.input(0), limit), dtype)]


def feature_extractor(site: Site, body: Body) -> Sequence[str] | None:
    """Replace ArrayFeatureExtractor by Gather along the last axis."""
    rank = site.rank(0)
    if rank is None or site.rank(1) is None:
        return None
    found = body("Gather", site.input(0), body("Reshape", site.input(1), body.const([-1])), axis=rank - 1)
    return [body("Unsqueeze", found, body.const([0])) if rank == 1 else found]


def scaler(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Scaler by a difference and a product."""
    offset, scale = (
        body.const(site.attribute(name) or [default], _FLOAT) for name, default in (("offset", 0.0), ("scale", 1.0))
    )
    return [body("Mul", body("Sub", _real(site, body), offset), scale)]


def normalizer(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Normalizer by a quotient; what has no norm stays as it is."""
    value, norm = _real(site, body), site.attribute("norm", "MAX")
    size = body("Abs", value)
    if norm == "MAX":
        # ONNX Runtime and the standard take the greatest value, not the greatest absolute value.
        found = body.reduced("ReduceMax", value, [-1], site.opset)
    elif norm == "L1":
        found = body.reduced("ReduceSum", size, [-1], site.opset)
    else:
        found = body("Sqrt", body.reduced("ReduceSum", body("Mul", value, value), [-1], site.opset))
    zero = body("Equal", found, body.const([0.0]))
    return [body("Div", value, body("Where", zero, body.const([1.0]), found))]


def linear_regressor(site: Site, body: Body) -> Sequence[str] | None:
    """Replace LinearRegressor by a product."""
    targets = site.attribute("targets", 1)
    found = _linear(site, body, targets)
    return None if found is None else _finished(site, body, found, [])


def linear_classifier(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a LinearClassifier with integer classes by a product and ArgMax."""
    labels = site.attribute("classlabels_ints")
    weights = site.attribute("coefficients")
    if not labels or not weights:
        return None
    rows = len(site.attribute("intercepts") or labels)
    found = _linear(site, body, rows)
    if found is None:
        return None
    if rows == 1 and len(labels) == 2:
        return _binary(site, body, found, labels)
    if rows != len(labels):
        return None
    return [_label(body, found, labels), *(_finished(site, body, found, labels) or [])]


def _binary(site: Site, body: Body, found: str, labels: Sequence[int]) -> Sequence[str] | None:
    """Return label and both scores where there is one row of coefficients for two classes."""
    post = site.attribute("post_transform", "NONE")
    if post not in ("NONE", "LOGISTIC"):
        return None
    second = body("Sigmoid", found) if post == "LOGISTIC" else found
    first = body("Sub", body.const([1.0]), second) if post == "LOGISTIC" else body("Neg", found)
    limit = body.const([0.5 if post == "LOGISTIC" else 0.0], _FLOAT)
    chosen = body.cast(body("Greater", second, limit), TensorProto.INT64)
    label = body("Gather", body.const(list(labels)), body("Reshape", chosen, body.const([-1])), axis=0)
    return [label, body("Concat", first, second, axis=1)]


def _linear(site: Site, body: Body, rows: int) -> str | None:
    weights = np.array(site.attribute("coefficients") or [], np.float32)
    shape = site.type_of(0).shape
    if not weights.size or weights.size % rows or shape is None or len(shape) not in (1, 2):
        return None
    # ONNX Runtime reads as many coefficients a row as there are features, also where there are more.
    features = shape[-1] or weights.size // rows
    if rows * features > weights.size:
        return None
    weights = weights[: rows * features]
    value = _real(site, body)
    if len(shape) == 1:
        value = body("Unsqueeze", value, body.const([0]))
    found = body("MatMul", value, body.const(weights.reshape(rows, -1).T, _FLOAT))
    bias = site.attribute("intercepts")
    return body("Add", found, body.const(bias, _FLOAT)) if bias else found


def _label(body: Body, scores: str, labels: Sequence[int]) -> str:
    best = body("ArgMax", scores, axis=1, keepdims=0)
    return best if list(labels) == list(range(len(labels))) else body("Gather", body.const(list(labels)), best, axis=0)


def _finished(site: Site, body: Body, scores: str, labels: Sequence[int]) -> Sequence[str] | None:
    """Return the scores after the transformation that the node asks for."""
    del labels
    post = site.attribute("post_transform", "NONE")
    names = {0: "NONE", 1: "SOFTMAX", 2: "LOGISTIC"}
    post = names.get(post, post)
    if post == "NONE":
        return [scores]
    if post == "SOFTMAX":
        return [body("Softmax", scores, axis=1)]
    return [body("Sigmoid", scores)] if post == "LOGISTIC" else None


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forest:
    """Trees as inner nodes and leaves.

    Attributes:
        features, limits, modes: of each inner node.
        paths: for each leaf, the inner nodes on its way with +1 where the condition is true, and -1 where it is false.
        weights: [leaves, targets].
    """

    features: Sequence[int]
    limits: Sequence[float]
    modes: Sequence[str]
    paths: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float64]


def tree_regressor(site: Site, body: Body) -> Sequence[str] | None:
    """Replace TreeEnsembleRegressor by comparisons and products."""
    forest = _old_forest(site, "target", site.attribute("n_targets", 1))
    if forest is None or site.attribute("aggregate_function", "SUM") not in ("SUM", "AVERAGE"):
        return None
    trees = len(set(site.attribute("nodes_treeids")))
    scale = 1.0 / trees if site.attribute("aggregate_function", "SUM") == "AVERAGE" else 1.0
    scores = _scores(site, body, forest, scale)
    return None if scores is None else _finished(site, body, _based(site, body, scores), [])


def tree_classifier(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a TreeEnsembleClassifier with integer classes by comparisons, products and ArgMax."""
    labels = site.attribute("classlabels_int64s")
    if (
        not labels
        or len(set(site.attribute("class_ids") or [])) < 2
        or site.elem_type(0) not in (*_REALS, TensorProto.INT64)
    ):
        return None
    forest = _old_forest(site, "class", len(labels))
    # Trees often give several classes the same sum: rounding on the way would choose one of them.
    scores = None if forest is None else _scores(site, body, forest, 1.0, sums=TensorProto.DOUBLE)
    if scores is None:
        return None
    scores = _based(site, body, scores)
    finished = _finished(site, body, scores, labels)
    return None if finished is None else [_label(body, scores, labels), *finished]


def tree_ensemble(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a TreeEnsemble by comparisons and products."""
    forest = _new_forest(site)
    if forest is None or site.attribute("aggregate_function", 1) not in (0, 1):
        return None
    scale = 1.0 / len(site.attribute("tree_roots")) if site.attribute("aggregate_function", 1) == 0 else 1.0
    scores = _scores(site, body, forest, scale, site.elem_type(0))
    return None if scores is None else _finished(site, body, scores, [])


def _based(site: Site, body: Body, scores: str) -> str:
    base = site.attribute("base_values")
    return body("Add", scores, body.const(base, _FLOAT)) if base else scores


_COMPARE: Final = {
    "BRANCH_LEQ": "LessOrEqual",
    "BRANCH_LT": "Less",
    "BRANCH_GTE": "GreaterOrEqual",
    "BRANCH_GT": "Greater",
    "BRANCH_EQ": "Equal",
}
_MODES: Final = (*_COMPARE, "BRANCH_NEQ", "BRANCH_MEMBER")


def _scores(
    site: Site, body: Body, forest: _Forest, scale: float, dtype: int = _FLOAT, *, sums: int | None = None
) -> str | None:
    """Return the sum of the weights of the leaves that are reached, [rows, targets].

    Arguments:
        sums: the element type in which they are added, if it is not that of the result.
    """
    if len(set(forest.modes)) != 1 or forest.modes[0] not in _COMPARE or forest.paths.size > _MOST:
        return None
    value = site.input(0) if site.elem_type(0) == dtype else body.cast(site.input(0), dtype)
    chosen = body("Gather", value, body.const(list(forest.features)), axis=1)
    answer = body(_COMPARE[forest.modes[0]], chosen, body.const(np.array(forest.limits), dtype))
    signs = body("Sub", body("Mul", body.cast(answer, _FLOAT), body.const([2.0])), body.const([1.0]))
    # A leaf is reached where every condition on its way answers as it should.
    agreeing = body("MatMul", signs, body.const(forest.paths.T, _FLOAT))
    lengths = np.abs(forest.paths).sum(1)
    reached = body.cast(body("Equal", agreeing, body.const(lengths, _FLOAT)), sums or dtype)
    # The weights are those that the model has, before they are added more exactly.
    given = np.asarray(forest.weights * scale).astype(helper.tensor_dtype_to_np_dtype(dtype))
    found = body("MatMul", reached, body.const(given, sums or dtype))
    return body.cast(found, dtype) if sums else found


def _old_forest(site: Site, kind: str, targets: int) -> _Forest | None:
    """Return the trees of the operators before version 5, whose nodes are lists by tree and number."""
    lists: dict[str, Any] = {
        name: site.attribute(f"nodes_{name}") or []
        for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    }
    if not lists["treeids"] or site.attribute("nodes_values_as_tensor") is not None:
        return None
    modes = [one.decode() if isinstance(one, bytes) else one for one in lists["modes"]]
    keys = list(zip(lists["treeids"], lists["nodeids"], strict=True))
    place = {key: number for number, key in enumerate(keys)}
    inner = [number for number, mode in enumerate(modes) if mode != "LEAF"]
    leaves = [number for number, mode in enumerate(modes) if mode == "LEAF"]
    column, row = ({number: at for at, number in enumerate(some)} for some in (inner, leaves))
    paths = np.zeros((len(leaves), len(inner)), np.float32)
    if paths.size > _MOST or not inner:
        return None
    ways: list[tuple[int, list[tuple[int, int]]]] = [
        (number, []) for number, key in enumerate(keys) if key not in _children(keys, lists, modes)
    ]
    seen = 0
    while ways:
        number, way = ways.pop()
        seen += 1
        if seen > len(keys):
            # A cycle, or a node with two parents.
            return None
        if number in row:
            for at, sign in way:
                paths[row[number], at] = sign
            continue
        tree = keys[number][0]
        for name, sign in (("truenodeids", 1), ("falsenodeids", -1)):
            child = place.get((tree, lists[name][number]))
            if child is None:
                return None
            ways.append((child, [*way, (column[number], sign)]))
    weights = np.zeros((len(leaves), targets))
    ids = (site.attribute(f"{kind}_{name}") or [] for name in ("treeids", "nodeids", "ids", "weights"))
    for tree, node, target, weight in zip(*ids, strict=True):
        weights[row[place[tree, node]], target] += weight
    return _Forest(
        features=[lists["featureids"][number] for number in inner],
        limits=[lists["values"][number] for number in inner],
        modes=[modes[number] for number in inner],
        paths=paths,
        weights=weights,
    )


def _children(keys: Sequence[tuple[int, int]], lists: dict[str, Any], modes: Sequence[str]) -> set[tuple[int, int]]:
    return {
        (keys[number][0], lists[name][number])
        for number, mode in enumerate(modes)
        if mode != "LEAF"
        for name in ("truenodeids", "falsenodeids")
    }


def _new_forest(site: Site) -> _Forest | None:
    """Return the trees of TreeEnsemble, whose leaves have a list of their own."""
    modes = numpy_helper.to_array(site.attribute("nodes_modes")).ravel().tolist()
    limits = numpy_helper.to_array(site.attribute("nodes_splits")).ravel()
    given = numpy_helper.to_array(site.attribute("leaf_weights")).ravel()
    if site.attribute("nodes_missing_value_tracks_true") or len(limits) != len(modes):
        return None
    paths = np.zeros((len(given), len(modes)), np.float32)
    if paths.size > _MOST:
        return None
    ways: list[tuple[bool, int, list[tuple[int, int]]]] = [(False, root, []) for root in site.attribute("tree_roots")]
    seen = 0
    while ways:
        leaf, number, way = ways.pop()
        seen += 1
        if seen > 2 * (len(modes) + len(given)):
            return None
        if leaf:
            for at, sign in way:
                paths[number, at] = sign
            continue
        for name, sign in (("true", 1), ("false", -1)):
            child = site.attribute(f"nodes_{name}nodeids")[number]
            is_leaf = bool(site.attribute(f"nodes_{name}leafs")[number])
            ways.append((is_leaf, child, [*way, (number, sign)]))
    weights = np.zeros((len(given), site.attribute("n_targets")))
    weights[np.arange(len(given)), site.attribute("leaf_targetids")] = given
    return _Forest(
        features=site.attribute("nodes_featureids"),
        limits=limits.tolist(),
        modes=[_MODES[one] for one in modes],
        paths=paths,
        weights=weights,
    )
