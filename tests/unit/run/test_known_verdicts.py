"""What a program answered rightly before is not asked again; all else is."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.result import Verdict, VerdictName
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


def ready(identity="batch", module="m", reference="r", target=Target()):  # noqa: B008
    case = Case(id="node/a", corpus="node", source=Unavailable(reason=""))
    varied = VariedData(like="stored_0", names=("varied-normal",))
    prepared = PreparedCase(
        case=case, model=Path("a"), digest="", op_types=(), opset=17, inputs=(), outputs=(), varied=varied
    )
    model = ConvertedModel(label="", module=module, rust=Path("a"), weights=Path("a"), seconds=0.0)
    program = Named(faults=Faults(), identity=identity)
    built = Built(loaded=Loaded(case=case, prepared=prepared), target=target, model=model, program=program)
    return Ready(built=built, reference=Reference(path=Path(reference), data_sets=("stored_0",), seconds=0.0))


def answered(**given):
    return Answered(ready=ready(**given), known=Answers(data_sets={}), outputs={"stored_0": [np.ones(1)]}, evidence={})


AGREES = Varied(agree=("varied-normal",), silent={"varied-normal": ("",)})


def compared(varied=AGREES, **given):
    verdict = Verdict(name=VerdictName.AGREES, message="", metrics=())
    return Compared(answered=answered(**given), verdict=verdict, evidence={}, varied=varied)


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
        {"target": Target(backend="ndarray")},
    ],
)
def test_another_program_reference_or_target_is_asked(known, other):
    known.keep(compared(), Judge())
    assert known.recalled(answered(**other), Judge()).recalled is None


def test_another_judge_asks(known):
    known.keep(compared(), Judge())
    assert known.recalled(answered(), Judge(burn_backend="other")).recalled is None


@pytest.mark.parametrize(
    "found",
    [
        None,
        Varied(),
        Varied(agree=("varied-normal",), doubts={"varied-ties": "two answers"}),
        Varied(agree=("varied-normal",), failed=Verdict(name=VerdictName.DISAGREES, message="", metrics=())),
    ],
)
def test_what_failed_or_is_in_doubt_is_asked_again(known, found):
    known.keep(compared(found), Judge())
    assert known.recalled(answered(), Judge()).recalled is None


def test_a_damaged_note_is_asked_again(known, cache):
    known.keep(compared(), Judge())
    (path,) = (cache.root / "verdicts").rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"varied-normal", b"varied-nothin"))
    assert known.recalled(replace(answered()), Judge()).recalled is None
