"""Patterns of the simplifier: every draw is a valid graph, and each form is what its name says."""

from random import Random

import onnx
import pytest

from burn_verify.several.patterns import PATTERNS, pattern


@pytest.mark.parametrize("name", PATTERNS)
def test_most_draws_are_valid_graphs(name: str) -> None:
    refused = []
    for seed in range(60):
        drawn = pattern(name, Random(seed))
        assert drawn.kind == name
        assert drawn.pair is None
        try:
            onnx.shape_inference.infer_shapes(drawn.model, check_type=True, strict_mode=True, data_prop=True)
        except Exception as error:  # onnx documents no exception types here
            refused.append((seed, error))
    # Operands that are drawn apart need not broadcast: those draws are repeated.
    assert len(refused) < 20, refused[:3]


@pytest.mark.parametrize("name", PATTERNS)
def test_draws_differ(name: str) -> None:
    found = {pattern(name, Random(seed)).model.SerializeToString() for seed in range(20)}
    assert len(found) > 10


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("permuted-sizes", {"Shape", "Concat", "Reshape"}),
        ("attention", {"MatMul", "Softmax"}),
        ("sizes-of-a-shape", {"Shape", "Cast"}),
        ("parts-of-a-sequence", {"SplitToSequence", "SequenceAt"}),
    ],
)
def test_a_form_has_its_operators(name: str, operators: set[str]) -> None:
    for seed in range(20):
        assert operators <= set(pattern(name, Random(seed)).operators) | {"Size"}
