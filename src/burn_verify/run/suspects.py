"""What the results of the pieces of a model say about the whole. Pure: runs nothing.

A piece counts where it fails at the stage at which the whole fails. At what the whole got past, a piece may fail for
the way in which it was cut: with other inputs and outputs burn-onnx generates other code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from burn_verify.core.located import Finding, Located, Node, NodeState, PieceKind, Suspect
from burn_verify.core.result import CaseResult, Guilty, Mismatch
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.cut import Cut
from burn_verify.graph.pieces import Piece
from burn_verify.run.parts import Part
from burn_verify.run.results import Verified
from burn_verify.run.signature import same_cause
from burn_verify.system.wire import Array

_CLEAR = 10.0
"""Times the bound from which on a node is named though the model passes: one in a thousand is a little outside."""

_END = re.compile(r"\b(input|output)(\d+)\b")
_ORDER = {stage: place for place, stage in enumerate(Stage)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A piece with its result.

    Attributes:
        nodes: in the user's model.
        place: of the last node, in the order of the whole model; for a node of a Loop, that of the Loop.
        inside: names of the nodes in whose bodies it is.
        cut_off: the nodes of the whole model that it consists of.
        desired: what ONNX Runtime answers, of pieces that compute shapes.
        part: what it was cut of.
    """

    piece: Piece
    nodes: tuple[Node, ...]
    place: int
    cut_off: frozenset[int]
    verified: Verified
    inside: tuple[str, ...] = ()
    desired: tuple[Array, ...] = ()
    part: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The pieces of a model beside its whole.

    Attributes:
        suspects: those that fail as the whole does; of two of which one is part of the other, the smaller.
        hidden: where the whole passes, single nodes that are clearly wrong.
        later: those that fail at a later stage than the whole.
        aside: how many others fail.
    """

    suspects: tuple[Tried, ...]
    hidden: tuple[Tried, ...] = ()
    later: tuple[Tried, ...]
    aside: int


def judged(whole: CaseResult, tried: Sequence[Tried]) -> Judged:
    """Tell the pieces that explain the failure of the whole from the others that fail."""
    failing = [one for one in tried if fails(one)]
    if whole.outcome is Outcome.PASSED:
        hidden = _smallest([one for one in failing if _is_clear(one)])
        return Judged(suspects=(), hidden=tuple(hidden), later=(), aside=len(failing) - len(hidden))
    at = _ORDER[whole.stage]
    alike = [one for one in failing if one.verified.result.stage is whole.stage]
    later = [one for one in failing if _is_later(one.verified.result.stage, at)]
    suspects = _smallest(alike)
    known = {node.name for one in suspects for node in one.nodes}
    return Judged(
        suspects=tuple(sorted(suspects, key=lambda one: _rank(one, whole))),
        later=tuple(one for one in _smallest(later) if not known.issuperset(node.name for node in one.nodes)),
        aside=len(failing) - len(alike) - len(later),
    )


def fails(tried: Tried) -> bool:
    """Return whether a piece fails; not where only the dtype of shapes differs, which in the whole are no tensors."""
    result = tried.verified.result
    if result.outcome is not Outcome.FAILED:
        return False
    return not (tried.piece.tells_shapes and result.stage is Stage.COMPARE and _same_numbers(tried, result))


def suspect(tried: Tried, whole: CaseResult) -> Suspect:
    """Return a piece as the answer shows it."""
    result = tried.verified.result
    heads = [one.headroom for one in result.metrics if one.headroom is not None]
    return Suspect(
        kind=tried.piece.kind,
        nodes=tried.nodes,
        stage=result.stage,
        message=in_the_models_words(result.message, tried.piece.cut),
        reason=result.reason,
        same_reason=same_cause(whole, result),
        headroom=max(heads, default=None),
    )


def in_the_models_words(message: str, cut: Cut) -> str:
    """Return a message about a cut with the names of the model in place of those that the cut gave its ends."""
    ends = {"input": cut.feeds, "output": cut.gives}

    def named(found: re.Match[str]) -> str:
        names, place = ends[found[1]], int(found[2])
        return names[place] if place < len(names) else found[0]

    return _END.sub(named, message)


def finding(located: Located, whole: CaseResult) -> Finding:
    """Return what the answer amounts to."""
    if whole.outcome is not Outcome.FAILED:
        return Finding.HIDDEN if located.hidden else Finding.NOTHING_WRONG
    if located.suspects:
        return Finding.NODE
    if whole.stage is Stage.COMPARE and not located.unknown and all(one.problem is None for one in whole.metrics):
        return Finding.AMPLIFIED
    # A wrong shape or dtype is no rounding that could grow.
    return Finding.UNKNOWN


def in_no_piece(names: Iterable[str], tried: Iterable[Tried]) -> tuple[str, ...]:
    """Return the nodes that no piece tells anything about: in none, or only in such as ended before they were run."""
    told = {
        node.name
        for one in tried
        if one.verified.result.stage in (Stage.RUN, Stage.COMPARE) or fails(one)
        for node in one.nodes
    }
    return tuple(name for name in names if name not in told)


def states(nodes: Sequence[Node], tried: Sequence[Tried], named: Iterable[Suspect]) -> tuple[NodeState, ...]:
    """Return what each node does in the pieces of which it is the last, pairs excepted.

    Arguments:
        named: the pieces of the answer.
    """
    guilty = {one.nodes[-1].name for one in named}
    told: dict[str, list[Tried]] = {}
    for one in tried:
        if one.piece.kind in (PieceKind.NODE, PieceKind.GROUP):
            told.setdefault(one.nodes[-1].name, []).append(one)
    return tuple(_state(node, told.get(node.name, []), fails=node.name in guilty) for node in nodes)


def _state(node: Node, tried: Sequence[Tried], *, fails: bool) -> NodeState:
    heads = [output.headroom for one in tried for output in one.verified.result.metrics if output.headroom is not None]
    return NodeState(
        name=node.name,
        op_type=node.op_type,
        value=node.outputs[0].partition(": ")[0] if node.outputs else "",
        fails=fails,
        known=fails or any(one.verified.result.stage in (Stage.RUN, Stage.COMPARE) for one in tried),
        headroom=max(heads, default=None),
    )


def _rank(tried: Tried, whole: CaseResult) -> tuple[bool, int, int]:
    """Return the order of suspects: burn-onnx stops at its first obstacle, so its reason comes first."""
    other = not same_cause(whole, tried.verified.result)
    return other, tried.place, len(tried.nodes)


def _is_clear(tried: Tried) -> bool:
    """Return whether a node is wrong without doubt: by evidence that is not ONNX Runtime's alone, and by far."""
    metrics = tried.verified.result.metrics
    return any(
        one.guilty is Guilty.BURN and one.problem is None and one.headroom is not None and one.headroom > _CLEAR
        for one in metrics
    )


