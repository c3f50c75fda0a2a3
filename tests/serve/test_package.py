"""Crates that are packaged, compiled for real: green as they were written, red after any change.

Skipped where Burn is not compiled. The crates use the Burn that is; their own few crates below it take a minute once.
"""

import os
import subprocess

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn.workspace import Workspace, recipes_built
from burn_verify.cli import main
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.core.versions import DEFAULT
from burn_verify.system.cache import Cache
from handmade import model, value

CACHE = Cache(settings_from({}).cache_dir)
pytestmark = pytest.mark.skipif(not recipes_built(CACHE, DEFAULT), reason="Burn is not compiled here")


def several():
    """A model with many outputs, integers, booleans, a scalar, and names that are no identifiers."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 4], [0.25 * place for place in range(12)])
    nodes = [
        helper.make_node("MatMul", ["a/b:0", "w"], ["1.out"]),
        helper.make_node("ArgMax", ["1.out"], ["best"], axis=1, keepdims=0),
        helper.make_node("Greater", ["1.out", "s"], ["above?"]),
        helper.make_node("Add", ["s", "s"], ["twice"]),
    ]
    inputs = [value("a/b:0", shape=["n", 3]), value("s", shape=[])]
    outputs = [
        value("1.out", shape=["n", 4]),
        value("best", TensorProto.INT64, ["n"]),
        value("above?", TensorProto.BOOL, ["n", 4]),
        value("twice", shape=[]),
    ]
    return model(nodes, inputs, outputs, [weights])


def packaged(folder, proto, *words):
    path = folder / "several.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(SystemExit) as ended:
        main(["package", str(path), "-o", str(folder / "several-model"), "--pregenerated", *words])
    assert ended.value.code == 0
    return folder / "several-model"


@pytest.fixture(scope="module")
def crate(tmp_path_factory):
    return packaged(tmp_path_factory.mktemp("package"), several(), "--load", "file")


def cargo_test(crate):
    target = Workspace.of(CACHE, silent, Target()).build.target
    argv = ["cargo", "test", "--offline", "--profile", "correctness"]
    env = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    done = subprocess.run(argv, cwd=crate, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_crate_proves_itself(crate):
    code, said = cargo_test(crate)

    assert code == 0, said
    assert "the_answers_are_those_that_were_verified ... ok" in said


@pytest.mark.parametrize("path", ["weights/model.bpk", "tests/golden.safetensors", "src/generated.rs"])
def test_one_byte_makes_it_red(crate, path):
    whole = (crate / path).read_bytes()
    place = whole.rindex(b"}") if path.endswith(".rs") else len(whole) - 1
    changed = b"}\n// changed\n" if path.endswith(".rs") else bytes([whole[place] ^ 1])
    (crate / path).write_bytes(whole[:place] + changed + whole[place + 1 :])
    try:
        code, said = cargo_test(crate)
    finally:
        (crate / path).write_bytes(whole)

    assert code != 0
    assert f"{path} was changed since it was verified" in said


def test_a_crate_with_half_weights_proves_itself(tmp_path):
    drawn = np.random.default_rng(1).standard_normal((3000, 4)).astype(np.float32)
    constants = [
        numpy_helper.from_array(drawn, "w"),
        numpy_helper.from_array(np.linspace(0, 1, 3000, dtype=np.float32), "b"),
    ]
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=1.0, beta=1.0, transB=1)]
    linear = model(nodes, [value("x", shape=[2, 4])], [value("y", shape=[2, 3000])], constants)

    made = packaged(tmp_path, linear, "--load", "bytes", "--weights", "half")
    code, said = cargo_test(made)

    assert code == 0, said
    assert (made / "weights" / "model.bpk").stat().st_size < drawn.nbytes
