"""How a case ended, as evidence."""

import dataclasses

import pytest

from burn_verify.core.result import VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.forecast.endings import STATE_OF, Ending, ending_of, proved
from evidences import result


@pytest.mark.parametrize("ending", [ending.value for ending in Ending])
def test_an_ending_is_that_of_the_stage(ending):
    assert ending_of(result("a", ending)) is Ending(ending)


@pytest.mark.parametrize(
    "kind", [FailureKind.MACHINE, FailureKind.TIMEOUT, FailureKind.NO_REFERENCE, FailureKind.DEVICE]
)
def test_what_the_machine_ended_tells_nothing(kind):
    assert ending_of(dataclasses.replace(result("a", "refused"), failure=kind)) is None


def test_a_case_without_a_reference_tells_nothing():
    assert ending_of(dataclasses.replace(result("a", "refused"), stage=Stage.REFERENCE)) is None
    assert ending_of(dataclasses.replace(result("a"), outcome=Outcome.SKIPPED)) is None


def test_an_answer_that_depends_on_nothing_proves_nothing():
    assert proved(result("a"))
    assert not proved(dataclasses.replace(result("a"), verdict=VerdictName.INSENSITIVE))


def test_every_ending_has_a_state():
    assert set(STATE_OF) == set(Ending)