def _is_later(stage: Stage, at: int) -> bool:
    # The reference of a piece is known: a piece without one tells nothing.
    return _ORDER[stage] > at and stage is not Stage.REFERENCE


def _smallest(failing: Sequence[Tried]) -> list[Tried]:
    """Return the pieces of which no smaller one fails, each set of nodes once."""
    found: list[Tried] = []
    for one in sorted(failing, key=lambda one: (-len(one.inside), len(one.nodes))):
        names = {node.name for node in one.nodes}
        if not any(_is_part(smaller, names) for smaller in found):
            found.append(one)
    return sorted(found, key=lambda one: one.place)


def _is_part(smaller: Tried, names: Set[str]) -> bool:
    """Return whether a piece consists of some nodes, or is inside of the body of one of them."""
    return not names.isdisjoint(smaller.inside) or names >= {node.name for node in smaller.nodes}


def _same_numbers(tried: Tried, result: CaseResult) -> bool:
    """Return whether every output has the expected numbers, if as another dtype."""
    if any(one.problem not in (None, Mismatch.DTYPE) for one in result.metrics):
        return False
    outputs: Mapping[str, Sequence[Array]] = tried.verified.outputs
    return all(
        len(some) == len(tried.desired)
        and all(
            np.array_equal(came.reshape(-1), wanted.reshape(-1))
            for came, wanted in zip(some, tried.desired, strict=True)
        )
        for some in outputs.values()
    )
