"""A metric of the user's own, and a task of the user's own."""

import numpy as np
import pytest

from burn_verify.cases.labelled.entry import Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.core.errors import UsageError
from burn_verify.task.classification import Classification
from burn_verify.task.custom import own_task
from burn_verify.task.protocol import Answer, Answered
from labelled import entry

TEXT = """
from burn_verify.task.classification import Classification

def right(outputs, label):
    return float(outputs["y"].argmax() == label)

def both(outputs, label):
    return {"one": 1, "half": 0.5}

def broken(outputs, label):
    raise RuntimeError("no")

def empty(outputs, label):
    return float("nan")

def forgets(outputs, label):
    outputs["y"].argmax()

def leaves(outputs, label):
    raise SystemExit(0)

def differs(outputs, label):
    return {"one" if label else "two": 1}

Whole = Classification
number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "metrics.py"
    path.write_text(TEXT)
    return path


def answer(*values):
    return [Answer(outputs={"y": np.array([values])}, inputs={})]


def test_a_function(file):
    task = own_task(f"{file}:right", Labels.CLASS)
    assert (task.name, task.metric, task.labels) == ("right", "right", Labels.CLASS)
    some = [
        Answered(entry=entry(label, label), prediction=task.predicted(entry(label), answer(1, 2))) for label in (0, 1)
    ]
    assert task.metrics(some) == {"right": 0.5}
    assert task.intervals(some, some, 0) == {"right": (0.0, 0.0)}
    assert task.read(task.written(some), [one.entry for one in some]) == some
    assert task.apart({"right": 1.0}, {"right": 0.5}) == 0.5


def test_several_numbers(file):
    task = own_task(f"{file}:both", Labels.CLASS)
    one = Answered(entry=entry(0), prediction=task.predicted(entry(0), answer(1)))
    assert task.metrics([one]) == {"one": 1.0, "half": 0.5}


def test_a_whole_task(file):
    assert isinstance(own_task(f"{file}:Whole", Labels.CLASS), Classification)


def test_a_module_that_python_finds():
    assert isinstance(own_task("burn_verify.task.classification:Classification", Labels.CLASS), Classification)


def test_what_a_function_raises_is_that_of_its_sample(file):
    for name, said in (
        ("broken", "broken: RuntimeError: no"),
        ("empty", "empty: no finite number"),
        ("leaves", "leaves: SystemExit: 0"),
        ("forgets", "forgets: TypeError: it returned nothing: a number, or numbers by name are needed"),
    ):
        with pytest.raises(Wrong, match=said):
            own_task(f"{file}:{name}", Labels.CLASS).predicted(entry(0), answer(1))


def test_numbers_of_other_names_are_told(file):
    task = own_task(f"{file}:differs", Labels.CLASS)
    assert task.predicted(entry(1), answer(1)) == {"one": 1.0}
    with pytest.raises(Wrong, match="it returned two, and one for the first sample"):
        task.predicted(entry(0), answer(1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FILE:none", "has no 'none'"),
        ("FILE:number", "neither a function nor a task"),
        ("none.py:f", "no such file"),
        ("no_such_module_at_all:f", "No module named"),
    ],
)
def test_what_is_none(file, text, said):
    with pytest.raises(UsageError, match=said):
        own_task(text.replace("FILE", str(file)), Labels.CLASS)
