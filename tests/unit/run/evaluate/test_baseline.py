"""Baselines: metrics, predictions, folders; those of other data are refused."""

import json

import pytest

from burn_verify.cases.labelled.entry import Labels, kept
from burn_verify.core.errors import UsageError
from burn_verify.run.evaluate.baseline import baseline_of
from burn_verify.task.classification import Classification
from burn_verify.task.custom import Custom
from labelled import entry

DATA = kept("d", Labels.CLASS, [entry(0), entry(1, 1)])
RIGHT = [{"sample": 0, "class": 0}, {"sample": 1, "class": 1}]


def read(tmp_path, document, name="base.json"):
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return baseline_of(path, Classification(), DATA, "abc")


def test_metrics_alone(tmp_path):
    found = read(tmp_path, {"top1": 0.5, "samples": 2, "note": "x", "ok": True})
    assert found.evaluated.metrics == {"top1": 0.5}
    assert not found.evaluated.answered
    assert found.check == "the baseline names no digest of its data; 2 samples in both"


@pytest.mark.parametrize("name", ["accuracy", "Top1", "eval_accuracy", "val/acc1"])
def test_metrics_are_known_by_the_names_of_frameworks(tmp_path, name):
    assert read(tmp_path, {name: 0.5}).evaluated.metrics == {"top1": 0.5}
    with pytest.raises(UsageError, match=r"top1 is 95\.5: a share is needed, such as 0\.95 for 95 %"):
        read(tmp_path, {name: 95.5})


def test_a_name_of_its_own_goes_before_that_of_a_framework(tmp_path):
    assert read(tmp_path, {"accuracy": 0.5, "Top1": 0.25}).evaluated.metrics == {"accuracy": 0.5, "top1": 0.25}


def test_a_metric_of_the_users_own_keeps_its_name(tmp_path):
    path = tmp_path / "base.json"
    path.write_text(json.dumps({"accuracy": 95.5}))
    own = Custom(called="mine", labels=Labels.CLASS, function=lambda outputs, label: 1.0)
    assert baseline_of(path, own, DATA, "abc").evaluated.metrics == {"accuracy": 95.5}


def test_predictions_are_scored_here(tmp_path):
    found = read(tmp_path, RIGHT)
    assert found.evaluated.metrics == {"top1": 1.0}
    assert "its predictions are of these samples" in found.check


def test_predictions_beside_metrics_are_read_too(tmp_path):
    (tmp_path / "torch_predictions.json").write_text(json.dumps(RIGHT))
    assert len(read(tmp_path, {"top1": 1.0}, "torch_metrics.json").evaluated.answered) == 2
    with pytest.raises(UsageError, match=r"its top1 is 0\.500000, its predictions have 1\.000000"):
        read(tmp_path, {"top1": 0.5}, "torch_metrics.json")


def test_a_folder_of_an_earlier_evaluation(tmp_path):
    (tmp_path / "eval_d_e").mkdir()
    (tmp_path / "eval_d_e" / "metrics.json").write_text(json.dumps({"top1": 1.0, "dataset": {"digest": "abc"}}))
    (tmp_path / "eval_d_e" / "predictions.json").write_text(json.dumps(RIGHT))
    found = baseline_of(tmp_path / "eval_d_e", Classification(), DATA, "abc")
    assert found.check == "the same data, abc"
    with pytest.raises(UsageError, match="it is of other data, abc, these are xyz: not compared"):
        baseline_of(tmp_path / "eval_d_e", Classification(), DATA, "xyz")
    with pytest.raises(UsageError, match=r"a folder with metrics\.json or predictions\.json"):
        baseline_of(tmp_path, Classification(), DATA, "abc")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "no JSON"),
        ("3", "an object of metrics, or an array"),
        ({"note": "x"}, "it holds no metric"),
        ('{"top1": NaN}', "top1 is no finite number: nan"),
        ({"top1": 1.0, "images": 7}, "it is of 7 samples, these are 2: not compared"),
        ([{"sample": 5, "class": 0}], "no number of a sample: 5"),
        (RIGHT[:1], "1 of 2 samples have no prediction"),
    ],
)
def test_what_is_no_baseline(tmp_path, document, said):
    with pytest.raises(UsageError, match=said):
        read(tmp_path, document)
