"""Blocks of calls, asked of a real ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from burn_verify.core.errors import OracleError
from burn_verify.core.latency import BlockPlan
from burn_verify.reference.engine import infer
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def plan(fresh=False, settle=0.0, calls=5, seconds=30.0):
    return BlockPlan(fresh=fresh, settle=settle, calls=calls, seconds=seconds)


@pytest.fixture
def engine(tmp_path):
    engine = OnnxRuntime(Cache(tmp_path), timeout=60)
    yield engine
    engine.close()


@pytest.fixture
def fed():
    values = onnx.load(ADD).graph.input
    return [np.ones([dim.dim_value for dim in value.type.tensor_type.shape.dim], "f4") for value in values]


def test_a_block_has_as_many_calls_as_were_asked_for(engine, fed):
    block = engine.block(ADD, fed, 1, plan(fresh=True, calls=7))
    assert len(block.calls_ns) == 7
    assert all(call > 0 for call in block.calls_ns)
    assert block.prepare_ns == ()


def test_a_block_without_time_has_one_call(engine, fed):
    assert len(engine.block(ADD, fed, 1, plan(calls=0, seconds=0.0)).calls_ns) == 1


def test_a_session_is_made_anew_when_that_is_asked_for(engine, fed):
    first, second, anew = (engine.block(ADD, fed, 1, plan(fresh=fresh)) for fresh in (True, False, True))
    assert second.load < min(first.load, anew.load)
    assert all(size > 0 for size in first.resident)


def test_a_model_that_is_refused_is_said_and_answers_go_on(engine, fed, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(OracleError, match="ONNX Runtime"):
        engine.block(broken, fed, 1, plan())
    assert len(engine.block(ADD, fed, 1, plan()).calls_ns) == 5
    assert infer(engine, ADD, fed)[0].shape == fed[0].shape
