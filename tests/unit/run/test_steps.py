"""What a step hands on: where two ends of a case meet, and what is left of it when it ends."""

import pickle
from pathlib import Path

import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import CompileError, ConvertError, OracleError, RunError
from burn_verify.core.stage import ConvertedModel, PreparedCase, Reference, Stage
from burn_verify.core.target import Target
from burn_verify.run.steps import Built, Chosen, Converted, Ended, Loaded, Ready, Referred, joined

CASE = Case(id="file/a", corpus="file", source=Unavailable(reason=""))
PREPARED = PreparedCase(case=CASE, model=Path("a"), digest="", op_types=(), opset=17, inputs=(), outputs=())
MODEL = ConvertedModel(label="", module="m", rust=Path("a"), weights=Path("a"), seconds=0.0)
LOADED = Loaded(case=CASE, prepared=PREPARED, durations={"load": 1.0})
BUILT = Built(loaded=LOADED, target=Target(), model=MODEL, program=None, durations={"load": 1.0, "convert": 2.0})
KNOWN = Reference(path=Path("r"), data_sets=("seeded",), seconds=0.0)
REFERRED = Referred(loaded=LOADED, reference=KNOWN, durations={"load": 1.0, "reference": 3.0})


def test_built_and_referred_make_ready():
    ready = joined(BUILT, REFERRED)
    assert isinstance(ready, Ready)
    assert (ready.built, ready.reference, ready.prepared, ready.case) == (BUILT, KNOWN, PREPARED, CASE)
    assert ready.durations == {"load": 1.0, "convert": 2.0, "reference": 3.0}


@pytest.mark.parametrize(
    ("mine", "others", "stage"),
    [
        (ConvertError("c"), None, Stage.CONVERT),
        (ConvertError("c"), OracleError("o"), Stage.CONVERT),
        (CompileError("c"), RunError("r"), Stage.COMPILE),
        (None, OracleError("o"), Stage.REFERENCE),
        (None, RunError("r"), Stage.RUN),
    ],
)
def test_of_two_ends_the_earlier_stage_counts(mine, others, stage):
    built = Converted(loaded=LOADED, model=MODEL, durations=BUILT.durations).ended(mine) if mine else BUILT
    referred = LOADED.ended(others).taking(REFERRED.durations) if others else REFERRED
    end = joined(built, referred)
    assert isinstance(end, Ended)
    assert end.stage is stage
    assert end.prepared == PREPARED
    assert end.built == (None if mine else BUILT)
    assert end.durations == {"load": 1.0, "convert": 2.0, "reference": 3.0}


def test_a_case_that_has_a_program_keeps_it_when_it_ends():
    assert BUILT.ended(CompileError("release")).built is BUILT
    assert Ready(built=BUILT, reference=KNOWN).ended(RunError("panic")).built is BUILT
    assert Chosen(case=CASE).ended(ConvertError("")).prepared is None


def test_a_step_can_be_pickled():
    for step in (LOADED, BUILT, REFERRED, joined(BUILT, REFERRED)):
        assert pickle.loads(pickle.dumps(step)) == step
    end = BUILT.ended(CompileError("no", "reason", {"codes": ["E0308"]}))
    again = pickle.loads(pickle.dumps(end))
    assert (again.built, again.stage, again.error.args) == (BUILT, Stage.COMPILE, end.error.args)
