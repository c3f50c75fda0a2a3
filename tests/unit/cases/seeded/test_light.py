"""The light models of onnx with random weights."""

import numpy as np
import onnx
import pytest

from burn_verify.cases.seeded import light


@pytest.fixture(scope="module")
def model():
    return light.reweight("squeezenet", np.random.default_rng(0))


def test_every_architecture_has_a_file_of_the_onnx_package():
    assert "squeezenet" in light.FILES
    assert len(set(light.FILES.values())) == len(light.FILES)


def test_large_constants_become_random_initializers(model):
    onnx.checker.check_model(model)
    weights = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]

    assert sum(weight.size for weight in weights) > 1_000_000
    assert all(weight.std() > 0 for weight in weights if weight.dtype == np.float32 and weight.size > 100)


def test_equal_seeds_give_equal_bytes(model):
    again = light.reweight("squeezenet", np.random.default_rng(0))

    assert again.SerializeToString() == model.SerializeToString()
    assert light.reweight("squeezenet", np.random.default_rng(1)) != model
