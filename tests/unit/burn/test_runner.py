"""The runner on a device that lacks something: a reason of its own, told before anything runs."""

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from burn_verify.burn.drivers import Device
from burn_verify.burn.runner import Runner
from burn_verify.core.errors import RunError
from burn_verify.core.latency import BlockPlan
from burn_verify.core.stage import ConvertedModel, FailureKind, RunnerBinary

CHILD = Path(__file__).parents[3] / "fixtures" / "fake_child.py"
SAME = "pub fn forward(&self, x: Tensor<1>) -> Tensor<1> {"
INTEGERS = "pub fn forward(&self, n: Tensor<1, Int>) -> Tensor<1, Int> {"
ARGMAX = f"{SAME} x.argmax(0).cast(burn::tensor::DType::I64)"
PLAN = BlockPlan(fresh=True, settle=0.0, calls=1, seconds=1.0)
FLOAT, INT = np.ones(3, np.float32), np.ones(3, np.int64)


@pytest.fixture
def runner(cache, tmp_path):
    """Return a function that starts a runner whose device lacks these dtypes."""
    started = []

    def make(*lacks):
        words = [sys.executable, "-S", "-E", str(CHILD), "runner", "--pids", str(tmp_path / "pids")]
        script = tmp_path / "runner"
        script.write_text(f"#!/bin/sh\nexec {shlex.join([*words, *(['--lacks', ','.join(lacks)] if lacks else [])])}\n")
        script.chmod(0o755)
        binary = RunnerBinary(path=script, modules=frozenset())
        started.append(Runner(cache, binary, timeout=30, memory_limit=0))
        return started[-1]

    yield make
    for one in started:
        one.close()


@pytest.fixture
def model(tmp_path):
    def make(rust):
        path = tmp_path / "model.rs"
        path.write_text(rust)
        return ConvertedModel(label="file/m", module="m", rust=path, weights=path, seconds=0.0)

    return make


def test_a_device_says_what_it_lacks(runner):
    assert runner("int64", "uint64").start("wgpu") == Device(name="a fake device", lacks=("int64", "uint64"))
    assert runner().start("wgpu") == Device(name="a fake device")


@pytest.mark.parametrize(("rust", "inputs"), [(INTEGERS, INT), (ARGMAX, FLOAT)], ids=["fed", "inside"])
@pytest.mark.parametrize("how", ["infer", "infer_all", "block"])
def test_a_model_that_the_device_cannot_hold(runner, model, rust, inputs, how):
    one, made = runner("int64", "uint64"), model(rust)
    asks = {
        "infer": lambda: one.infer(made, [inputs], "wgpu"),
        "infer_all": lambda: one.infer_all(made, [[inputs]], "wgpu"),
        "block": lambda: one.block(made, [inputs], "wgpu", PLAN),
    }
    with pytest.raises(RunError) as caught:
        asks[how]()
    assert caught.value.reason == "device: no 64-bit integers"
    assert caught.value.message == (
        "device: no 64-bit integers: a fake device cannot hold int64, so the model was not run there"
    )
    assert caught.value.kind is FailureKind.DEVICE
    assert caught.value.details == {"how": "device", "lacks": ["int64"]}


@pytest.mark.parametrize(
    ("lacks", "rust", "inputs", "backend"),
    [
        (("int64", "uint64"), SAME, FLOAT, "wgpu"),
        (("float16",), INTEGERS, INT, "wgpu"),
        ((), INTEGERS, INT, "wgpu"),
        ((), ARGMAX, FLOAT, "cuda"),
        (("int64",), INTEGERS, INT, "flex"),
    ],
)
def test_other_models_run(runner, model, lacks, rust, inputs, backend):
    answer = runner(*lacks).infer(model(rust), [inputs], backend)
    (output,) = answer.outputs
    np.testing.assert_array_equal(output, inputs)


def test_a_device_is_asked_once(runner, model, tmp_path):
    one, made = runner("int64"), model(SAME)
    one.start("wgpu")
    for _ in range(2):
        one.infer(made, [FLOAT], "wgpu")
    one.close()
    one.infer(made, [FLOAT], "wgpu")
    assert len((tmp_path / "pids").read_text().splitlines()) == 2


@pytest.mark.parametrize("how", ["infer", "infer_all", "block"])
def test_where_a_model_panicked_is_told_without_folders_of_this_machine(runner, tmp_path, how):
    folder = tmp_path / "converted" / "0123"
    folder.mkdir(parents=True)
    rust, weights = folder / "model.rs", folder / "model.bpk"
    rust.write_text(SAME)
    model = ConvertedModel(label="file/m", module="panic", rust=rust, weights=weights, seconds=0.0)
    calls = {
        "infer": lambda one: one.infer(model, [FLOAT], "flex"),
        "infer_all": lambda one: one.infer_all(model, [[FLOAT], [FLOAT]], "flex"),
        "block": lambda one: one.block(model, [FLOAT], "flex", PLAN),
    }
    with pytest.raises(RunError) as caught:
        calls[how](runner())
    error = caught.value
    assert error.details["location"] == "0123/model.rs:3:5"
    assert (error.message, error.reason) == ("cannot read 0123/model.bpk", "panic: cannot read 0123/model.bpk")


def test_the_last_words_of_a_process_hold_no_folder_of_this_machine(runner, tmp_path):
    folder = tmp_path / "converted" / "0123"
    folder.mkdir(parents=True)
    rust = folder / "model.rs"
    rust.write_text(SAME)
    model = ConvertedModel(label="file/m", module="dies", rust=rust, weights=folder / "model.bpk", seconds=0.0)
    with pytest.raises(RunError) as caught:
        runner().infer(model, [FLOAT], "flex")
    assert caught.value.details["log"] == "panicked at 0123/model.rs:3:5"
