"""Stand-ins with random weights: reproducible, complete, and alive."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.cases import zoo
from burn_verify.cases.seeded import architectures
from burn_verify.core.errors import UsageError

SMALL = ["mnist", "mobilenetv2", "squeezenet", "densenet121", "shufflenet"]
"""A few megabytes each; the others are made of the same functions."""


@pytest.fixture(scope="module", params=SMALL)
def model(request):
    return architectures.build(request.param)


def weights(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_every_architecture_of_the_catalogue_can_be_built():
    assert set(zoo.load().seeded.values()) == set(architectures.ARCHITECTURES)


def test_an_unknown_architecture_lists_the_known_ones():
    with pytest.raises(UsageError, match="'lenet': choose from mnist, resnet18"):
        architectures.build("lenet")


def test_the_model_is_valid_and_says_what_it_is(model):
    onnx.checker.check_model(model, full_check=True)
    assert "untrained random weights, numpy default_rng(0)" in model.doc_string
    assert len(model.graph.input) == len(model.graph.output) == 1


def test_every_weight_is_stored_and_used(model):
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
    assert "ConstantOfShape" not in {node.op_type for node in model.graph.node}


def test_weights_vary_and_are_finite(model):
    drawn = [array for array in weights(model).values() if array.dtype == np.float32 and array.size > 1]
    assert drawn
    assert all(np.isfinite(array).all() and array.std() > 0 for array in drawn)


def test_variances_are_positive():
    found = weights(model := architectures.build("densenet121"))
    variances = [found[node.input[4]] for node in model.graph.node if node.op_type == "BatchNormalization"]
    assert len(variances) == 121
    assert min(array.min() for array in variances) > 0.5


@pytest.mark.parametrize("architecture", ["mnist", "squeezenet", "shufflenet"])
def test_the_seed_decides_every_byte(architecture):
    first, again, other = (architectures.build(architecture, seed).SerializeToString() for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("architecture", "batch_norms"), [("resnet18", 20), ("resnet50", 53)])
def test_residual_branches_end_in_a_small_scale(architecture, batch_norms):
    model = architectures.build(architecture)
    found = weights(model)
    norms = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    small = [node for node in norms if found[node.input[1]].max() <= 0.3]
    blocks = sum(node.op_type in ("Add", "Sum") for node in model.graph.node)
    assert (len(norms), len(small)) == (batch_norms, blocks)


def test_the_answer_depends_on_the_input():
    session = ReferenceEvaluator(architectures.build("mnist"))
    rng = np.random.default_rng(5)
    first, second = (
        session.run(None, {"Input3": rng.standard_normal((1, 1, 28, 28)).astype(np.float32)})[0] for _ in range(2)
    )
    assert first.shape == (1, 10)
    assert np.linalg.norm(first - second) > 0.1 * np.linalg.norm(first)
