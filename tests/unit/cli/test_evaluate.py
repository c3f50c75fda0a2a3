"""``burn-verify evaluate``: exit codes, files, and one line for a mistake."""

import json

import numpy as np
import pytest

from fakes import Faults, seams
from labelled import classifier, detector, pictures, rows


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a model and data, which is the current one."""
    classifier(tmp_path / "net.onnx")
    rows(tmp_path / "a.npz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


CLASSES = ("evaluate", "net.onnx", "--data", "a.npz", "--task", "classification")


def test_what_agrees_is_exit_code_0(command, place):
    code, out, _ = command(*CLASSES, "-o", "out", seams=seams())
    assert code == 0
    assert "net by burn-flex beside net by fake: excellent" in out
    assert "0 decisions flipped" in out
    assert json.loads((place / "out" / "comparison.json").read_text())["passes"]
    assert sorted(path.name for path in place.iterdir()) == ["a.npz", "cache", "net.onnx", "out"]


def test_the_current_folder_is_the_default(command, place):
    assert command(*CLASSES, "--reference-only", seams=seams())[0] == 0
    assert {"eval_a_fake", "comparison.json"} <= {path.name for path in place.iterdir()}


def test_what_got_worse_is_exit_code_1_and_named(command, place):
    faults = Faults({("run", "net"): lambda outputs: [outputs[0][:, ::-1]]})
    code, out, _ = command(*CLASSES, "-o", "out", seams=seams(faults))
    assert code == 1
    assert "a.npz[0]: class 0 became 2 (the label is 0)" in out
    assert "FAILS: top1 differs by -0.500000: warning" in out
    assert command(*CLASSES, "-o", "out", "--max-drop", "Top1=0.5", seams=seams(faults))[0] == 0
    assert command(*CLASSES, "-o", "out", "--max-drop", "top1=0.49", seams=seams(faults))[0] == 1


def test_samples_that_cannot_be_read_are_exit_code_4_unless_they_are_allowed(command, place):
    np.savez(place / "a.npz", x=np.eye(3, dtype="f4"), labels=np.array([0, 1, -1]))
    code, out, err = command(*CLASSES, "-o", "out", seams=seams())
    assert code == 4
    assert "1.000000  2" in out, "the rest was evaluated"
    assert "a.npz[2]: label: a whole number from 0 is needed, not -1" in err
    assert "1 sample could not be used" in err
    assert command(*CLASSES, "-o", "out", "--allow-broken", "1", seams=seams())[0] == 0


def test_a_sample_that_is_there_twice_is_noted(command, place):
    pictures(place / "shapes", [[]])
    (place / "shapes" / "dataset.jsonl").write_text('{"image": "data/0.png", "objects": [], "label": 1}\n' * 2)
    detector(place / "boxes.onnx")
    words = ("evaluate", "boxes.onnx", "--data", "shapes", "--task", "metrics.py:one", "--reference-only", "-o", "out")
    (place / "metrics.py").write_text("def one(outputs, label):\n    return 1.0\n")
    code, _, err = command(*words, seams=seams())
    assert code == 0
    assert "note: shapes: 1 sample is there more than once, and counted so: data/0.png" in err


def test_names_of_classes_that_are_counted_are_noted(command, place):
    lines = [{"x": [1.0, 0.0, 0.0], "label": "cat"}, {"x": [0.0, 1.0, 0.0], "label": "dog"}]
    (place / "pets.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ("evaluate", "net.onnx", "--data", "pets.jsonl", "--task", "classification", "--reference-only")
    code, _, err = command(*words, "-o", "out", seams=seams())
    assert code == 0
    assert "burn-verify: note: pets: its classes are names, counted from 0 to 1" in err
    (place / "classes.txt").write_text("cat\ndog\nemu\n")
    assert "note:" not in command(*words, "-o", "out", seams=seams())[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate"], "the following arguments are required: MODEL, --data"),
        (["evaluate", "net.onnx", "--data", "none"], "none: no such file or folder"),
        (["evaluate", "none.onnx", "--data", "a.npz"], "none.onnx"),
        (["evaluate", "net.onnx", "--data", "a.npz"], "what is the task of net?"),
        (
            ["evaluate", "net.onnx", "--data", "a.npz", "--task", "classify"],
            "--task (--burn-task): classification, detection",
        ),
        (["evaluate", "net.onnx", "--data", "a.npz", "--task", "none.py:f"], "no such file"),
        (["evaluate", "net.onnx", "--data", "photos/data", "--task", "regression"], "no data set with labels"),
        (["evaluate", "net.onnx", "--data", "photos", "--task", "detection"], "of no known detector"),
        (["evaluate", "net.onnx", "--data", "a.npz", "--task", "similarity"], "no data set with labels: a .csv"),
        (["evaluate", "a.npz", "--data", "a.npz", "--task", "classification"], "not an ONNX model"),
        ([*CLASSES, "--max-drop", "top1"], "--max-drop (--burn-max-drop): METRIC=X"),
        ([*CLASSES, "--max-drop", "top1=-1"], "not 'top1=-1'"),
        ([*CLASSES, "--max-drop", "top1=nan"], "not 'top1=nan'"),
        ([*CLASSES, "--max-drop", "top1=1,TOP1=2"], "top1 is given twice"),
        ([*CLASSES, "--max-drop", "ap=1"], "--max-drop ap: the metrics are top1"),
        ([*CLASSES, "--baseline", "none.json"], "none.json: no such file or folder"),
        ([*CLASSES, "-o", "a.npz"], "-o a.npz: it is a file"),
        (
            ["evaluate", "net.onnx", "--data", "photos", "--task", "detection", "-o", "photos/out"],
            "it lies in the data",
        ),
        ([*CLASSES, "--pictures", "-1"], "--pictures: a number from 0"),
        ([*CLASSES, "--seed", "x"], "argument --seed: invalid int value"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(command, place, words, said):
    pictures(place / "photos", [[]])
    before = sorted(path.name for path in place.iterdir())
    code, out, err = command(*words, seams=seams())
    assert (code, out) == (4, "")
    assert said in err
    assert "Traceback" not in err
    assert sorted(path.name for path in place.iterdir() if path.name != "cache") == before
