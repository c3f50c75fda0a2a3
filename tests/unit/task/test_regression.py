"""Numbers and their errors."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.task.protocol import Answer, Answered
from burn_verify.task.regression import Regression
from labelled import entry

TASK = Regression()


def predicted(label, values):
    return TASK.predicted(entry(label), [Answer(outputs={"y": np.array([values], "f4")}, inputs={})])


def test_errors_over_all_numbers():
    some = [
        Answered(entry=entry((0.0, 0.0)), prediction=(3.0, 0.0)),
        Answered(entry=entry((1.0,), 1), prediction=(5.0,)),
    ]
    found = TASK.metrics(some)
    assert found["rmse"] == pytest.approx(np.sqrt(25 / 3))
    assert found["mae"] == pytest.approx(7 / 3)
    assert TASK.lower == {"rmse", "mae"}
    assert TASK.apart((1.0, 2.0), (1.0, 5.0)) == 3
    assert TASK.read(TASK.written(some), [one.entry for one in some]) == some


def test_what_does_not_fit():
    assert predicted((1.0, 2.0), [3, 4]) == (3, 4)
    with pytest.raises(Wrong, match="the label has 1 number, the output 2"):
        predicted((1.0,), [3, 4])
    with pytest.raises(Wrong, match="not finite"):
        predicted((1.0,), [np.nan])
    with pytest.raises(ValueError, match='needs "values", 1 numbers'):
        TASK.read([{"sample": 0, "values": [1, 2]}], [entry((1.0,))])
