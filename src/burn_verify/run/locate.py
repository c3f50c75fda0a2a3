"""Find the node with which a model starts to fail: its pieces in batches, fed ONNX Runtime's values, then a proof.

`graph.pieces` says which pieces there are, `run.suspects` what their results mean; this runs them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from burn_verify.cases import load
from burn_verify.core.case import Case
from burn_verify.core.errors import OracleError, RunError, UsageError
from burn_verify.core.located import Finding, Located
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, PreparedCase, Stage
from burn_verify.graph import control
from burn_verify.graph.cut import Known, cut, graph_of, needed
from burn_verify.graph.pieces import Piece, segments
from burn_verify.reference.engine import Engine
from burn_verify.reference.oracle import Answers, Oracle, read
from burn_verify.run import proof, suspects
from burn_verify.run.models import Model
from burn_verify.run.parts import Part, parts_of, unfed
from burn_verify.run.results import Verified
from burn_verify.run.search import Batch, Search
from burn_verify.run.stages import clocked, summed
from burn_verify.run.suspects import Tried
from burn_verify.run.values import Values
from burn_verify.run.waves import ANSWERED, Wanted, every_piece, in_turn, models_of, waves
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto

BISECTED: Final = 2000
"""Number of nodes above which successive nodes are tried together first."""

_SEGMENTS: Final = 48
_WHOLE: Final = "the whole model"
_FLAT: Final = "the whole model without its Ifs"


def locate(case: Case, search: Search, output: str | None = None) -> Located:
    """Return where a model fails first.

    Arguments:
        output: the name of a value; only what it is computed from is tried. None for all outputs.

    Raises:
        LoadError: the model cannot be read.
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
        return _of_data_sets(case, search, model, _answers(prepared, search, engine), engine)
    except (OracleError, RunError):
        # Refusals of burn-onnx and rustc need no values.
        return located(case, search, model, None, lambda: unfed(model))
    finally:
        engine.close()


def _of_data_sets(case: Case, search: Search, model: "ModelProto", answers: Answers, engine: Engine) -> Located:
    """Return the answer for the first data set with which the model fails."""
    sets = {name: data.inputs for name, data in answers.data_sets.items()}
    name = search.failing(model, sets)
    with Values(engine) as values:
        parts = partial(parts_of, model, sets[name], values)
        return replace(located(case, search, model, sets[name], parts), data_set=name)


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
        wholes: of the model as the user has it, and with the chosen branch in place of each If; empty before they ran.
    """

    wholes: Mapping[str, Verified] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()

    @property
    def first(self) -> CaseResult:
        """The result of the model as the user has it."""
        return self.wholes[_WHOLE].result

    @property
    def suspects(self) -> tuple[Tried, ...]:
        """The pieces that fail as the whole does."""
        return suspects.judged(self.first, self.tried).suspects


def located(
    case: Case,
    search: Search,
    model: "ModelProto",
    inputs: Sequence[Array] | None,
    parted: Callable[[], list[Part]],
) -> Located:
    """Return where a model fails with one set of inputs.

    Arguments:
        inputs: None where there are none.
        parted: returns the model as flat graphs.
    """
    parts, computing = clocked("values", parted)
    found, piecing = clocked("pieces", lambda: _tried(search, model, inputs, parts))
    whole = found.first
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
        hidden=tuple(suspects.suspect(one, whole) for one in known.hidden),
        pieces=len(found.tried),
        aside=known.aside,
        unknown=suspects.in_no_piece(names, found.tried),
    )
    proving: Mapping[str, float] = {}
    if whole.outcome is Outcome.FAILED and whole.stage not in (Stage.LOAD, Stage.REFERENCE) and not search.is_over:
        asked = proof.Question(
            whole=whole,
            flat=found.wholes[_FLAT].result if _FLAT in found.wholes else None,
            model=model,
            part=parts[0],
            suspects=known.suspects,
        )
        first, proving = clocked("proof", partial(proof.proved, first, asked, search))
    seconds = summed(computing, piecing, proving)
    return replace(first, finding=suspects.finding(first, whole), seconds=seconds)


def _tried(search: Search, model: "ModelProto", inputs: Sequence[Array] | None, parts: Sequence[Part]) -> Pieces:
    """Try the pieces of a model, in as few batches as memory and disk allow; the whole is in the first."""
    wholes = [Model(name=_WHOLE, model=model, inputs=inputs)]
    if control.conditions(model):
        wholes.append(Model(name=_FLAT, model=parts[0].graph.model, inputs=inputs))
    found = Pieces()
    places = None
    if len(parts[0].graph.nodes) > BISECTED:
        found, places = _narrowed(search, wholes, parts[0])
        if found.first.outcome is not Outcome.FAILED:
            return found
    for wave in waves(every_piece(parts, places)):
        found = _with_wave(search, wholes, wave, found)
        if search.is_over or (found.first.stage in ANSWERED and found.suspects):
            break
    return found if found.wholes else replace(found, wholes=search.run(wholes))


def _narrowed(search: Search, wholes: Sequence[Model], part: Part) -> tuple[Pieces, frozenset[int] | None]:
    """Return the results of the whole, and the nodes of the first segment that fails as it does; None for all nodes."""
    some = segments(part.graph, part.known, _SEGMENTS)
    found = Pieces()
    for wave in waves((f"segment {place}", part, piece) for place, piece in enumerate(some)):
        found = _with_wave(search, wholes, wave, found)
        if known := found.suspects:
            return Pieces(wholes=found.wholes), frozenset(known[0].piece.nodes)
    return Pieces(wholes=found.wholes or search.run(wholes)), None


def _with_wave(search: Search, wholes: Sequence[Model], wave: Sequence[Wanted], found: Pieces) -> Pieces:
    """Build pieces in one batch, with the whole where it is not known yet, and judge as many as are needed."""
    models = models_of(wave)
    with search.batch([*([] if found.wholes else wholes), *models]) as batch:
        if not found.wholes:
            found = replace(found, wholes=_judged_wholes(batch, [one.name for one in wholes]))
        for some in in_turn(wave, found.first):
            names = [name for name, _, _ in some]
            refused = found.first.outcome is Outcome.FAILED and found.first.stage not in ANSWERED
            results = batch.built(names) if refused else batch.judged(names)
            tried = [_with_result(part, piece, results[name]) for name, part, piece in some]
            found = replace(found, tried=(*found.tried, *tried))
            if found.suspects or search.is_over:
                break
    return found


def _judged_wholes(batch: Batch, names: Sequence[str]) -> Mapping[str, Verified]:
    """Return the results of the whole model; one that does not compile needs no reference."""
    built = batch.built(names)
    refused = built[_WHOLE].result.outcome is Outcome.FAILED
    return built if refused else batch.judged(names)


def _with_result(part: Part, piece: Piece, verified: Verified) -> Tried:
    if part.outer is None and not set(part.graph.outputs).isdisjoint(piece.cut.gives):
        # An output of the whole model is a tensor of the dtype that is declared, also where it is a shape.
        piece = replace(piece, tells_shapes=False)
    return Tried(
        piece=piece,
        nodes=tuple(part.node(place) for place in piece.nodes),
        place=piece.nodes[-1] if part.outer is None else part.outer,
        inside=part.inside,
        cut_off=frozenset(piece.nodes if part.outer is None else {part.outer}),
        verified=verified,
        desired=tuple(part.arrays(piece.cut.gives)) if piece.tells_shapes and part.values.specs else (),
    )
