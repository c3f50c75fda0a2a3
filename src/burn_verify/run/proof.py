"""What proves that the found nodes are the cause: the model without them; and where the error of a whole model grows.

Also searches among the first nodes of a model that fails as a whole, and in no piece.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from burn_verify.core.located import Growth, Located, Node, PieceKind, Proof, Suspect
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.cut import Cut, graph_of
from burn_verify.graph.dtypes import numpy_dtype
from burn_verify.graph.pieces import node_of, traced, upto, without
from burn_verify.judge.metrics import is_float
from burn_verify.run.models import Model
from burn_verify.run.parts import Part
from burn_verify.run.results import Verified
from burn_verify.run.search import Search
from burn_verify.run.suspects import Tried, in_the_models_words

if TYPE_CHECKING:
    from onnx import ModelProto

_AT_ONCE: Final = 8
_TRACED: Final = 48
_TRACED_BYTES: Final = 256 << 20
_ORDER: Final = {stage: place for place, stage in enumerate(Stage)}
_REST, _RESTS, _TRACE = "the rest", "the rest without all", "the values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A model that fails, and what its pieces say.

    Attributes:
        flat: the result of the model with the chosen branch in place of each If; None where it has none.
        model: as the user has it.
        part: the whole model, flat, with its values.
    """

    whole: CaseResult
    flat: CaseResult | None
    model: "ModelProto"
    part: Part
    suspects: Sequence[Tried]


def proved(located: Located, asked: Question, search: Search) -> Located:
    """Return an answer with its proof, and with where the error grows if the model answers wrong."""
    part, known = asked.part, asked.suspects
    rests = {}
    if known:
        rests[_REST] = without(part.graph, part.known, known[0].cut_off)
        if len(known) > 1:
            rests[_RESTS] = without(part.graph, part.known, frozenset().union(*(one.cut_off for one in known)))
    if asked.whole.stage is Stage.COMPARE:
        rests[_TRACE] = traced(part.graph, part.known, _watched(part))
    wanted = {name: cut for name, cut in rests.items() if cut is not None}
    found = search.run([_model(name, cut, part) for name, cut in wanted.items()])
    if _TRACE in found:
        located = replace(located, growth=_growth(part, wanted[_TRACE], found[_TRACE].result))
    if known:
        rest = in_the_models_words(found[_REST].result.message, wanted[_REST]) if _REST in found else ""
        return replace(located, proof=_proof(rests, found, asked.whole), rest=rest)
    found_whole = _in_no_piece(asked, search)
    inlined = any(one.kind is PieceKind.BRANCH for one in found_whole)
    return replace(located, suspects=found_whole, proof=Proof.INLINED if inlined else Proof.NONE)


def _proof(rests: Mapping[str, Cut | None], found: Mapping[str, Verified], whole: CaseResult) -> Proof:
    if rests[_REST] is None:
        return Proof.LAST
    if _mends(found[_REST].result, whole):
        return Proof.ALONE
    if _RESTS in rests and (rests[_RESTS] is None or _mends(found[_RESTS].result, whole)):
        return Proof.TOGETHER
    rest = found[_REST].result
    if _ORDER[rest.stage] < _ORDER[whole.stage]:
        return Proof.UNBUILT
    # All wrong numbers have one reason; burn-onnx and rustc stop at their first obstacle, and the rest may have others.
    return Proof.FURTHER if whole.stage is not Stage.COMPARE and rest.reason != whole.reason else Proof.REFUTED


def _mends(rest: CaseResult, whole: CaseResult) -> bool:
    """Return whether the model without some nodes gets past the stage at which the whole ended."""
    return rest.outcome is not Outcome.FAILED or _ORDER[rest.stage] > _ORDER[whole.stage]


def _model(name: str, cut: Cut, part: Part) -> Model:
    return Model(name=name, model=cut.model, inputs=part.arrays(cut.feeds) if part.values.specs else None)


def _watched(part: Part) -> list[str]:
    """Return the values whose errors are watched: evenly chosen floats of the graph, as many as fit into memory."""
    graph, specs = part.graph, part.known.specs
    made = [name for name in graph.maker if name in specs and is_float(numpy_dtype(specs[name].dtype))]
    step = max(1, -(-len(made) // _TRACED))
    chosen, size = [], 0
    for name in made[step - 1 :: step]:
        size += part.values.bytes_of([name])
        if size > _TRACED_BYTES:
            break
        chosen.append(name)
    return list(dict.fromkeys([*chosen, *(name for name in graph.outputs if name in graph.maker)]))


def _growth(part: Part, cut: Cut, result: CaseResult) -> tuple[Growth, ...]:
    names = {f"output{place}": name for place, name in enumerate(cut.gives)}
    found = [
        Growth(
            node=part.graph.nodes[part.graph.maker[name]].name,
            value=name,
            share=one.rounding_share,
            headroom=one.headroom,
            max_abs=one.max_abs,
        )
        for one in result.metrics
        if (name := names.get(one.name, "")) in part.graph.maker
    ]
    return tuple(sorted(found, key=lambda one: part.graph.maker[one.value]))


def _in_no_piece(asked: Question, search: Search) -> tuple[Suspect, ...]:
    """Return what explains a failure that no piece shows: an If, or the node from which on the first nodes fail."""
    whole, part = asked.whole, asked.part
    if asked.flat is not None and _mends(asked.flat, whole):
        graph = graph_of(asked.model)
        ifs = [place for place, node in enumerate(graph.nodes) if node.op_type == "If" and not node.domain]
        return (_suspect(PieceKind.BRANCH, tuple(node_of(graph, part.known, place) for place in ifs), whole),)
    if whole.stage is Stage.COMPARE:
        return ()
    place = _first_failing(part, whole, search)
    return () if place is None else (_suspect(PieceKind.PREFIX, (part.node(place),), whole),)


def _suspect(kind: PieceKind, nodes: tuple[Node, ...], whole: CaseResult) -> Suspect:
    return Suspect(
        kind=kind, nodes=nodes, stage=whole.stage, message=whole.message, reason=whole.reason, same_reason=True
    )


def _first_failing(part: Part, whole: CaseResult, search: Search) -> int | None:
    """Return the node from which on the nodes up to it fail for the reason of the whole; None where there is none."""
    count = len(part.graph.nodes)
    good, bad = -1, count
    while bad - good > 1 and not search.is_over:
        step = max(1, (bad - good) // _AT_ONCE)
        places = range(good + step, bad, step)[:_AT_ONCE]
        cuts = {place: cut for place in places if (cut := upto(part.graph, part.known, place)) is not None}
        found = search.run([_model(f"{place}", cut, part) for place, cut in cuts.items()])
        results = {place: found[f"{place}"].result for place in cuts}
        failing = [place for place, one in results.items() if (one.stage, one.reason) == (whole.stage, whole.reason)]
        bad_now = min(failing, default=bad)
        good_now = max((place for place in cuts if place < bad_now), default=good)
        if (good_now, bad_now) == (good, bad):
            break
        good, bad = good_now, bad_now
    return bad if bad < count else None
