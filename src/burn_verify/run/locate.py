"""Find the node with which a model starts to fail: its pieces in batches, fed ONNX Runtime's values, then a proof.

`graph.pieces` says which pieces there are, `run.suspects` what their results mean; this runs them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from burn_verify.cases import load
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.located import Finding, Located
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, PreparedCase, Stage
from burn_verify.graph import control
from burn_verify.graph.cut import Known, cut, graph_of, needed
from burn_verify.graph.pieces import Piece, pieces, segments
from burn_verify.reference.engine import Engine
from burn_verify.reference.oracle import Answers, Oracle, read
from burn_verify.run import proof, suspects
from burn_verify.run.models import Model
from burn_verify.run.parts import Part, parts_of
from burn_verify.run.results import Verified
from burn_verify.run.search import Search
from burn_verify.run.stages import clocked, summed
from burn_verify.run.suspects import Tried
from burn_verify.run.values import Values
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto

BISECTED: Final = 2000
"""Number of nodes above which successive nodes are tried together first."""

_SEGMENTS: Final = 48
_PIECES_AT_ONCE: Final = 1200
_BYTES_AT_ONCE: Final = 1 << 30
_WHOLE: Final = "the whole model"
_FLAT: Final = "the whole model without its Ifs"


def locate(case: Case, search: Search, output: str | None = None) -> Located:
    """Return where a model fails first.

    Arguments:
        output: the name of a value; only what it is computed from is tried. None for all outputs.

    Raises:
        LoadError: the model cannot be read.
        OracleError: the inputs cannot be made, or ONNX Runtime cannot run the model.
        UsageError: there is no such output.
        ToolchainError: nothing could be built.
    """
    import onnx

    prepared = load.prepare(case, search.cache)
    model = control.named(onnx.load(prepared.model))
    if output is not None:
        model = _ending_at(model, output)
    settings = search.settings
    engine = search.seams.engine(search.cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        found = None
        for name, data in _answers(prepared, search, engine).data_sets.items():
            with Values(engine) as values:
                found = replace(located(case, search, model, data.inputs, values), data_set=name)
            if found.finding is not Finding.NOTHING_WRONG:
                break
        assert found is not None  # a reference has a data set
        return found
    finally:
        engine.close()


def _answers(prepared: PreparedCase, search: Search, engine: Engine) -> Answers:
    oracle = Oracle(search.cache, engine, search.settings.memory_limit)
    return read(oracle.answer(prepared))


def _ending_at(model: "ModelProto", output: str) -> "ModelProto":
    """Return the part of a model that computes one value."""
    graph = graph_of(model)
    if output not in graph.maker:
        message = f"--output {output}: no node gives a value of this name; outputs: {', '.join(graph.outputs)}"
        raise UsageError(message)
    found = cut(graph, needed(graph, [output], ()), Known(), gives=[output], declared=True)
    if found is None:
        message = f"--output {output}: its type is not known, so it cannot be an output"
        raise UsageError(message)
    kept = {name for name in found.feeds}
    # All inputs stay, so that the stored and drawn ones still fit.
    found.model.graph.input.extend(value for value in graph.model.graph.input if value.name not in kept)
    ordered = {value.name: value for value in found.model.graph.input}
    del found.model.graph.input[:]
    found.model.graph.input.extend(ordered[value.name] for value in graph.model.graph.input if value.name in ordered)
    return found.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The results of the whole model and of its pieces.

    Attributes:
        whole: as the user has it.
        flat: with the chosen branch in place of each If; None where it has none.
    """

    whole: CaseResult
    flat: CaseResult | None
    tried: Sequence[Tried]


def located(case: Case, search: Search, model: "ModelProto", inputs: Sequence[Array], values: Values) -> Located:
    """Return where a model fails with one set of inputs."""
    parts, computing = clocked("values", lambda: parts_of(model, inputs, values))
    found, piecing = clocked("pieces", lambda: _tried(search, model, inputs, parts))
    whole = found.whole
    known = suspects.judged(whole, found.tried)
    names = [part.node(place).name for part in parts for place in sorted(part.used)]
    first = Located(
        model=case.id,
        target=search.target.label,
        finding=Finding.UNKNOWN,
        stage=whole.stage if whole.outcome is Outcome.FAILED else None,
        message=whole.message,
        reason=whole.reason,
        suspects=tuple(suspects.suspect(one, whole) for one in known.suspects),
        later=tuple(suspects.suspect(one, whole) for one in known.later),
        nodes=len(names),
        pieces=len(found.tried),
        aside=known.aside,
        unknown=suspects.in_no_piece(names, found.tried),
    )
    proving: Mapping[str, float] = {}
    if whole.outcome is Outcome.FAILED and whole.stage not in (Stage.LOAD, Stage.REFERENCE) and not search.is_over:
        asked = proof.Question(whole=whole, flat=found.flat, model=model, part=parts[0], suspects=known.suspects)
        first, proving = clocked("proof", partial(proof.proved, first, asked, search))
    seconds = summed(computing, piecing, proving)
    return replace(first, finding=suspects.finding(first, whole), seconds=seconds)


