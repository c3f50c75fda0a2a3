"""What a compiled model answers, beside what is known: every data set is run and judged.

How a model is asked is handed in, what agrees is `judge`'s to say, and which stage comes next is no matter here.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from burn_verify import judge
from burn_verify.burn.runner import Inference
from burn_verify.cases.generated.twins import halves, joined
from burn_verify.core.case import Tolerance
from burn_verify.core.errors import StageError
from burn_verify.core.result import JudgeMode, Verdict
from burn_verify.core.stage import PreparedCase, Reference
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.policy import Judge, Question, used_overrides
from burn_verify.reference import measure, oracle
from burn_verify.reference.inputs import SEEDED
from burn_verify.reference.oracle import DataSet
from burn_verify.system.wire import Array

DRAWN: Final = "drawn"
"""Name of a data set that Hypothesis drew."""

_PARTS: Final = ("run", "weights", "forward", "compare")


def compared(
    prepared: PreparedCase,
    known: Reference,
    judged: Judge,
    infer: Callable[[Sequence[Array]], Inference],
    *,
    durations: dict[str, float],
    details: dict[str, Any],
) -> Verdict:
    """Run every data set and compare.

    Arguments:
        infer: compiled Burn's answer to inputs; raises `RunError`.
        durations: gets the seconds of each part, also of a run that fails.
        details: gets what the model was given, and what else there is to say.
    """
    verdicts, opinions = [], []
    durations |= dict.fromkeys(_PARTS, 0.0)
    answers, measures = oracle.read(known), measure.read_measures(known)
    for data_set, data in answers.data_sets.items():
        details["inputs"][data_set] = [
            f"{array.dtype.name}[{','.join(map(str, array.shape))}]" for array in data.inputs
        ]
        with timed(durations, "run"):
            inference = infer(data.inputs)
        durations["weights"] += inference.load_seconds
        durations["forward"] += inference.forward_seconds
        with timed(durations, "compare"):
            measured = measures.data_sets[data_set]
            verdicts.append(verdict_on(prepared, data_set, data, measured, inference.outputs, judged))
            if data.runtime is not None:
                opinions.append(by_tolerance(prepared, data.runtime, data.desired, data_set))
    if opinions or answers.refusal:
        said = judge.merge(opinions) if opinions else None
        details["onnxruntime"] = answers.refusal if said is None else said.message or said.name
    verdict = judge.insensitive(judge.merge(verdicts), measures.insensitive)
    if measures.insensitive:
        details["insensitive"] = measures.insensitive
    if verdict.guilty:
        details["guilty"] = verdict.guilty
    if used := used_overrides(verdict.metrics, judged.overrides):
        details["overrides"] = used
    return verdict


def verdict_on(
    prepared: PreparedCase, data_set: str, data: DataSet, measured: Measured, actual: Sequence[Array], judged: Judge
) -> Verdict:
    """Judge outputs beside all that is known of one data set."""
    question, names = _asked(prepared)
    coarse = prepared.tolerance if prepared.answered else None
    evidence = evidence_of(data, measured, stored=_is_stored(prepared, data_set), coarse=coarse)
    return judged.verdict(question, names, actual, evidence, data_set)


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
    """Tell whether somebody else than ONNX Runtime said what to expect."""
    return data_set != SEEDED and (prepared.evaluated or not prepared.answered)


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
        evidence = evidence_of(data, way(), stored=prepared.evaluated, coarse=prepared.tolerance)
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
        ``twins_differ`` with the first difference, or ``twins`` with the names of those that agree, or nothing. Twins
        that fail are left out: that is told of themselves.
    """
    if prepared.random or not prepared.stored:
        return {}
    names = [output.name for output in prepared.outputs]
    agree = []
    for name, ask in _twins(prepared, infer, twin, infer_twin):
        try:
            mine, other = ask()
        except StageError:
            continue
        said = judge.judge(names, mine, other, f"twin {name}", prepared.case.id)
        if not said.passes:
            return {"twins_differ": f"compiled Burn answers otherwise, {name}: {said.message}"}
        agree.append(name)
    return {"twins": "; ".join(agree)} if agree else {}


def _twins(
    prepared: PreparedCase, infer: Infer, twin: PreparedCase | None, infer_twin: Infer
) -> Iterator[tuple[str, Callable[[], tuple[list[Array], list[Array]]]]]:
    inputs = oracle.stored_inputs(prepared)
    if twin is not None:
        yield f"as {twin.case.id}", lambda: (infer(inputs), infer_twin(oracle.stored_inputs(twin)))
    parted = halves(prepared.inputs, inputs)
    if parted is not None:
        yield "with the batch in two parts", lambda: (infer(inputs), joined(*(infer(part) for part in parted)))
