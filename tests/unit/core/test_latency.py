"""Latency as JSON: what was written is read, anything else is refused."""

import json
import re

import pytest

from burn_verify.core.target import Target
from burn_verify.record.codec import result_from_json, result_to_line
from timed import latency, result, side


def line_of(made):
    return result_to_line(made, Target())


@pytest.mark.parametrize(
    "timed",
    [
        latency(),
        latency(burn=None, onnxruntime=None, ratio=None, why="the release build fails: boom", load_average=None),
        latency(onnxruntime=None, ratio=None, why="ONNX Runtime: no"),
        latency(burn=side(resident=(None, None, None), stable=False)),
    ],
)
def test_a_latency_survives_the_record(timed):
    made = result(latency=timed)
    assert result_from_json(json.loads(line_of(made))) == made


def test_a_result_without_has_no_key_of_it():
    assert '"latency"' not in line_of(result(latency=None))
    assert '"latency"' in line_of(result())


@pytest.mark.parametrize("spoilt", ['"threads": "many"', '"profile_": 1', '"ratio": {"value": 1}'])
def test_a_spoilt_latency_is_not_a_result(spoilt):
    name = spoilt.partition(":")[0].strip('"').removesuffix("_")
    line = re.sub(rf'"{name}": (\{{[^}}]*\}}|[^,]*)', spoilt, line_of(result()))
    assert line != line_of(result())
    with pytest.raises(ValueError, match=r"."):
        result_from_json(json.loads(line))
