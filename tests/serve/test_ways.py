"""Ways to load, to store and to run, with real compiled models.

Skipped where Burn is not compiled, and those of WebAssembly where there is no rustc or no host for it.
"""

import numpy as np
import pytest
from onnx import helper, numpy_helper

from burn_verify.burn import wasm
from burn_verify.burn.workspace import recipes_built
from burn_verify.core.errors import RunError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.stage import FailureKind
from burn_verify.core.target import WASMS, Target
from burn_verify.core.versions import DEFAULT
from burn_verify.core.ways import LOADS
from burn_verify.run.models import Model, Models
from burn_verify.system.cache import Cache
from handmade import model, value

CACHE = Cache(settings_from({}).cache_dir)
pytestmark = pytest.mark.skipif(not recipes_built(CACHE, DEFAULT), reason="Burn is not compiled here")
X = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)


def linear():
    """A linear layer of weights that float16 does not have, more of them than a file is padded with."""
    drawn = np.random.default_rng(1).standard_normal((300, 4)).astype(np.float32)
    constants = [
        numpy_helper.from_array(drawn, "w"),
        numpy_helper.from_array(np.linspace(0, 1, 300, dtype=np.float32), "b"),
    ]
    # So it becomes Burn's module: other weights of Gemm stay constants, which are not stored as halves.
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=1.0, beta=1.0, transB=1)]
    return model(nodes, [value("x", shape=[2, 4])], [value("y", shape=[2, 300])], constants)


def gathers():
    """A model that panics on an index that is not there."""
    table = helper.make_tensor("t", 1, [2, 2], [1, 2, 3, 4])
    node = helper.make_node("Gather", ["t", "i"], ["y"])
    return model([node], [value("i", 7, [1])], [value("y", shape=[1, 2])], [table])


MODELS = [Model(name="linear", model=linear(), inputs=[X]), Model(name="gathers", model=gathers())]


@pytest.fixture(scope="module")
def answers():
    return {load: answer(Target(load=load)) for load in LOADS}


def answer(target):
    with Models(Settings(), target, cache=CACHE) as pipeline:
        return pipeline.infer(pipeline.build(MODELS)["linear"], [X])[0]


def test_every_way_to_load_answers_the_same_bits(answers):
    assert len({one.tobytes() for one in answers.values()}) == 1


@pytest.mark.parametrize("load", ["file", "bytes"])
@pytest.mark.parametrize("damage", ["moved", "cut"])
def test_a_weight_file_that_was_moved_or_cut_is_told(load, damage):
    with Models(Settings(), Target(load=load), cache=CACHE) as pipeline:
        built = pipeline.build(MODELS)["linear"]
        whole = built.model.weights.read_bytes()
        try:
            built.model.weights.unlink() if damage == "moved" else built.model.weights.write_bytes(whole[:40])
            with pytest.raises(RunError, match=r"model\.bpk|burnpack") as raised:
                pipeline.infer(built, [X])
        finally:
            built.model.weights.write_bytes(whole)

    assert raised.value.kind is FailureKind.PANIC


@pytest.mark.parametrize("load", ["file", "bytes"])
def test_half_weights_are_smaller_and_near(answers, load):
    with Models(Settings(), Target(load=load, weights="half"), cache=CACHE) as pipeline:
        verified = pipeline.verify(MODELS[:1])["linear"]

    assert verified.result.verdict == "agrees"
    stored = verified.result.details["weights"]
    assert stored["bytes"] < stored["full_bytes"]
    apart = np.abs(verified.outputs["given"][0] - answers["file"])
    assert 0 < apart.max() < 1e-2


@pytest.mark.parametrize("via", WASMS)
def test_webassembly_answers_and_starts_again_after_a_trap(answers, via):
    if why := wasm.missing(via):
        pytest.skip(why)
    with Models(Settings(), Target(via=via), cache=CACHE) as pipeline:
        made = pipeline.build(MODELS)
        np.testing.assert_allclose(pipeline.infer(made["linear"], [X])[0], answers["file"], rtol=1e-5, atol=1e-6)
        with pytest.raises(RunError):
            pipeline.infer(made["gathers"], [np.array([99])])
        assert pipeline.infer(made["gathers"], [np.array([1])])[0].tolist() == [[3, 4]]
