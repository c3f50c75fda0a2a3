"""What a compiled model answers, beside what is known: every data set is run and judged.

How a model is asked is handed in, what agrees is `judge`'s to say, and which stage comes next is no matter here.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeAlias

from burn_verify import judge
from burn_verify.burn.runner import Inference
from burn_verify.cases.generated.twins import halves, joined
from burn_verify.core.case import Tolerance
from burn_verify.core.errors import CompareError, OracleError, RunError, StageError
from burn_verify.core.result import Guilty, JudgeMode, Verdict
from burn_verify.core.stage import PreparedCase, Reference
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.policy import INSENSITIVE, Judge, Question, used_overrides
from burn_verify.judge.vacuity import says_nothing
from burn_verify.reference import measure, oracle
from burn_verify.reference.inputs import SEEDED, described
from burn_verify.reference.oracle import DataSet
from burn_verify.system.wire import Array

Doubt: TypeAlias = Callable[[DataSet], str]

DRAWN: Final = "drawn"
"""Name of a data set that Hypothesis drew."""

_PARTS: Final = ("run", "weights", "forward", "compare")


def compared(
    prepared: PreparedCase,
    known: Reference,
    judged: Judge,
    infer: Callable[[Sequence[Array]], Inference],
    *,
    doubt: Doubt = lambda data: "",
    durations: dict[str, float],
    details: dict[str, Any],
) -> Verdict:
    """Run every data set and compare.

    Arguments:
        infer: compiled Burn's answer to inputs; raises `RunError`.
        doubt: says in words why the answers to drawn inputs accuse nobody; empty where they do. Asked where Burn fails.
        durations: gets the seconds of each part, also of a run that fails.
        details: gets what the model was given, and what else there is to say.

    Raises:
        RunError: Burn gave no answer.
        OracleError: there is nothing that could accuse anybody.
    """
    verdicts, opinions, silent, doubts = [], [], {}, {}
    durations |= dict.fromkeys(_PARTS, 0.0)
    answers, measures = oracle.read(known), measure.read_measures(known)
    for data_set, data in answers.data_sets.items():
        details["inputs"][data_set] = [
            f"{array.dtype.name}[{','.join(map(str, array.shape))}]" for array in data.inputs
        ]
        drawn = data_set == SEEDED and not prepared.answered
        if drawn:
            details["fed"] = described(prepared.inputs, data.inputs)
        with timed(durations, "run"):
            try:
                inference = infer(data.inputs)
            except RunError:
                if not drawn or not (why := doubt(data)):
                    raise
                doubts[data_set] = why
                continue
        durations["weights"] += inference.load_seconds
        durations["forward"] += inference.forward_seconds
        with timed(durations, "compare"):
            measured = measures.data_sets[data_set]
            verdict = verdict_on(prepared, data_set, data, measured, inference.outputs, judged)
            if drawn and not verdict.passes and (why := doubt(data)):
                doubts[data_set] = why
                continue
            verdicts.append(verdict)
            if verdicts[-1].passes and not prepared.random:
                silent[data_set] = _says_nothing(prepared, data_set, data, measured, judged)
            if data.runtime is not None:
                opinions.append(by_tolerance(prepared, data.runtime, data.desired, data_set))
    if doubts:
        details["doubt"] = next(iter(doubts.values()))
    if not verdicts and doubts:
        message = f"{details['doubt']}: nobody says what is right for inputs of this shape, so nobody is wrong"
        raise OracleError(message, "two references answer otherwise")
    if opinions or answers.refusal:
        said = judge.merge(opinions) if opinions else None
        details["onnxruntime"] = answers.refusal if said is None else said.message or said.name
    verdict = _with_silence(judge.merge(verdicts), silent, [output.name for output in prepared.outputs])
    if verdict.name == INSENSITIVE:
        details["insensitive"] = verdict.reason.removeprefix(f"{INSENSITIVE}: ")
    if verdict.guilty:
        details["guilty"] = verdict.guilty
    if used := used_overrides(verdict.metrics, judged.overrides):
        details["overrides"] = used
    return verdict


def _says_nothing(
    prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured, judged: Judge
) -> tuple[str, ...]:
    """Return, output by output, why no answer to a data set could have been wrong; empty where one could."""
    question, names = _asked(prepared)
    evidence = _evidence(prepared, data_set, data, measured)
    return says_nothing(
        data.desired, measured.other, lambda answers: judged.passing(question, names, answers, evidence)
    )


def _with_silence(verdict: Verdict, silent: Mapping[str, Sequence[str]], names: Sequence[str]) -> Verdict:
    """Note which outputs could not have been wrong; where that is every one of all data sets, nothing was verified.

    Arguments:
        silent: what `_says_nothing` says by data set.
    """
    if not verdict.passes or not silent:
        return verdict
    why = {(data_set, name): said for data_set, some in silent.items() for name, said in zip(names, some, strict=True)}
    metrics = tuple(replace(one, insensitive=why.get((one.data_set, one.name), "")) for one in verdict.metrics)
    reasons = list(why.values())
    whole = "" if "" in reasons else next(iter(reasons), "no outputs")
    return judge.insensitive(replace(verdict, metrics=metrics), whole)


def verdict_on(
    prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured, actual: Sequence[Array], judged: Judge
) -> Verdict:
    """Judge outputs beside all that is known of one data set."""
    question, names = _asked(prepared)
    return judged.verdict(question, names, actual, _evidence(prepared, data_set, data, measured), data_set)


def _evidence(prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured) -> Evidence:
    coarse = prepared.tolerance if prepared.answered else None
    evidence = evidence_of(data, measured, stored=_is_stored(prepared, data_set), coarse=coarse)
    return replace(evidence, program=_program(prepared))


def _program(prepared: PreparedCase) -> Guilty:
    """Name the program that answers where nothing is stored."""
    return Guilty.REFERENCE if prepared.evaluated else Guilty.ONNXRUNTIME


def evidence_of(data: DataSet, measured: Measured, *, stored: bool, coarse: Tolerance | None = None) -> Evidence:
    """Return what the judge is told of a data set, whose answers somebody stored or ONNX Runtime gave.

    Arguments:
        coarse: how far these answers may be off, see `Evidence`.
    """
    return Evidence(
        inputs=data.inputs,
        stored=data.desired if stored else None,
        runtime=data.runtime if stored else data.desired,
        measured=measured,
        coarse=coarse,
    )


def _asked(prepared: PreparedCase) -> tuple[Question, list[str]]:
    """Return what is judged, and the names of its outputs."""
    question = Question(case_id=prepared.case.id, random=prepared.random, tolerance=prepared.tolerance)
    return question, [output.name for output in prepared.outputs]


def _is_stored(prepared: PreparedCase, data_set: str) -> bool:
    """Tell whether somebody stored what to expect, rather than a program answering it."""
    return data_set != SEEDED and not prepared.answered


def by_tolerance(prepared: PreparedCase, actual: Sequence[Array], desired: Sequence[Array], data_set: str) -> Verdict:
    """Judge as ONNX's own tests would, without other evidence than what was expected."""
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
    """Judge drawn values by ever more evidence, until it agrees or there is no more.

    Arguments:
        ways: to find out about the set, the cheapest first; at least one.
    """
    if judged.mode is JudgeMode.ONNX:
        return by_tolerance(prepared, actual, data.desired, DRAWN)
    question, names = _asked(prepared)
    for way in ways:
        evidence = evidence_of(data, way(), stored=False, coarse=prepared.tolerance)
        evidence = replace(evidence, program=_program(prepared))
        verdict = judged.verdict(question, names, actual, evidence, DRAWN)
        if verdict.agrees:
            break
    return verdict


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Add the seconds of a block to those of its name."""
    started = time.monotonic()
    try:
        yield
    finally:
        into[name] = into.get(name, 0.0) + time.monotonic() - started


Infer: TypeAlias = Callable[[Sequence[Array]], list[Array]]


def compare(prepared: PreparedCase, infer: Infer, twin: PreparedCase | None, infer_twin: Infer) -> dict[str, str]:
    """Compare the answers of a graph with those of its twin, and with its own when the batch is parted in two.

    Arguments:
        twin: None where there is none that compiled; `infer_twin` is not called then.

    Returns:
        ``twins_differ`` with the first difference, or ``twins`` with the names of those that agree, or nothing. To
        fail where the other answers is a difference; where both fail, there are no answers to compare.
    """
    if prepared.random or not prepared.stored:
        return {}
    names = [output.name for output in prepared.outputs]
    inputs = oracle.stored_inputs(prepared)
    mine, agree = _answered(lambda: infer(inputs)), []
    for name, ask in _twins(prepared, inputs, infer, twin, infer_twin):
        other = _answered(ask)
        if isinstance(mine, StageError) or isinstance(other, StageError):
            if (why := _only_failure(name, mine, other)) is not None:
                return {"twins_differ": why}
            continue
        said = judge.judge(names, mine, other, f"twin {name}", prepared.case.id)
        if not said.passes:
            return {"twins_differ": f"compiled Burn answers otherwise, {name}: {said.message}"}
        agree.append(name)
    return {"twins": "; ".join(agree)} if agree else {}


def _answered(ask: Callable[[], list[Array]]) -> list[Array] | StageError:
    try:
        return ask()
    except StageError as error:
        return error
    except ValueError as error:
        return CompareError(f"answers to two halves that do not fit together: {error}")


def _only_failure(name: str, mine: list[Array] | StageError, other: list[Array] | StageError) -> str | None:
    """Return in words that one of two fails and the other answers; None where both fail."""
    if not isinstance(mine, StageError):
        assert isinstance(other, StageError)
        return f"compiled Burn answers, but fails {name}: {other.message}"
    return None if isinstance(other, StageError) else f"compiled Burn fails, but answers {name}: {mine.message}"


def _twins(
    prepared: PreparedCase, inputs: Sequence[Array], infer: Infer, twin: PreparedCase | None, infer_twin: Infer
) -> Iterator[tuple[str, Callable[[], list[Array]]]]:
    if twin is not None:
        yield f"as {twin.case.id}", lambda: infer_twin(oracle.stored_inputs(twin))
    parted = halves(prepared.inputs, inputs)
    if parted is not None:
        yield "with the batch in two parts", lambda: joined(*(infer(part) for part in parted))