_Wanted: TypeAlias = tuple[str, Part, Piece]
"""A piece with its name in a batch and the part of which it is cut."""


def _tried(search: Search, model: "ModelProto", inputs: Sequence[Array], parts: Sequence[Part]) -> Pieces:
    """Try the pieces of a model, in as few batches as memory and disk allow; the whole is in the first."""
    wholes = [Model(name=_WHOLE, model=model, inputs=inputs)]
    flat = parts[0].graph.model
    if control.conditions(model):
        wholes.append(Model(name=_FLAT, model=flat, inputs=inputs))
    first: dict[str, Verified] = {}
    places = None
    if len(parts[0].graph.nodes) > BISECTED:
        first, places = _narrowed(search, wholes, parts[0])
    tried: list[Tried] = []
    for wave in _waves(_wanted(parts, places)):
        asked = [
            Model(name=name, model=piece.cut.model, inputs=part.arrays(piece.cut.feeds)) for name, part, piece in wave
        ]
        found = search.run([*([] if first else wholes), *asked])
        first = first or {one.name: found[one.name] for one in wholes}
        tried += [_with_result(part, piece, found[name]) for name, part, piece in wave]
        if search.is_over or _is_enough(first[_WHOLE].result, tried):
            break
    first = first or search.run(wholes)
    return Pieces(whole=first[_WHOLE].result, flat=first[_FLAT].result if _FLAT in first else None, tried=tried)


def _narrowed(search: Search, wholes: Sequence[Model], part: Part) -> tuple[dict[str, Verified], frozenset[int] | None]:
    """Return the results of the whole, and the nodes of the first segment that fails as it does; None for all nodes."""
    wanted = [
        (f"segment {place}", part, piece) for place, piece in enumerate(segments(part.graph, part.known, _SEGMENTS))
    ]
    found: dict[str, Verified] = {}
    for wave in _waves(wanted):
        asked = [
            Model(name=name, model=piece.cut.model, inputs=part.arrays(piece.cut.feeds)) for name, _, piece in wave
        ]
        found |= search.run([*([] if found else wholes), *asked])
        tried = [_with_result(part, piece, found[name]) for name, _, piece in wave]
        if known := suspects.judged(found[_WHOLE].result, tried).suspects:
            return found, frozenset(known[0].piece.nodes)
    return found or search.run(wholes), None


def _wanted(parts: Sequence[Part], places: frozenset[int] | None) -> Iterator[_Wanted]:
    for number, part in enumerate(parts):
        inside = part.used if places is None or part.outer is not None else places
        if places is not None and part.outer is not None and part.outer not in places:
            continue
        for place, piece in enumerate(pieces(part.graph, part.known, inside)):
            yield f"part {number} piece {place}", part, piece


def _waves(wanted: Iterable[_Wanted]) -> Iterator[list[_Wanted]]:
    """Yield pieces in batches that fit into memory and temporary storage."""
    wave: list[_Wanted] = []
    size = 0
    for one in wanted:
        _, part, piece = one
        added = part.values.bytes_of(piece.cut.feeds) + piece.cut.model.ByteSize()
        if wave and (size + added > _BYTES_AT_ONCE or len(wave) == _PIECES_AT_ONCE):
            yield wave
            wave, size = [], 0
        wave.append(one)
        size += added
    if wave:
        yield wave


def _is_enough(whole: CaseResult, tried: Sequence[Tried]) -> bool:
    """Return whether further pieces would not change the answer: a refusal is asked for every obstacle."""
    return whole.stage in (Stage.RUN, Stage.COMPARE) and bool(suspects.judged(whole, tried).suspects)


def _with_result(part: Part, piece: Piece, verified: Verified) -> Tried:
    return Tried(
        piece=piece,
        nodes=tuple(part.node(place) for place in piece.nodes),
        place=piece.nodes[-1] if part.outer is None else part.outer,
        inside=part.inside,
        cut_off=frozenset(piece.nodes if part.outer is None else {part.outer}),
        verified=verified,
        desired=tuple(part.arrays(piece.cut.gives)) if piece.tells_shapes else (),
    )
