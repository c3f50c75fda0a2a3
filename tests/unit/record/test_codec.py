"""Lines of the record: strict JSON, and the same value back."""

import json
import math
from enum import Enum
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.result import CaseResult, Guilty, OutputMetrics, VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record import codec

SIZES = st.integers(min_value=0, max_value=2**40)
# A float that compares equal to itself once read: the one not-a-number that does is `math.nan`, by identity.
FLOATS = st.floats(allow_nan=False) | st.just(math.nan)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)
METRICS = st.builds(
    OutputMetrics,
    data_set=st.text(),
    name=st.text(),
    dtype=st.sampled_from(["float32", "int64", "bfloat16", "string"]),
    shape=st.lists(SIZES, max_size=4).map(tuple),
    elements=SIZES,
    mismatching=SIZES,
    max_abs=st.none() | FLOATS,
    max_ulp=st.none() | SIZES,
    first_bad=st.none() | st.lists(SIZES, max_size=4).map(tuple),
    guilty=st.sampled_from(Guilty),
    override=st.text(),
    metrics=st.dictionaries(st.text(), FLOATS, max_size=3),
)
RESULTS = st.builds(
    CaseResult,
    case_id=st.text(),
    corpus=st.text(),
    stage=st.sampled_from(Stage),
    outcome=st.sampled_from(Outcome),
    op_types=st.lists(st.text(), max_size=3).map(tuple),
    opset=st.integers(min_value=0, max_value=30),
    verdict=st.none() | st.sampled_from(VerdictName),
    failure=st.none() | st.sampled_from(FailureKind),
    message=st.text(),
    reason=st.text(),
    note=st.none() | st.text(),
    metrics=st.lists(METRICS, max_size=2).map(tuple),
    details=st.dictionaries(st.text(), JSON_VALUES, max_size=3),
    durations=st.dictionaries(st.sampled_from([stage.value for stage in Stage]), FLOATS, max_size=3),
)


def refuse_constant(name):
    pytest.fail(f"{name} is not JSON")


def load(line):
    return json.loads(line, parse_constant=refuse_constant)


def a_result(**changes):
    return CaseResult(**{"case_id": "a", "corpus": "zoo", "stage": Stage.RUN, "outcome": Outcome.FAILED} | changes)


def to_line(result):
    return codec.result_to_line(result, Target(burn="0.22.0"))


@given(RESULTS)
@settings(deadline=None)
def test_a_result_comes_back_equal(result):
    line = to_line(result)

    assert type(line) is str
    assert line.isascii()
    assert len(line.splitlines()) == 1
    # By their text: not-a-number is unequal to itself.
    assert repr(codec.result_from_json(load(line))) == repr(result)


def test_a_line_has_the_documented_fields():
    metrics = OutputMetrics(data_set="seeded", name="Y", dtype="float32", shape=(2, 2), elements=4, mismatching=1)
    data = load(to_line(a_result(metrics=(metrics,))))

    assert data["schema_version"] == codec.SCHEMA_VERSION
    assert data["kind"] == "result"
    assert (data["burn_version"], data["burn_backend"]) == ("0.22.0", "flex")
    assert (data["stage"], data["outcome"]) == ("run", "failed")
    assert data["metrics"][0]["fraction"] == 0.25
    fields = {
        "case_id",
        "corpus",
        "op_types",
        "opset",
        "verdict",
        "failure",
        "message",
        "reason",
        "details",
        "durations",
    }
    assert fields <= set(data)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Stage.RUN, "run"),
        (Colour.RED, "red"),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), "nan"),
        (float("-inf"), "-inf"),
        (np.int8(-3), -3),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array([[1, 2]], dtype=np.int64), [[1, 2]]),
        (np.array([1.0, np.inf], dtype=np.float32), [1.0, "inf"]),
        (ml_dtypes.bfloat16(1.5), 1.5),
        (np.array([1.5], dtype=ml_dtypes.bfloat16), [1.5]),
        ((1, (2,)), [1, [2]]),
        ({"b", "a"}, ["a", "b"]),
        ({Stage.LOAD: 1, 2: None}, {"load": 1, "2": None}),
        (b"\xffx", "\ufffdx"),
        (Path("log") / "a.txt", str(Path("log") / "a.txt")),
        ("lone \ud800", "lone \ud800"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_foreign_values_become_plain(value, plain):
    assert load(to_line(a_result(details={"value": value})))["details"] == {"value": plain}


def test_not_a_number_is_a_number_again_where_the_field_is_one():
    metrics = OutputMetrics(
        data_set="seeded", name="Y", dtype="float32", shape=(), elements=1, mismatching=1, max_abs=math.inf
    )
    line = to_line(a_result(metrics=(metrics,), durations={"run": np.float64("nan")}))

    assert load(line)["metrics"][0]["max_abs"] == "inf"
    back = codec.result_from_json(load(line))
    assert back.metrics[0].max_abs == math.inf
    assert back.durations["run"] is math.nan


def test_environment_and_phases_are_lines_of_their_kind():
    environment, phases = codec.environment_line({"cpu": "x"}), codec.phases_line({"compile": np.float32(1.5)})

    assert load(environment) == {
        "schema_version": codec.SCHEMA_VERSION,
        "kind": "environment",
        "environment": {"cpu": "x"},
    }
    assert load(phases) == {"schema_version": codec.SCHEMA_VERSION, "kind": "phases", "phases": {"compile": 1.5}}


def test_unknown_keys_are_passed_over_and_optional_ones_may_lack():
    data = {"case_id": "a", "corpus": "zoo", "stage": "run", "outcome": "failed", "from_the_future": 1}

    assert codec.result_from_json(data) == a_result()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "dance"}, "dance"),
        ({"outcome": None}, "None is not a valid Outcome"),
        ({"verdict": "splendid"}, "'splendid' is not a valid VerdictName"),
        ({"failure": "bad luck"}, "'bad luck' is not a valid FailureKind"),
        ({"metrics": [{"name": "Y"}]}, "without 'data_set'"),
        ({"metrics": 3}, "not a result"),
        ({"durations": []}, "not a result"),
    ],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        codec.result_from_json(load(to_line(a_result())) | change)


def test_a_missing_field_is_named():
    with pytest.raises(ValueError, match="without 'case_id'"):
        codec.result_from_json({})
