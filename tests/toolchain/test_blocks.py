"""Blocks of calls, asked of a real runner: what is loaded anew, how many calls count, what a wrong request costs."""

import numpy as np
import pytest

from burn_verify.burn.runner import Runner
from burn_verify.core.errors import RunError
from burn_verify.core.latency import BlockPlan
from toolchain.helpers import OwnCache, Tiny

X = np.arange(6, dtype="f4").reshape(2, 3)


def plan(fresh=False, settle=0.0, calls=5, seconds=30.0):
    return BlockPlan(fresh=fresh, settle=settle, calls=calls, seconds=seconds)


@pytest.fixture
def add(tiny: Tiny, cache: OwnCache):
    built = tiny.step("add").built
    assert isinstance(built.program, Runner)
    runner = Runner(cache, built.program.binary, timeout=30, memory_limit=0, threads=1)
    try:
        yield lambda inputs, asked: runner.block(built.model, inputs, "flex", asked)
    finally:
        runner.close()


def fed(tiny: Tiny):
    prepared = tiny.step("add").prepared
    return [np.ones([int(dim) for dim in spec.shape], spec.dtype) for spec in prepared.inputs]


def test_a_block_has_as_many_calls_as_were_asked_for(add, tiny):
    block = add(fed(tiny), plan(calls=7))
    assert len(block.calls_ns) == len(block.prepare_ns) == 7
    assert all(call > 0 for call in block.calls_ns)


def test_a_block_without_time_has_one_call(add, tiny):
    assert len(add(fed(tiny), plan(calls=0, seconds=0.0)).calls_ns) == 1


def test_settling_does_not_count(add, tiny):
    assert len(add(fed(tiny), plan(settle=0.01, calls=2)).calls_ns) == 2


def test_a_model_is_loaded_anew_when_that_is_asked_for(add, tiny):
    first, second, anew = (add(fed(tiny), plan(fresh=fresh)) for fresh in (True, False, True))
    assert second.load < min(first.load, anew.load)
    assert all(size is None or size > 0 for size in first.resident)


def test_inputs_that_do_not_fit_are_an_error_and_no_death(add, tiny):
    with pytest.raises(RunError, match="takes more inputs"):
        add([], plan())
    assert len(add(fed(tiny), plan()).calls_ns) == 5


def test_a_length_of_time_that_cannot_be_meant(add, tiny):
    with pytest.raises(RunError):
        add(fed(tiny), plan(seconds=-1.0))
