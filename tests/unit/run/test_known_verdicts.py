"""What a program answered rightly before is neither asked nor judged again; all else is."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import RunError
from burn_verify.core.result import Guilty, OutputMetrics, Verdict, VerdictName
from burn_verify.core.stage import ConvertedModel, PreparedCase, Reference, VariedData
from burn_verify.core.target import Target
from burn_verify.judge.policy import Judge
from burn_verify.reference.oracle import Answers
from burn_verify.run.known_verdicts import KnownVerdicts
from burn_verify.run.steps import Answered, Built, Compared, Loaded, Ready, Varied
from fakes import FakeProgram, Faults


@dataclass(eq=False)
class Named(FakeProgram):
    identity: str = "batch"


REFERENCE = Path("reference")


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (REFERENCE, "another", "measures", "other measures"):
        Path(name).write_text(f"the content of {name}")


def ready(identity="batch", module="m", reference=REFERENCE, target=Target(), measures=None, op_types=()):  # noqa: B008
    case = Case(id="node/a", corpus="node", source=Unavailable(reason=""))
    varied = VariedData(like="stored_0", names=("varied-normal",))
    prepared = PreparedCase(
        case=case, model=Path("a"), digest="", op_types=op_types, opset=17, inputs=(), outputs=(), varied=varied
    )
    model = ConvertedModel(label="", module=module, rust=Path("a"), weights=Path("a"), seconds=0.0)
    program = Named(faults=Faults(), identity=identity)
    built = Built(loaded=Loaded(case=case, prepared=prepared), target=target, model=model, program=program)
    known = Reference(path=Path(reference), data_sets=("stored_0",), seconds=0.0, measures=measures and Path(measures))
    return Ready(built=built, reference=known)


ANSWER = np.array([1.0, -0.0], np.float32)


def answered(answer=ANSWER, *, failed=None, **given):
    outputs = {"stored_0": [answer], "varied-normal": [np.zeros(3)]}
    known = Answers(data_sets={})
    return Answered(ready=ready(**given), known=known, outputs=outputs, evidence={"inputs": 1}, failed=failed or {})


AGREES = Varied(agree=("varied-normal",), silent={"varied-normal": ("",)})


METRICS = OutputMetrics(
    data_set="stored_0",
    name="y",
    dtype="float32",
    shape=(2,),
    elements=2,
    mismatching=0,
    max_abs=1e-7,
    max_ulp=1,
    headroom=math.inf,
    guilty=Guilty.ONNXRUNTIME,
    metrics={"top1": 1.0},
    ulps=(1, 1),
)
VERDICT = Verdict(name=VerdictName.LOOSE, message="loose by 1", metrics=(METRICS,), reason="loose", guilty=Guilty.BOTH)


def compared(varied=AGREES, verdict=VERDICT, **given):
    step = answered(**given)
    return Compared(answered=step, verdict=verdict, evidence={**step.evidence, "guilty": Guilty.BOTH}, varied=varied)


@pytest.fixture
def known(cache):
    return KnownVerdicts(cache)


def test_what_agreed_is_recalled(known, cache):
    assert known.recalled(answered(), Judge()).recalled is None
    known.keep(compared(), Judge())
    assert KnownVerdicts(cache).recalled(answered(), Judge()).recalled == AGREES


@pytest.mark.parametrize(
    "other",
    [
        {"identity": "another batch"},
        {"identity": ""},
        {"module": "another"},
        {"reference": "another"},
        {"reference": "gone"},
        {"measures": "measures"},
        {"op_types": ("Add",)},
        {"failed": {"seeded": RunError("it panicked")}},
        {"target": Target(backend="ndarray")},
    ],
)
def test_another_program_reference_or_target_is_asked(known, other):
    known.keep(compared(), Judge())
    step = known.recalled(answered(**other), Judge())
    assert (step.recalled, step.known_verdict) == (None, None)


def test_what_the_judge_compares_with_is_known_by_its_content(known):
    known.keep(compared(measures="measures"), Judge())
    assert known.recalled(answered(measures="measures"), Judge()).known_verdict
    for path in (REFERENCE, Path("measures")):
        before = path.read_text()
        path.write_text("changed")
        assert known.recalled(answered(measures="measures"), Judge()).known_verdict is None
        path.write_text(before)


def test_the_same_answers_have_the_same_verdict_and_evidence(known, cache):
    known.keep(compared(), Judge())
    assert KnownVerdicts(cache).recalled(answered(), Judge()).known_verdict == (VERDICT, {"guilty": "both"})


@pytest.mark.parametrize(
    "answer",
    [
        np.array([1.0, 0.0], np.float32),
        np.nextafter(ANSWER, np.float32(2)),
        ANSWER.astype(np.float64),
        ANSWER.view(np.int32),
        ANSWER.reshape(1, 2),
        ANSWER[:1],
    ],
)
def test_an_answer_that_differs_in_a_bit_is_judged(known, answer):
    known.keep(compared(), Judge())
    step = known.recalled(answered(answer), Judge())
    assert (step.recalled, step.known_verdict) == (AGREES, None)


def test_answers_to_further_values_are_not_those_of_every_run(known):
    known.keep(compared(), Judge())
    alone = replace(answered(), outputs={"stored_0": [ANSWER]})
    assert known.recalled(alone, Judge()).known_verdict


def test_what_was_judged_wrong_is_judged_again(known):
    known.keep(compared(verdict=replace(VERDICT, name=VerdictName.DISAGREES)), Judge())
    assert known.recalled(answered(), Judge()).recalled is None


def test_a_program_of_no_batch_is_asked_and_judged(known):
    known.keep(compared(identity=""), Judge())
    assert known.recalled(answered(identity=""), Judge()).known_verdict is None


def test_another_judge_asks(known):
    known.keep(compared(), Judge())
    assert known.recalled(answered(), Judge(burn_backend="other")).recalled is None


@pytest.mark.parametrize(
    "found",
    [
        Varied(agree=("varied-normal",), doubts={"varied-ties": "two answers"}),
        Varied(agree=("varied-normal",), failed=Verdict(name=VerdictName.DISAGREES, message="", metrics=())),
    ],
)
def test_what_failed_or_is_in_doubt_is_asked_again(known, found):
    known.keep(compared(found), Judge())
    assert known.recalled(answered(), Judge()).recalled is None


@pytest.mark.parametrize("found", [None, Varied()])
def test_a_case_without_further_values_is_known_by_its_answers(known, found):
    known.keep(compared(found), Judge())
    step = known.recalled(answered(), Judge())
    assert step.known_verdict
    assert not step.recalled.evidence


def test_a_damaged_note_is_asked_again(known, cache):
    known.keep(compared(), Judge())
    (path,) = (cache.root / "verdicts").rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"varied-normal", b"varied-nothin"))
    assert known.recalled(replace(answered()), Judge()).recalled is None
