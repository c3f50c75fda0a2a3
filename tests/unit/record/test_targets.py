"""Targets in lines of a record: read as they were written, but for the place of a checkout."""

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Checkout, Target
from burn_verify.record import codec
from burn_verify.record.targets import UNKNOWN, recorded, target_environment, target_from_json, target_to_json

LOCAL = Target(burn_onnx_checkout=Checkout(path=Path("here"), commit="abc", dirty=True, digest="d"))
TARGETS = st.builds(
    Target,
    burn=st.sampled_from(["0.21.0", "0.22.1"]),
    backend=st.sampled_from(["flex", "wgpu"]),
    simplify=st.booleans(),
    prepared=st.booleans(),
    partition=st.booleans(),
    load=st.sampled_from(["file", "embedded"]),
    weights=st.sampled_from(["full", "half"]),
    record=st.sampled_from(["bpk", "mpk.gz"]),
    via=st.sampled_from(["process", "http-json"]),
    burn_checkout=st.none() | st.builds(Checkout, path=st.just(Path()), commit=st.text(), dirty=st.booleans()),
)


@given(TARGETS)
def test_a_target_comes_back_without_where_it_lies(target):
    result = CaseResult(case_id="a", corpus="zoo", stage=Stage.COMPARE, outcome=Outcome.PASSED)
    assert target_from_json(json.loads(json.dumps(target_to_json(target)))) == target
    assert codec.result_and_target(codec.result_to_line(result, target)) == (result, target)
    assert recorded(LOCAL) == replace(LOCAL, burn_onnx_checkout=replace(LOCAL.burn_onnx_checkout, path=Path()))


@given(TARGETS)
def test_a_line_that_names_no_target_is_of_the_one_of_its_environment(target):
    said = target_environment(target)
    assert (said["burn"], said["burn_onnx"]) == (target.burn, target.burn_onnx)
    assert target_from_json({}, said) == replace(target, burn_checkout=None)
    assert target_from_json({}) == UNKNOWN
