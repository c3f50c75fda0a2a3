"""A resident child: started on request, ended for good, and one line for its death; tests/toolchain has all faults."""

import sys
from pathlib import Path

import pytest

from burn_verify.core.errors import ProcessDied
from burn_verify.core.stage import FailureKind
from burn_verify.system.resident import Resident

CHILD = Path(__file__).parents[3] / "fixtures" / "fake_child.py"


@pytest.fixture
def resident(tmp_path):
    made = Resident([sys.executable, str(CHILD), "runner"], role="runner", log=tmp_path / "logs" / "child.log")
    yield made
    made.close()


def test_a_child_is_started_by_the_first_request_and_stays(resident):
    assert resident.pid is None

    answer, payload = resident.request({"module": "honest"}, timeout=30.0)

    pid = resident.pid
    assert answer["ok"]
    assert isinstance(payload, bytes)
    resident.request({"module": "honest"}, timeout=30.0)
    assert resident.pid == pid


def test_several_requests_are_answered_in_their_order(resident):
    answers = resident.request_all([({"module": "honest"}, b"")] * 3, timeout=30.0)

    assert [answer["id"] for answer, _ in answers] == [1, 2, 3]


def test_a_death_is_told_and_the_next_request_starts_another(resident):
    with pytest.raises(ProcessDied, match="exit code 7") as died:
        resident.request({"module": "exit"}, timeout=30.0)

    assert died.value.kind is FailureKind.EXITED
    assert resident.request({"module": "honest"}, timeout=30.0)[0]["ok"]


def test_a_closed_resident_starts_no_child(resident):
    resident.close()

    with pytest.raises(ProcessDied, match="was closed"):
        resident.request({"module": "honest"}, timeout=30.0)


def test_a_program_that_cannot_be_started_is_told(tmp_path):
    missing = Resident([str(tmp_path / "missing")], role="runner", log=tmp_path / "child.log")

    with pytest.raises(ProcessDied, match="the runner cannot be started"):
        missing.request({}, timeout=1.0)
