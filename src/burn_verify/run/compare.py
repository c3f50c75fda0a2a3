"""What a compiled model answers, beside what is known: every data set is run and judged.

How a model is asked is handed in, what agrees is `judge`'s to say, and which stage comes next is no matter here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from burn_verify import judge
from burn_verify.burn.program import Inference
from burn_verify.cases.generated.twins import halves, joined
from burn_verify.core.case import Tolerance
from burn_verify.core.errors import StageError
from burn_verify.core.result import JudgeMode, Verdict
from burn_verify.core.stage import PreparedCase
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.policy import Judge, Question, used_overrides
from burn_verify.reference import measure, oracle
from burn_verify.reference.inputs import UNANSWERED
from burn_verify.reference.oracle import DataSet
from burn_verify.run.steps import Answered, Compared, Ended, Ready
from burn_verify.system.wire import Array

_INPUTS: Final = "inputs"

DRAWN: Final = "drawn"
"""Name of a data set that Hypothesis drew."""


def answered(ready: Ready, infer: Callable[[Sequence[Array]], Inference]) -> Answered | Ended:
    """Ask a model for its answers to every data set; the first that fails ends the case.

    Arguments:
        infer: compiled Burn's answer to inputs; raises `RunError`.
    """
    known = oracle.read(ready.reference)
    fed: dict[str, list[str]] = {}
    outputs: dict[str, list[Array]] = {}
    weights = forward = 0.0
    for data_set, data in known.data_sets.items():
        fed[data_set] = [f"{array.dtype.name}[{','.join(map(str, array.shape))}]" for array in data.inputs]
        try:
            inference = infer(data.inputs)
        except StageError as error:
            return replace(ready.ended(error), evidence={_INPUTS: fed}, outputs=outputs)
        outputs[data_set] = inference.outputs
        weights += inference.load_seconds
        forward += inference.forward_seconds
    durations = {"weights": weights, "forward": forward}
    return Answered(ready=ready, known=known, outputs=outputs, evidence={_INPUTS: fed}, durations=durations)


def compared(answered: Answered, judged: Judge) -> Compared:
    """Judge the answers to every data set, and the opinions of engines where stored answers count."""
    prepared, known = answered.ready.prepared, answered.known
    measures = measure.read_measures(answered.ready.reference)
    verdicts = [
        verdict_on(prepared, data_set, known.data_sets[data_set], measures.data_sets[data_set], outputs, judged)
        for data_set, outputs in answered.outputs.items()
    ]
    verdict = judge.insensitive(judge.merge(verdicts), measures.insensitive)
    evidence = {**answered.evidence, **_opinions(prepared, known)}
    if measures.insensitive:
        evidence["insensitive"] = measures.insensitive
    if verdict.guilty:
        evidence["guilty"] = verdict.guilty
    if used := used_overrides(verdict.metrics, judged.overrides):
        evidence["overrides"] = used
    return Compared(answered=answered, verdict=verdict, evidence=evidence)


def _opinions(prepared: PreparedCase, known: oracle.Answers) -> dict[str, str]:
    """Return, by engine, what its answers are beside stored ones: how they compare, or why there are none."""
    found: dict[str, list[Verdict]] = {}
    for data_set, data in known.data_sets.items():
        for engine, opinion in data.opinions.items():
            found.setdefault(engine, []).append(by_tolerance(prepared, opinion, data.desired, data_set))
    merged = {engine: judge.merge(verdicts) for engine, verdicts in found.items()}
    return {**known.refusals, **{engine: verdict.message or verdict.name for engine, verdict in merged.items()}}


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
        runtime=data.opinion if stored else data.desired,
        measured=measured,
        coarse=coarse,
    )


def _asked(prepared: PreparedCase) -> tuple[Question, list[str]]:
    """Return what is judged, and the names of its outputs."""
    question = Question(case_id=prepared.case.id, random=prepared.random, tolerance=prepared.tolerance)
    return question, [output.name for output in prepared.outputs]


def _is_stored(prepared: PreparedCase, data_set: str) -> bool:
    """Tell whether somebody else than ONNX Runtime said what to expect."""
    return data_set not in UNANSWERED and (prepared.evaluated or not prepared.answered)


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


Infer: TypeAlias = Callable[[Sequence[Array]], list[Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """How a graph answers beside its twins.

    Attributes:
        differ: the first difference; empty where there is none.
        agree: the twins that answer the same.
    """

    differ: str = ""
    agree: tuple[str, ...] = ()

    @property
    def evidence(self) -> dict[str, str]:
        """What the record has of it."""
        if self.differ:
            return {"twins_differ": self.differ}
        return {"twins": "; ".join(self.agree)} if self.agree else {}


def with_twins(prepared: PreparedCase, infer: Infer, twin: PreparedCase | None, infer_twin: Infer) -> Twins:
    """Compare the answers of a graph with those of its twin, and with its own when the batch is parted in two.

    Twins that fail are left out: that is told of themselves.

    Arguments:
        twin: None where there is none that compiled; `infer_twin` is not called then.
    """
    if prepared.random or not prepared.stored:
        return Twins()
    names = [output.name for output in prepared.outputs]
    agree = []
    for name, ask in _twins(prepared, infer, twin, infer_twin):
        try:
            mine, other = ask()
        except StageError:
            continue
        verdict = judge.judge(names, mine, other, f"twin {name}", prepared.case.id)
        if not verdict.passes:
            return Twins(differ=f"compiled Burn answers otherwise, {name}: {verdict.message}")
        agree.append(name)
    return Twins(agree=tuple(agree))


def _twins(
    prepared: PreparedCase, infer: Infer, twin: PreparedCase | None, infer_twin: Infer
) -> Iterator[tuple[str, Callable[[], tuple[list[Array], list[Array]]]]]:
    inputs = oracle.stored_inputs(prepared)
    if twin is not None:
        yield f"as {twin.case.id}", lambda: (infer(inputs), infer_twin(oracle.stored_inputs(twin)))
    parted = halves(prepared.inputs, inputs)
    if parted is not None:
        yield "with the batch in two parts", lambda: (infer(inputs), joined(*(infer(part) for part in parted)))
