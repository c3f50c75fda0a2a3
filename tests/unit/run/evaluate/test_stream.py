"""Samples through an engine: broken ones are counted, those it fails on are told apart."""

from dataclasses import replace

import numpy as np
import pytest

from burn_verify.cases.labelled.entry import Labels
from burn_verify.cases.labelled.fed import Feeder
from burn_verify.cases.labelled.opened import opened
from burn_verify.core.case import Hints, ModelFacts
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.progress import Progress, silent
from burn_verify.core.stage import FailureKind
from burn_verify.run.evaluate.stream import Asked, evaluated, median_of
from burn_verify.task.classification import Classification
from labelled import ROWS, SCORES, readable, rows


def run(path, infer=lambda inputs: [inputs[0]], listen=silent, hints=Hints()):  # noqa: B008  (immutable)
    data = opened(path, Labels.CLASS, readable())
    facts = ModelFacts(op_types=(), opset=18, inputs=(ROWS,), outputs=(SCORES,))
    feeder = Feeder(data.entries[0], readable(hints=hints), facts, "digest")
    asked = Asked(model="m", engine="e", infer=infer, pid=lambda: None, outputs=(SCORES,))
    return evaluated(asked, data, "abc", feeder, Classification(), listen)


def test_all_samples(tmp_path):
    events: list[Progress] = []
    found = run(rows(tmp_path / "a.npz"), listen=events.append)
    assert found.metrics == {"top1": 0.75}
    assert (found.name, found.dataset, found.digest, found.error) == ("m by e", "a", "abc", "")
    assert events[-1].done == events[-1].total == 4
    assert "a second" in events[-1].text
    assert found.cost.memory is None


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 7])
def test_batches_change_nothing(tmp_path, batch):
    asked = []

    def infer(inputs):
        asked.append(inputs[0].shape)
        return [inputs[0]]

    found = run(rows(tmp_path / "a.npz"), infer, hints=Hints(sizes=(("batch", (batch,)),)))
    assert [one.prediction.classes[0] for one in found.answered] == [0, 1, 2, 2]
    assert set(asked) == {(batch, 3)}
    assert len(asked) == -(-4 // batch)


def fails_on(*places):
    calls = iter(range(100))

    def infer(inputs):
        if next(calls) in places:
            raise RunError("it panicked\nhere")
        return [inputs[0]]

    return infer


def test_a_sample_that_the_engine_fails_on_costs_no_other(tmp_path):
    found = run(rows(tmp_path / "a.npz"), fails_on(1))
    assert found.unanswered == ("a.npz[1]: it panicked here",)
    assert [one.entry.number for one in found.answered] == [0, 2, 3]


def test_an_engine_that_answers_nothing_is_an_error(tmp_path):
    found = run(rows(tmp_path / "a.npz", labels=(0,) * 60), fails_on(*range(100)))
    assert found.error == "no sample was answered: a.npz[0]: it panicked here"
    assert len(found.unanswered) == 20


def test_an_engine_that_was_closed_ends_it(tmp_path):
    def infer(inputs):
        raise OracleError("closed", kind=FailureKind.CLOSED)

    with pytest.raises(OracleError):
        run(rows(tmp_path / "a.npz"), infer)


def test_what_cannot_be_fed_or_scored_is_counted(tmp_path):
    table = np.eye(3, dtype="f4")[[0, 1, 2, 0]]
    table[1] = np.nan
    np.savez(tmp_path / "a.npz", x=table, labels=np.array([0, 1, 9, -1]))
    found = run(tmp_path / "a.npz")
    assert found.metrics == {"top1": 1.0}
    assert sorted(line.partition(":")[0] for line in found.unreadable) == ["a.npz[1]", "a.npz[2]", "a.npz[3]"]


def test_an_output_without_rows_is_told(tmp_path):
    found = run(rows(tmp_path / "a.npz"), lambda inputs: [np.ones((1, 3))], hints=Hints(sizes=(("batch", (2,)),)))
    assert "has no row for each of 2" in found.error


def test_a_prediction_of_each_sample_is_its_own(tmp_path):
    found = run(rows(tmp_path / "a.npz"))
    assert replace(found.answered[0].entry, items=()).number == 0
    assert [one.entry.label for one in found.answered] == [0, 1, 2, 1]


def test_the_median_of_calls_lies_in_its_interval():
    assert median_of([1.0] * 9) is None
    assert median_of([float(one) for one in range(100)]) == (49.5, 40.0, 60.0)
    assert median_of([3.0] * 10) == (3.0, 3.0, 3.0)
