"""The rules together: what they find about a model, joined by input and by dimension."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import onnx

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer import branches, domains, indices, operands, sizes
from burn_verify.graph.infer.finding import Dim, Finding, Rank, Values
from burn_verify.graph.infer.sizing import parts_of
from burn_verify.graph.infer.view import View, view

T = TypeVar("T")

VALUES: Final[Sequence[Callable[[View, TensorSpec], Iterator[Values]]]] = (
    operands.how_an_operator_works,
    operands.lengths,
    indices.rows_of_a_table,
    indices.depth_of_one_hot,
    branches.both_branches,
    domains.masks,
    domains.where_there_is_an_answer,
    domains.not_zero,
)
"""Rules about the values of one input."""

DIMS: Final[Sequence[Callable[[View], Iterator[Dim]]]] = (
    sizes.weights,
    sizes.ties,
    sizes.images,
    sizes.windows,
    operands.fixed_by_sizes,
    sizes.batches,
)
"""Rules about dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the values of an input: the common part of all findings about it.

    Attributes:
        high_of: symbols of dimensions that `high` may not exceed, each plus a number.
    """

    low: float | None = None
    high: float | None = None
    high_of: tuple[tuple[str, int], ...] = ()
    choices: tuple[float, ...] = ()
    exact: tuple[float, ...] = ()
    distinct: bool = False
    whole: bool = False
    first: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """What the graph says about its inputs.

    Attributes:
        inputs: every input, each unknown dimension a symbol; a shape that is not declared is the inferred one.
        values: by input.
        dims: by symbol.
        findings: all of them, in the order in which they were found.
        decides: a value that is computed chooses a branch.
        threshold: the greatest number with which it is compared; 0 where there is none.
    """

    inputs: tuple[TensorSpec, ...] = ()
    values: Mapping[str, Known] = field(default_factory=dict)
    dims: Mapping[str, Dim] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    decides: bool = False
    threshold: float = 0.0


def infer(model: onnx.ModelProto) -> Inference:
    """Apply every rule to a model. A rule that a malformed node trips finds nothing."""
    seen = view(model)
    values = [one for spec in seen.inputs for rule in VALUES for one in _found(rule, seen, spec)]
    dims = [one for rule in DIMS for one in _found(rule, seen)]
    dims = [*_of_inputs(seen.inputs, dims), *_expressions(seen.inputs)]
    ranks = list(_found(sizes.ranks, seen))
    found: tuple[Finding, ...] = (*_unique(values), *_unique(dims), *ranks)
    by_input = {name: joined_values(one) for name, one in _grouped(values, lambda one: one.input).items()}
    by_symbol = {name: joined_dims(one) for name, one in _grouped(dims, lambda one: one.symbol).items()}
    inputs = tuple(_ranked(spec, ranks) for spec in seen.inputs)
    decides = any(
        use.node.op_type == "If" and name not in seen.constants for name, uses in seen.uses.items() for use in uses
    )
    threshold = max(filter(math.isfinite, branches.thresholds(seen)), default=0.0) if decides else 0.0
    return Inference(
        inputs=inputs, values=by_input, dims=by_symbol, findings=found, decides=decides, threshold=threshold
    )


def joined_values(found: Iterable[Values]) -> Known:
    """Join findings about one input; a range that has nothing in common with those before it is left out."""
    low: float | None = None
    high: float | None = None
    known = list(found)
    for one in known:
        least = one.low if low is None else low if one.low is None else max(low, one.low)
        most = one.high if high is None else high if one.high is None else min(high, one.high)
        if least is None or most is None or least < most:
            low, high = least, most
    return Known(
        low=low,
        high=high,
        high_of=tuple(dict.fromkeys((one.high_of, one.beyond) for one in known if one.high_of is not None)),
        choices=next((one.choices for one in known if one.choices), ()),
        exact=next((one.exact for one in known if one.exact), ()),
        distinct=any(one.distinct for one in known),
        whole=any(one.whole for one in known),
        first=next((one.first for one in known if one.first is not None), None),
    )


def joined_dims(found: Iterable[Dim]) -> Dim:
    """Join findings about one dimension: the size that most name, the greatest least size, all candidates."""
    known = list(found)
    counted = Counter(one.size for one in known if one.size is not None)
    return Dim(
        symbol=known[0].symbol,
        rule=known[0].rule,
        why=known[0].why,
        size=counted.most_common(1)[0][0] if counted else None,
        candidates=tuple(dict.fromkeys(size for one in known for size in one.candidates)),
        least=max(one.least for one in known),
        multiple=math.lcm(*(one.multiple for one in known)),
        equals=next((one.equals for one in known if one.equals is not None), None),
        batch=any(one.batch for one in known),
    )


def _of_inputs(inputs: Iterable[TensorSpec], found: Sequence[Dim]) -> list[Dim]:
    """Return the findings about dimensions of inputs; what is tied to them by values of the graph becomes theirs."""
    own = list(dict.fromkeys(dim for spec in inputs for dim in spec.shape if isinstance(dim, str)))
    root: dict[str, str] = {}

    def top(name: str) -> str:
        while (above := root.get(name, name)) != name:
            name = above
        return name

    for one in found:
        if one.equals is not None:
            # The earlier dimension of an input stands for all that are tied.
            first, second = sorted((top(one.equals), top(one.symbol)), key=lambda name: _place(own, name))
            root[second] = first
    whys = {one.symbol: one.why for one in found if one.equals is not None}
    kept = [one for one in found if one.equals is None and one.symbol in own]
    kept += [
        replace(one, symbol=top(one.symbol))
        for one in found
        if one.size is not None and one.symbol not in own and top(one.symbol) in own
    ]
    for name in own:
        if top(name) != name:
            why = whys.get(name, f"the graph ties it to {top(name)}")
            kept.append(Dim(symbol=name, rule="tie", why=why, equals=top(name)))
    return kept


def _place(own: Sequence[str], name: str) -> int:
    return own.index(name) if name in own else len(own)


def _expressions(inputs: Iterable[TensorSpec]) -> Iterator[Dim]:
    """A dimension that is called ``past + sequence`` is that sum."""
    for symbol in dict.fromkeys(dim for spec in inputs for dim in spec.shape if isinstance(dim, str)):
        if parts_of(symbol):
            yield Dim(symbol=symbol, rule="expression", why="its name is an expression", equals=symbol)


def _found(rule: Callable[..., Iterator[T]], *given: object) -> list[T]:
    try:
        return list(rule(*given))
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, AttributeError, ZeroDivisionError):
        # Nodes without operands, attributes of another type: ONNX Runtime says so better than a rule could.
        return []


def _grouped(found: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return groups


def _unique(found: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(found))


def _ranked(spec: TensorSpec, ranks: Iterable[Rank]) -> TensorSpec:
    rank = next((one for one in ranks if one.input == spec.name), None)
    return spec if rank is None else TensorSpec(name=spec.name, dtype=spec.dtype, shape=rank.shape)
