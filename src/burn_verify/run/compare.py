"""Comparison of a compiled model's outputs with the reference: runs and judges every data set.

The function that runs a model is a parameter. `judge` decides agreement. The order of stages is not known here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from burn_verify import judge
from burn_verify.burn.program import Inference
from burn_verify.core.case import Tolerance
from burn_verify.core.errors import STAGE_ERRORS, OracleError, StageError
from burn_verify.core.result import Guilty, JudgeMode, Verdict
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.judge.allowance import Allowance
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.policy import INSENSITIVE, Judge, used_overrides
from burn_verify.judge.tolerated import Question
from burn_verify.judge.vacuity import says_nothing
from burn_verify.reference import measure, oracle, stored_half
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.inputs import described
from burn_verify.run.sizes import Sizes, sizes_fed, sizes_said, where
from burn_verify.run.steps import Answered, Compared, Ended, Ready, Varied
from burn_verify.run.varied import Doubt, Further, certain
from burn_verify.run.varied import judged as judged_varied
from burn_verify.system.wire import Array

_INPUTS: Final = "inputs"
_FED: Final = "fed"
_DOUBT: Final = "doubt"
_UNANSWERED: Final = "unanswered"
_TRIED: Final = "tried"
_UNSEEN: Final = "unseen"

_QUICK: Final = frozenset({FailureKind.PANIC, FailureKind.ERROR})
"""Failures that cost no time, and after which the other sizes are run too."""
_NOTHING_FURTHER: Final = Further()

DRAWN: Final = "drawn"
"""Name of a data set that Hypothesis drew."""


def answered(ready: Ready, infer: Callable[[Sequence[Array]], Inference], doubt: Doubt = certain) -> Answered | Ended:
    """Run a model on every data set that is stored or fed; the first failure ends the case, unless there is doubt.

    Arguments:
        infer: runs compiled Burn on inputs; raises `RunError`.
    """
    known = oracle.read(ready.reference)
    if ready.prepared.answered:
        fed_arrays = {name: data.inputs for name, data in known.data_sets.items()}
        known = replace(known, sizes=sizes_fed(ready.prepared.inputs, fed_arrays))
    failed: dict[str, StageError] = {}
    fed: dict[str, list[str]] = {}
    evidence: dict[str, object] = {_INPUTS: fed}
    if known.unanswered:
        evidence[_UNANSWERED] = dict(known.unanswered)
    if known.unseen:
        evidence[_UNSEEN] = list(known.unseen)
    if known.tried:
        evidence[_TRIED] = list(known.tried)
    outputs: dict[str, list[Array]] = {}
    weights = forward = 0.0
    for data_set, data in known.data_sets.items():
        if ready.prepared.is_varied(data_set):
            continue
        fed[data_set] = [f"{array.dtype.name}[{','.join(map(str, array.shape))}]" for array in data.inputs]
        try:
            inference = infer(data.inputs)
        except StageError as error:
            if ready.prepared.is_fed(data_set) and (why := doubt(data)):
                evidence[_DOUBT] = why
                continue
            failed[data_set] = error
            evidence |= _fed(ready.prepared, data_set, data)
            if data_set in known.sizes and error.kind in _QUICK:
                continue
            break
        outputs[data_set] = inference.outputs
        weights += inference.load_seconds
        forward += inference.forward_seconds
    if failed and not outputs:
        sizes = sizes_said(known.sizes, {name: error.kind for name, error in failed.items()})
        return replace(ready.ended(next(iter(failed.values()))), evidence={**evidence, **sizes})
    durations = {"weights": weights, "forward": forward}
    return Answered(ready=ready, known=known, outputs=outputs, evidence=evidence, failed=failed, durations=durations)


def compared(
    answered: Answered,
    judged: Judge,
    doubt: Doubt = certain,
    further: Further = _NOTHING_FURTHER,
    moves: Mapping[str, Mapping[int, Array]] | None = None,
) -> Compared | Ended:
    """Judge the outputs for every data set; where outputs are stored, compare the engines' outputs with them as well.

    A drawn data set that fails on Burn and about which there is doubt is left out; where none is left, the case fails.

    Arguments:
        further: about data sets with other values than a stored one.
        moves: how far stored weights may move an output, by data set and place; see `reference.stored_half`.
    """
    prepared, known = answered.ready.prepared, answered.known
    measures = with_moves(measure.read_measures(answered.ready.reference), moves or {})
    evidence = {**answered.evidence, **_opinions(prepared, known)}
    verdicts: dict[str, Verdict] = {}
    silent: dict[str, Sequence[str]] = {}
    for data_set, outputs in answered.outputs.items():
        if prepared.is_varied(data_set):
            continue
        data, measured = known.data_sets[data_set], measures.data_sets[data_set]
        verdict = verdict_on(prepared, data_set, data, measured, outputs, judged)
        if not verdict.passes and prepared.is_fed(data_set) and (why := doubt(data)):
            evidence[_DOUBT] = why
            continue
        verdicts[data_set] = verdict
        if verdict.passes and prepared.measurable:
            silent[data_set] = _says_nothing(prepared, data_set, data, measured, judged)
    found = {name: str(verdict.name) for name, verdict in verdicts.items()}
    evidence |= sizes_said(known.sizes, {**found, **{name: error.kind for name, error in answered.failed.items()}})
    agreeing = [name for name, verdict in verdicts.items() if verdict.passes]
    # A model that is wrong wherever it answers is said to be so: that it also fails somewhere is told beside the sizes.
    for name, failure in answered.failed.items() if agreeing or not verdicts else ():
        evidence |= _fed(prepared, name, known.data_sets[name])
        message = f"{where(known.sizes, agreeing, name)}{failure.message}"
        error = STAGE_ERRORS[failure.stage](message, failure.reason, failure.details, failure.kind)
        return replace(answered.ended(error), evidence=evidence)
    if not verdicts and _DOUBT in evidence:
        message = f"{evidence[_DOUBT]}: nobody says what is right for such inputs, so nobody is wrong"
        error = OracleError(message, "two references answer otherwise", kind=FailureKind.NO_REFERENCE)
        return replace(answered.ended(error), evidence=evidence)
    merged = _merged(verdicts, known.sizes, agreeing)
    shown = next((name for name in verdicts if name not in agreeing), next(iter(verdicts), ""))
    evidence |= _fed(prepared, shown, known.data_sets[shown]) if shown else {}
    varied: Varied | None = None
    if merged.passes:
        varied = answered.recalled
        if varied is None:
            varied = judged_varied(answered, partial(_verdict_on, answered, measures, judged), further)
            varied = replace(varied, silent=_of_varied(answered, measures, judged, silent, varied))
        evidence |= varied.evidence
        merged = merged if varied.failed is None else judge.merge([merged, varied.failed])
        silent |= varied.silent
    verdict = _with_silence(merged, silent, [output.name for output in prepared.outputs])
    if verdict.name is INSENSITIVE:
        evidence["insensitive"] = verdict.reason.removeprefix(f"{INSENSITIVE}: ")
    if verdict.guilty:
        evidence["guilty"] = verdict.guilty
    if used := used_overrides(verdict.metrics, judged.overrides):
        evidence["overrides"] = used
    return Compared(answered=answered, verdict=verdict, evidence=evidence, varied=varied)


def with_moves(measures: measure.Measures, moves: Mapping[str, Mapping[int, Array]]) -> measure.Measures:
    """Return measurements with the deviation of stored weights; the bound of a lone node does not know of them."""
    if not moves:
        return measures
    found = {name: measures.data_sets[name] for name in measures.data_sets}
    for name, own in moves.items():
        sigma = {**found[name].sigma, **dict(stored_half.beside(found[name].sigma, own))}
        found[name] = replace(found[name], sigma=sigma, lone=None)
    return measure.Measures(data_sets=found)


def _fed(prepared: PreparedCase, data_set: str, data: DataSet) -> dict[str, list[str]]:
    """Return the field of the record that describes fed inputs; stored ones are not described."""
    return {_FED: described(prepared.inputs, data.inputs)} if prepared.is_fed(data_set) else {}


def _merged(verdicts: Mapping[str, Verdict], sizes: Sizes, agreeing: Sequence[str]) -> Verdict:
    """Merge the verdicts on all data sets; a failure at some sizes says at which."""
    merged = judge.merge([*verdicts.values()])
    failing = next((name for name, verdict in verdicts.items() if not verdict.passes), None)
    if failing is None or failing not in sizes:
        return merged
    return replace(merged, message=f"{where(sizes, agreeing, failing)}{merged.message}")


def _verdict_on(
    answered: Answered, measures: measure.Measures, judged: Judge, data_set: str, measured: Measured | None
) -> Verdict:
    known, outputs = answered.known.data_sets[data_set], answered.outputs[data_set]
    found = measures.data_sets[data_set] if measured is None else measured
    return verdict_on(answered.ready.prepared, data_set, known, found, outputs, judged)


def _of_varied(
    answered: Answered, measures: measure.Measures, judged: Judge, silent: Mapping[str, Sequence[str]], varied: Varied
) -> dict[str, Sequence[str]]:
    """Return, where the stored data could not disagree, why the first of the others that could, or none, could not."""
    prepared, found = answered.ready.prepared, dict[str, Sequence[str]]()
    if prepared.varied is None or any("" in said for said in silent.values()):
        return found
    stored = answered.known.data_sets[prepared.varied.like]
    for name in varied.agree:
        data = answered.known.data_sets[name]
        alike = [one.shape for one in stored.desired] == [one.shape for one in data.desired]
        other = replace(measures.data_sets[name], other=stored.desired) if alike else measures.data_sets[name]
        found[name] = _says_nothing(prepared, name, data, other, judged)
        if "" in found[name]:
            break
    return found


def _opinions(prepared: PreparedCase, known: oracle.Answers) -> dict[str, str]:
    """Return, by engine, how its outputs compare with the stored ones, or why it has none."""
    found: dict[str, list[Verdict]] = {}
    for data_set, data in known.data_sets.items():
        for engine, opinion in data.opinions.items():
            found.setdefault(engine, []).append(by_tolerance(prepared, opinion, data.desired, data_set))
    merged = {engine: judge.merge(verdicts) for engine, verdicts in found.items()}
    return {**known.refusals, **{engine: verdict.message or verdict.name for engine, verdict in merged.items()}}


def _says_nothing(
    prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured, judged: Judge
) -> tuple[str, ...]:
    """Return, by output, why any value would have agreed for a data set; empty where a value could disagree."""
    question, names = _asked(prepared)
    evidence = _evidence(prepared, data_set, data, measured)
    return says_nothing(
        data.desired, measured.other, lambda answers: judged.passing(question, names, answers, evidence)
    )


def _with_silence(verdict: Verdict, silent: Mapping[str, Sequence[str]], names: Sequence[str]) -> Verdict:
    """Note the outputs that could not disagree; if these are all outputs of all data sets, nothing was verified.

    Arguments:
        silent: the result of `_says_nothing` by data set.
    """
    if not verdict.passes or not silent:
        return verdict
    why = {(data_set, name): said for data_set, some in silent.items() for name, said in zip(names, some, strict=True)}
    metrics = tuple(replace(one, insensitive=why.get((one.data_set, one.name), "")) for one in verdict.metrics)
    reasons = list(why.values())
    whole = "" if "" in reasons else next(iter(reasons), "no outputs")
    return judge.insensitive(replace(verdict, metrics=metrics), whole)


def verdict_on(
    prepared: PreparedCase,
    data_set: str,
    data: DataSet,
    measured: Measured,
    actual: Sequence[Array],
    judged: Judge,
    stored: bool | None = None,
) -> Verdict:
    """Judge outputs with all evidence about one data set.

    Arguments:
        stored: whether its expected outputs are stored, where it is none of the case's data sets.
    """
    question, names = _asked(prepared)
    return judged.verdict(question, names, actual, _evidence(prepared, data_set, data, measured, stored), data_set)


def allowed_for(
    prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured, actual: Sequence[Array], judged: Judge
) -> tuple[Allowance, ...]:
    """Return, by output, what the judge allows for a data set, given outputs that passed."""
    question, names = _asked(prepared)
    return judged.allowances(question, names, actual, _evidence(prepared, data_set, data, measured))


def _evidence(
    prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured, stored: bool | None = None
) -> Evidence:
    coarse = prepared.tolerance if prepared.answered else None
    kept = prepared.is_stored(data_set) if stored is None else stored
    evidence = evidence_of(data, measured, stored=kept, coarse=coarse)
    return replace(evidence, program=_program(prepared, data))


def _program(prepared: PreparedCase, data: DataSet) -> Guilty:
    """Return the program that computes the reference where no outputs are stored."""
    return Guilty.REFERENCE if prepared.evaluated or data.evaluated else Guilty.ONNXRUNTIME


def evidence_of(data: DataSet, measured: Measured, *, stored: bool, coarse: Tolerance | None = None) -> Evidence:
    """Return the judge's evidence about a data set, whose outputs are stored or computed by ONNX Runtime.

    Arguments:
        coarse: the possible error of these outputs, see `Evidence`.
    """
    return Evidence(
        inputs=data.inputs,
        stored=data.desired if stored else None,
        runtime=data.opinion if stored else data.desired,
        measured=measured,
        coarse=coarse,
    )


def _asked(prepared: PreparedCase) -> tuple[Question, list[str]]:
    """Return what is judged, and the names of its outputs."""
    own = prepared.case.hints.tolerances
    question = Question(
        case_id=prepared.case.id,
        random=prepared.random,
        steady=prepared.steady,
        tolerance=prepared.tolerance,
        own=own,
    )
    return question, [output.name for output in prepared.outputs]


def by_tolerance(prepared: PreparedCase, actual: Sequence[Array], desired: Sequence[Array], data_set: str) -> Verdict:
    """Judge as ONNX's own tests do, with the expected outputs as the only evidence."""
    question, names = _asked(prepared)
    evidence = Evidence(inputs=(), stored=desired, runtime=None)
    return Judge(mode=JudgeMode.ONNX).verdict(question, names, actual, evidence, data_set)


def of_drawn(
    prepared: PreparedCase,
    judged: Judge,
    data: DataSet,
    actual: Sequence[Array],
    ways: Iterable[Callable[[], Measured]],
) -> Verdict:
    """Judge drawn values with increasing evidence, until they agree or no evidence is left.

    Arguments:
        ways: sources of evidence about the set, the cheapest first; at least one.
    """
    if judged.mode is JudgeMode.ONNX:
        return by_tolerance(prepared, actual, data.desired, DRAWN)
    question, names = _asked(prepared)
    for way in ways:
        evidence = evidence_of(data, way(), stored=False, coarse=prepared.tolerance)
        evidence = replace(evidence, program=_program(prepared, data))
        verdict = judged.verdict(question, names, actual, evidence, DRAWN)
        if verdict.agrees:
            break
    return verdict
