"""Architectures that are made node by node: valid, and of the declared shapes."""

import numpy as np
import onnx
import pytest

from burn_verify.cases.seeded import built


@pytest.mark.parametrize(
    ("build", "image", "classes", "op_types"),
    [
        (built.mnist, [1, 1, 28, 28], [1, 10], {"Conv", "MatMul", "MaxPool"}),
        (built.resnet18, [1, 3, 224, 224], [1, 1000], {"Conv", "BatchNormalization", "Add"}),
        (built.mobilenetv2, [1, 3, 224, 224], [1, 1000], {"Conv", "Clip", "Add"}),
    ],
)
def test_a_model_has_one_image_and_class_scores(build, image, classes, op_types):
    model = build(np.random.default_rng(0))

    onnx.checker.check_model(model, full_check=True)
    (source,), (scores,) = model.graph.input, model.graph.output
    assert [dim.dim_value for dim in source.type.tensor_type.shape.dim] == image
    assert [dim.dim_value for dim in scores.type.tensor_type.shape.dim] == classes
    assert op_types <= {node.op_type for node in model.graph.node}


def test_the_seed_decides_the_weights():
    one, same, other = (built.mnist(np.random.default_rng(seed)) for seed in (0, 0, 1))

    assert one == same
    assert one != other
