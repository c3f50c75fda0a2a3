"""Samples through the whole pipeline with fakes: counted, the worst named, one that fails told apart."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.options import settings_from
from burn_verify.core.progress import Progress, silent
from burn_verify.core.result import Verdict, VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.run.samples import SampleRun
from burn_verify.run.session import Session
from burn_verify.system.cache import Cache
from fakes import Faults, seams
from handmade import model, value


@pytest.fixture
def net(tmp_path):
    """A model that adds its input to itself, and four rows to feed."""
    made = model(
        [helper.make_node("Add", ["x", "x"], ["y"])], [value("x", shape=["n", 2])], [value("y", shape=["n", 2])]
    )
    onnx.save(made, tmp_path / "net.onnx")
    np.savez(tmp_path / "a.npz", x=np.arange(8, dtype="f4").reshape(4, 2))
    return tmp_path


def verified(net, faults=None, listen=silent, **typed):
    typed = {"models": str(net / "net.onnx"), "data": str(net / "a.npz"), "cache_dir": str(net / "cache"), **typed}
    session = Session.open(settings_from(typed), seams=seams(faults or Faults()))
    try:
        session.prepare(session.selected.trials)
        return session.verify(session.selected.trials[0], listen)
    finally:
        session.close()


def test_all_samples_are_run_and_the_worst_is_named(net):
    events: list[Progress] = []
    result = verified(net, listen=events.append)
    assert result.outcome is Outcome.PASSED
    said = result.details["samples"]
    assert (said["count"], said["agree"], said["worst"]) == (4, 4, "a.npz[1]")
    assert {one.data_set for one in result.metrics} == {"a.npz[0]", "a.npz[1]"}
    assert [event.text for event in events if event.phase == "samples"] == ["a.npz[1]", "a.npz[2]", "a.npz[3]", ""]


def wrong_above(limit):
    def fault(outputs):
        return [np.where(array > limit, array + 1, array) for array in outputs]

    return fault


def test_a_sample_that_is_wrong_fails_the_case_and_is_the_worst(net):
    result = verified(net, Faults({("run", "net"): wrong_above(9)}))
    assert (result.outcome, result.verdict) == (Outcome.FAILED, VerdictName.DISAGREES)
    said = result.details["samples"]
    assert (said["agree"], said["disagree"], said["first"]) == (2, 2, ["a.npz[2]", "a.npz[3]"])
    assert said["worst"] in ("a.npz[2]", "a.npz[3]")
    assert said["worst"] in result.message


def test_a_panic_names_the_sample(net):
    result = verified(net, Faults({("run", "net"): RunError("panicked", kind=FailureKind.PANIC)}, nth=3))
    assert (result.stage, result.failure) == (Stage.RUN, FailureKind.PANIC)
    assert result.message == "panicked [sample a.npz[2]]"
    assert result.details["samples"]["agree"] == 2


def test_a_sample_that_the_engine_refuses_costs_no_other(net):
    # The first sample is answered twice: for its data set, and to load the model.
    result = verified(net, Faults({("infer", "net"): OracleError("no such row")}, nth=4))
    assert result.outcome is Outcome.PASSED
    assert result.details["samples"]["unanswered"] >= 1
    assert result.details["samples"]["why"] == "no such row"


def test_expected_outputs_count(net):
    np.savez(net / "a.npz", x=np.ones((2, 2), "f4"), y=np.array([[2, 2], [2, 3]], "f4"))
    result = verified(net)
    assert result.outcome is Outcome.FAILED
    assert result.details["samples"]["first"] == ["a.npz[1]"]


def test_one_sample_alone(net):
    result = verified(net, sample="a.npz[2]")
    assert result.details["samples"]["count"] == 1
    assert {one.data_set for one in result.metrics} == {"a.npz[2]"}


def test_a_damaged_sample_is_a_mistake_of_the_user(net):
    (net / "a.jsonl").write_text('{"x": [1, 2]}\n{"x": [1]}\n')
    result = verified(net, data=str(net / "a.jsonl"))
    assert (result.stage, result.failure) == (Stage.LOAD, FailureKind.USAGE)
    assert result.message.startswith("a.jsonl:2: x: 'x' is of shape [n, 2], not [1, 1]")


def test_what_is_outside_of_the_quick_bound_gets_all_evidence(net):
    asked = []

    def judged(name, data, measured, actual, stored):
        asked.append(name)
        passes = asked.count(name) > 1
        return Verdict(name=VerdictName.AGREES if passes else VerdictName.DISAGREES, message="", metrics=())

    cache = Cache(net / "cache")
    case = Case(id="file/net", corpus="file", source=ModelFile(path=net / "net.onnx"))
    prepared = prepare(replace(case, hints=Hints(data=(net / "a.npz",))), cache)
    first = Verdict(name=VerdictName.AGREES, message="", metrics=())
    engine = seams().engine(cache, 1.0, memory_limit=0)
    found = SampleRun(engine, cache, 1.0).run(prepared, first, lambda inputs: inputs, judged, silent)
    assert found.evidence["samples"]["agree"] == 4
    assert "disagree" not in found.evidence["samples"]
