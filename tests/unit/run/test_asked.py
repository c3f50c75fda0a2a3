"""A model that an engine answers: on its own data sets, and on given inputs; what it refuses is told."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.core.errors import OracleError, UsageError
from burn_verify.core.options import Settings
from burn_verify.run.asked import opened
from fakes import FakeEngine, Faults
from handmade import model, value


@pytest.fixture
def asked(tmp_path, cache):
    """Return a function that opens a model which negates its input."""

    def asked(faults=Faults()):  # noqa: B008
        path = tmp_path / "m.onnx"
        path.write_bytes(
            model(
                [helper.make_node("Neg", ["x"], ["y"])], [value("x", shape=[2])], [value("y", shape=[2])]
            ).SerializeToString()
        )
        return opened(path, FakeEngine(cache, 9.0, faults), cache, Settings())

    return asked


def test_its_own_data_sets(asked):
    answer = asked().own()[0]

    assert (answer.case, answer.data_set, answer.random, answer.why) == ("file/m", "seeded", False, "")
    assert answer.outputs["y"].tolist() == (-answer.inputs["x"]).tolist()
    assert answer.known.runtime[0] is answer.outputs["y"]


@pytest.mark.parametrize("measured", [False, True])
def test_given_inputs(asked, measured):
    sets = [[np.array([1, 2], np.float32)], [np.array([3, 4], np.float32)]]

    found = asked().given(sets, measured=measured)

    assert [answer.outputs["y"].tolist() for answer in found] == [[-1, -2], [-3, -4]]


def test_a_refusal_is_one_line(asked):
    with pytest.raises(UsageError, match=r"m\.onnx: it has no answers to compare: two lines"):
        asked(Faults({("infer", "m"): OracleError("two\nlines")})).own()


def test_the_title(asked, tmp_path):
    assert asked().title == f"{tmp_path / 'm.onnx'}: answered by fake 1"
