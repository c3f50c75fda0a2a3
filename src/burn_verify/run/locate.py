"""Find the node with which a model starts to fail: its pieces in batches, fed ONNX Runtime's values, then a proof.

`graph.pieces` says which pieces there are, `run.suspects` what their results mean; this runs them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from burn_verify.run.suspects import Judged, Tried
from burn_verify.run.values import Values
from burn_verify.run.waves import ANSWERED, Wanted, every_piece, in_turn, models_of, waves
from burn_verify.run.whose import whose
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
        return located(case, search, model, {"": None}, lambda _: unfed(model))
    finally:
        engine.close()


def _of_data_sets(case: Case, search: Search, model: "ModelProto", answers: Answers, engine: Engine) -> Located:
    """Return the answer for the first data set with which the model fails."""
    sets = {name: data.inputs for name, data in answers.data_sets.items()}
    with Values(engine) as values:
        return located(case, search, model, sets, lambda inputs: parts_of(model, inputs or (), values))


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
        elsewhere: the first other data set with which the model fails, where it passes with that of the pieces.
    """

    wholes: Mapping[str, Verified] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()
    elsewhere: tuple[str, Verified] | None = None

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
    sets: Mapping[str, Sequence[Array] | None],
    parted: Callable[[Sequence[Array] | None], list[Part]],
    ran: Verified | None = None,
) -> Located:
    """Return where a model fails with the first data set with which it does.

    Arguments:
        sets: inputs by name, None where there are none; of which the first is tried first.
        parted: returns the model as flat graphs, with the values of some inputs.
        ran: the result of the whole with the first, None where it is not known yet.
    """
    (data_set, inputs), *others = sets.items()
    parts, computing = clocked("values", lambda: parted(inputs))
    found, piecing = clocked("pieces", lambda: _tried(search, _wholes(model, inputs, parts), dict(others), parts, ran))
    if found.elsewhere is not None:
        name, result = found.elsewhere
        return located(case, search, model, {name: sets[name]}, parted, result)
    whole = found.first
    known = suspects.judged(whole, found.tried)
    nodes = [part.node(place) for part in parts for place in sorted(part.used)]
    first = Located(
        model=case.id,
        target=search.target.label,
        finding=Finding.UNKNOWN,
        data_set=data_set,
        stage=whole.stage if whole.outcome is Outcome.FAILED else None,
        message=whole.message,
        reason=whole.reason,
        suspects=tuple(suspects.suspect(one, whole) for one in known.suspects),
        later=tuple(suspects.suspect(one, whole) for one in known.later),
        nodes=len(nodes),
        hidden=tuple(suspects.suspect(one, whole) for one in known.hidden),
        pieces=len(found.tried),
        aside=known.aside,
        unknown=suspects.in_no_piece([node.name for node in nodes], found.tried),
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
    asking: Mapping[str, float] = {}
    if search.instruments is not None and not search.is_over:
        asked_of = _asked_of(known, found.wholes[_WHOLE], Model(name=_WHOLE, model=model, inputs=inputs))
        if asked_of is not None:
            fault, asking = clocked("fault", partial(whose, *asked_of, search, search.instruments))
            first = replace(first, fault=fault)
    seconds = summed(computing, piecing, proving, asking)
    states = suspects.states(nodes, found.tried, (*first.suspects, *first.hidden))
    return replace(first, finding=suspects.finding(first, whole), states=states, seconds=seconds)


def _asked_of(known: Judged, ran: Verified, whole: Model) -> tuple[Model, Verified] | None:
    """Return the model of which it is asked whose fault it is: the first piece that is named, else the whole.

    None where nothing is wrong, or every node is right within rounding.
    """
    named = next(iter((*known.suspects, *known.hidden)), None)
    if named is not None and named.part is not None:
        return models_of([("suspect", named.part, named.piece)])[0], named.verified
    failed = ran.result.outcome is Outcome.FAILED and ran.result.stage is not Stage.COMPARE
    return (whole, ran) if failed else None


def _wholes(model: "ModelProto", inputs: Sequence[Array] | None, parts: Sequence[Part]) -> list[Model]:
    """Return a model as the user has it, and with the chosen branch in place of each If where it has some."""
    wholes = [Model(name=_WHOLE, model=model, inputs=inputs)]
    if control.conditions(model):
        wholes.append(Model(name=_FLAT, model=parts[0].graph.model, inputs=inputs))
    return wholes


def _tried(
    search: Search,
    wholes: Sequence[Model],
    others: Mapping[str, Sequence[Array] | None],
    parts: Sequence[Part],
    ran: Verified | None,
) -> Pieces:
    """Try the pieces of a model, in as few batches as memory and disk allow; the whole is in the first.

    Arguments:
        others: further inputs of the whole, by name of the data set.
    """
    wave_of = partial(_with_wave, search, wholes, others)
    found = Pieces() if ran is None or len(wholes) > 1 else Pieces(wholes={_WHOLE: ran})
    places = None
    if len(parts[0].graph.nodes) > BISECTED:
        found, places = _narrowed(wave_of, parts[0], found)
        if found.first.outcome is not Outcome.FAILED:
            return found
    for wave in waves(every_piece(parts, places)):
        found = wave_of(wave, found)
        if search.is_over or found.elsewhere or (found.first.stage in ANSWERED and found.suspects):
            break
    return found if found.wholes else wave_of([], found)


def _narrowed(
    wave_of: Callable[[Sequence[Wanted], Pieces], Pieces], part: Part, found: Pieces
) -> tuple[Pieces, frozenset[int] | None]:
    """Return the results of the whole, and the nodes of the first segment that fails as it does; None for all nodes."""
    some = segments(part.graph, part.known, _SEGMENTS)
    for wave in waves((f"segment {place}", part, piece) for place, piece in enumerate(some)):
        found = wave_of(wave, found)
        if known := found.suspects:
            return Pieces(wholes=found.wholes), frozenset(known[0].piece.nodes)
    found = found if found.wholes else wave_of([], found)
    return Pieces(wholes=found.wholes, elsewhere=found.elsewhere), None


def _with_wave(
    search: Search,
    wholes: Sequence[Model],
    others: Mapping[str, Sequence[Array] | None],
    wave: Sequence[Wanted],
    found: Pieces,
) -> Pieces:
    """Build pieces in one batch, with the whole where it is not known yet, and judge as many as are needed."""
    models = models_of(wave)
    first = (
        [] if found.wholes else [*wholes, *(replace(wholes[0], name=_with(one), inputs=others[one]) for one in others)]
    )
    with search.batch([*first, *models]) as batch:
        if not found.wholes:
            found = replace(found, wholes=_judged_wholes(batch, [one.name for one in wholes]))
            if found.first.outcome is Outcome.PASSED and (elsewhere := _elsewhere(batch, others)):
                return replace(found, elsewhere=elsewhere)
        for some in in_turn(wave, found.first):
            names = [name for name, _, _ in some]
            refused = found.first.outcome is Outcome.FAILED and found.first.stage not in ANSWERED
            results = batch.built(names) if refused else batch.judged(names)
            tried = [_with_result(part, piece, results[name]) for name, part, piece in some]
            found = replace(found, tried=(*found.tried, *tried))
            if found.suspects or search.is_over:
                break
    return found


def _with(data_set: str) -> str:
    return f"{_WHOLE} with {data_set}"


def _elsewhere(batch: Batch, others: Iterable[str]) -> tuple[str, Verified] | None:
    """Return the first of some data sets with which the whole fails, and how."""
    for name in others:
        verified = batch.judged([_with(name)])[_with(name)]
        if verified.result.outcome is Outcome.FAILED:
            return name, verified
    return None


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
        part=part,
    )
