"""Operators of ``ai.onnx.ml`` by arithmetic answer as ONNX Runtime does."""

import numpy as np
import pytest
from onnx import helper, numpy_helper

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import answers, node_model, put_differently

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((5, 3)).astype(np.float32)
ML = {"domain": "ai.onnx.ml"}


def test_a_threshold():
    put_differently("Binarizer", [X], threshold=0.3, **ML)


def test_features_are_chosen():
    put_differently("ArrayFeatureExtractor", [X, np.array([2, 0], np.int64)], **ML)


def test_features_are_scaled():
    put_differently("Scaler", [X], offset=[0.1, 0.2, 0.3], scale=[1.0, 2.0, 3.0], **ML)


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_rows_are_normalised(norm):
    put_differently("Normalizer", [np.abs(X)], norm=norm, **ML)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC"])
def test_a_linear_classifier_of_three_classes(post):
    weights, bias = RANDOM.standard_normal(9).tolist(), [0.1, -0.2, 0.3]
    given = {"coefficients": weights, "intercepts": bias, "classlabels_ints": [7, 8, 9], "post_transform": post}
    put_differently("LinearClassifier", [X], outputs=2, multi_class=1, **ML, **given)


def test_more_coefficients_than_features():
    weights, bias = RANDOM.standard_normal(12).tolist(), [0.1, -0.2, 0.3]
    given = {"coefficients": weights, "intercepts": bias, "classlabels_ints": [0, 1, 2], "post_transform": "LOGISTIC"}
    put_differently("LinearClassifier", [X[:, :2].copy()], outputs=2, **ML, **given)


def test_a_linear_regressor():
    put_differently("LinearRegressor", [X], coefficients=[1.0, 2.0, 3.0], intercepts=[0.5], targets=1, **ML)


TREES = {
    "nodes_treeids": [0, 0, 0, 1, 1, 1, 1, 1],
    "nodes_nodeids": [0, 1, 2, 0, 1, 2, 3, 4],
    "nodes_featureids": [0, 0, 0, 1, 2, 0, 0, 0],
    "nodes_values": [0.1, 0.0, 0.0, -0.2, 0.3, 0.0, 0.0, 0.0],
    "nodes_truenodeids": [1, 0, 0, 1, 3, 0, 0, 0],
    "nodes_falsenodeids": [2, 0, 0, 2, 4, 0, 0, 0],
    "nodes_hitrates": [1.0] * 8,
    "nodes_missing_value_tracks_true": [0] * 8,
}
LEAVES = {"treeids": [0, 0, 1, 1, 1], "nodeids": [1, 2, 2, 3, 4]}


def modes(branch="BRANCH_LEQ"):
    leaves = set(zip(LEAVES["treeids"], LEAVES["nodeids"], strict=True))
    keys = zip(TREES["nodes_treeids"], TREES["nodes_nodeids"], strict=True)
    return ["LEAF" if key in leaves else branch for key in keys]


@pytest.mark.parametrize("branch", ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"])
def test_a_forest_of_numbers(branch):
    leaves = {f"target_{name}": ids for name, ids in LEAVES.items()}
    leaves |= {"target_ids": [0] * 5, "target_weights": [1.0, 2.0, 3.0, 4.0, 5.0], "n_targets": 1}
    put_differently("TreeEnsembleRegressor", [X], nodes_modes=modes(branch), **TREES, **leaves, **ML)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX"])
def test_a_forest_of_classes(post):
    leaves = {f"class_{name}": ids for name, ids in LEAVES.items()}
    leaves |= {"class_ids": [0, 1, 2, 1, 0], "class_weights": [0.5, 0.25, 0.75, 0.5, 0.25]}
    given = {"nodes_modes": modes(), "classlabels_int64s": [4, 5, 6], "post_transform": post}
    put_differently("TreeEnsembleClassifier", [X], outputs=2, **given, **TREES, **leaves, **ML)


@pytest.mark.parametrize("seed", range(5))
def test_classes_of_equal_sums_stay_equal(seed):
    """Two classes get the same weights from other trees: whatever the order, the first of them is chosen."""
    draw, count = np.random.default_rng(seed), 60
    weights = draw.integers(1, 50, count) / 100
    leaves = np.stack([weights, draw.permutation(weights)], 1).ravel().tolist()
    given = {
        "nodes_treeids": np.repeat(np.arange(count), 3).tolist(),
        "nodes_nodeids": [0, 1, 2] * count,
        "nodes_featureids": [0] * 3 * count,
        "nodes_values": [100.0, 0.0, 0.0] * count,
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"] * count,
        "nodes_truenodeids": [1, 0, 0] * count,
        "nodes_falsenodeids": [2, 0, 0] * count,
        "class_treeids": np.repeat(np.arange(count), 2).tolist(),
        "class_nodeids": [1] * 2 * count,
        "class_ids": [0, 1] * count,
        "class_weights": leaves,
        "classlabels_int64s": [4, 5],
    }
    made, arrays = node_model("TreeEnsembleClassifier", [X], outputs=2, **ML, **given)
    name = "ai.onnx.ml.TreeEnsembleClassifier"
    labels, scores = answers(replaced(made, {name: DECOMPOSITIONS[name].decomposer}), arrays)
    assert set(labels.tolist()) == {4}
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])


def test_a_tree_of_the_newest_kind():
    given = {
        "n_targets": 2,
        "nodes_falseleafs": [0, 1, 1],
        "nodes_falsenodeids": [2, 2, 3],
        "nodes_featureids": [0, 0, 0],
        "nodes_modes": numpy_helper.from_array(np.zeros(3, np.uint8)),
        "nodes_splits": numpy_helper.from_array(np.array([0.14, -0.2, 0.7], np.float32)),
        "nodes_trueleafs": [0, 1, 1],
        "nodes_truenodeids": [1, 0, 1],
        "leaf_targetids": [0, 1, 0, 1],
        "leaf_weights": numpy_helper.from_array(np.array([5.23, 12.12, -12.23, 7.21], np.float32)),
        "tree_roots": [0],
    }
    put_differently("TreeEnsemble", [X], version=5, aggregate_function=1, post_transform=0, **given, **ML)


@pytest.mark.parametrize("change", [{"nodes_truenodeids": [0] * 8}, {"nodes_truenodeids": [9] * 8}])
def test_a_tree_that_is_none_stays(change):
    leaves = {f"target_{name}": ids for name, ids in LEAVES.items()}
    leaves |= {"target_ids": [0] * 5, "target_weights": [1.0] * 5, "n_targets": 1}
    given = {**TREES, **leaves, "nodes_modes": modes(), **change}
    node = helper.make_node("TreeEnsembleRegressor", ["in0"], ["out0"], domain="ai.onnx.ml", **given)
    model, _ = node_model("Neg", [X])
    model.graph.node[0].CopyFrom(node)
    name = "ai.onnx.ml.TreeEnsembleRegressor"
    assert replaced(model, {name: DECOMPOSITIONS[name].decomposer}) is None
