"""A test evaluates its model too."""

import base64

import pytest

from burn_verify.core.errors import RunError
from burn_verify.core.options import settings_from
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.run.session import Session
from fakes import Faults, seams
from labelled import classifier, detector, pictures, rows

BOX = (0.25, 0.25, 0.75, 0.75)


def run(tmp_path, faults=Faults(), task="classification", **typed):  # noqa: B008  (immutable)
    typed = {
        "models": str(tmp_path / "net.onnx"),
        "evaluate": str(tmp_path / "a.npz"),
        "task": task,
        "cache_dir": str(tmp_path / "cache"),
        **typed,
    }
    session = Session.open(settings_from(typed), seams=seams(faults))
    try:
        session.prepare(session.selected.trials)
        (trial,) = session.selected.trials
        return session.verify(trial)
    finally:
        session.close()


@pytest.fixture
def net(tmp_path):
    classifier(tmp_path / "net.onnx")
    rows(tmp_path / "a.npz")
    return tmp_path


def test_metrics_are_in_the_details(net):
    found = run(net)
    assert found.outcome is Outcome.PASSED
    said = found.details["evaluation"]
    assert (said["task"], said["dataset"]["name"], said["pictures"]) == ("classification", "a", [])
    assert [one["top1"] for one in said["evaluations"]] == [0.75, 0.75]
    assert said["comparison"]["passes"]


def wrong_on(*rows):
    """Return a fault of these samples alone, so that the drawn inputs of a case agree."""

    def change(outputs):
        first = outputs[0]
        exact = first.shape == (1, 3) and sorted(first[0].tolist()) == [0, 0, 1] and int(first[0].argmax()) in rows
        return [first[:, ::-1]] if exact else outputs

    return change


def test_a_task_that_got_worse_fails(net):
    faults = Faults({("run", "net"): wrong_on(0)})
    found = run(net, faults)
    assert (found.outcome, found.stage, found.failure) == (Outcome.FAILED, Stage.COMPARE, FailureKind.MISMATCH)
    assert found.message == "evaluation of classification: top1 differs by -0.250000: warning"
    assert found.reason == "classification got worse"
    assert found.details["evaluation"]["comparison"]["flips"]["samples"] == ["a.npz[0]"]
    assert run(net, faults, max_drop="top1=0.25").outcome is Outcome.PASSED


def test_without_the_option_nothing_is_evaluated(net):
    assert "evaluation" not in run(net, evaluate="").details


def test_data_that_do_not_fit_are_a_mistake_of_the_user(net):
    (net / "photos").mkdir()
    found = run(net, evaluate=str(net / "photos"))
    assert (found.outcome, found.stage, found.failure) == (Outcome.FAILED, Stage.LOAD, FailureKind.USAGE)
    assert found.message.startswith("evaluation: photos: no data set with labels is in it")
    found = run(net, task="")
    assert found.message.startswith("evaluation: what is the task of net?")


def test_a_limit_of_another_metric_is_a_mistake_of_the_user(net):
    found = run(net, max_drop="ap=0.01")
    assert (found.outcome, found.stage, found.failure) == (Outcome.FAILED, Stage.LOAD, FailureKind.USAGE)
    assert found.message == "evaluation: --max-drop ap: the metrics are top1"


def test_a_case_that_fails_anyway_keeps_its_failure(net):
    found = run(net, Faults({("run", "net"): lambda outputs: [outputs[0] + 1]}))
    assert found.stage is Stage.COMPARE
    assert "evaluation" not in found.message
    assert found.details["evaluation"]["comparison"]["tier"] == "excellent", "every score is greater by one"
    dead = run(net, Faults({("run", "net"): RunError("panicked", kind=FailureKind.PANIC)}))
    assert (dead.stage, dead.message) == (Stage.RUN, "panicked")


def test_pictures_of_boxes(tmp_path):
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    detector(tmp_path / "net.onnx")
    pictures(tmp_path / "photos", [[(BOX, 1)], [], [(BOX, 1)]])
    found = run(tmp_path, task="detection", evaluate=str(tmp_path / "photos"))
    first, second = found.details["evaluation"]["pictures"]
    assert base64.b64decode(first["jpeg"]).startswith(b"\xff\xd8")
    assert first["sample"] != second["sample"]
