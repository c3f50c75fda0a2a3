"""One table says how a result is shown; nothing that is not praise looks like praise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.report.summary.states import MISSING, OPERATOR_STATES, RANK, SILENT, STATES, WRONG, state_of
from burn_verify.report.summary.status import Status
from reported import a_result, agrees, no_device, no_program, no_reference, refused, skipped, wrong


@pytest.mark.parametrize(
    ("result", "key"),
    [
        (agrees("a/b"), "agrees"),
        (a_result("a/b", verdict="loose"), "loose"),
        (a_result("a/b", verdict="nondeterministic"), "random"),
        (a_result("a/b", verdict="insensitive"), "insensitive"),
        (a_result("a/b", outcome=Outcome.FAILED, verdict="oracle_disagrees"), "wrong"),
        (a_result("a/b", verdict="oracle_disagrees"), "oracle"),
        (wrong("a/b"), "wrong"),
        (a_result("a/b", Stage.RUN, Outcome.FAILED, reason="panic"), "failed"),
        (a_result("a/b", Stage.RUN, Outcome.FAILED, failure=FailureKind.NO_VALUE), "no-value"),
        (no_device("a/b"), "device"),
        (no_program("a/b"), "no-program"),
        (refused("a/b"), "refused"),
        (no_reference("a/b"), "silent"),
        (skipped("a/b"), "silent"),
        (None, "missing"),
    ],
)
def test_every_end_has_its_state(result, key):
    assert state_of(result).key == key


@given(
    st.sampled_from(Stage),
    st.sampled_from(Outcome),
    st.sampled_from(
        ["agrees", "loose", "nondeterministic", "oracle_disagrees", "insensitive", "disagrees", "a new word", ""]
    ),
)
def test_nothing_passes_that_did_not(stage, outcome, verdict):
    state = state_of(a_result("a/b", stage, outcome, verdict=verdict))

    praised = verdict in ("agrees", "loose", "nondeterministic", "oracle_disagrees")
    assert not state.passes or (stage is Stage.COMPARE and outcome is Outcome.PASSED and praised)


def test_a_word_that_is_not_known_is_no_agreement():
    assert state_of(a_result("a/b", verdict="splendid")) is SILENT
    assert state_of(a_result("a/b", outcome=Outcome.FAILED, verdict="splendid")) is WRONG


def test_states_differ_without_colour_and_the_worst_comes_first():
    assert len({state.key for state in STATES}) == len({state.symbol for state in STATES}) == len(STATES)
    assert len({state.word for state in STATES}) == len(STATES)
    assert STATES[0] is WRONG
    assert RANK[MISSING] < min(RANK[state] for state in STATES if state.passes)


def test_every_status_of_an_operator_has_a_state():
    assert set(OPERATOR_STATES) == set(Status)
