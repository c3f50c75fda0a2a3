"""The program of an example makes the same graph and arrays."""

import numpy as np
import onnx
import pytest

from burn_verify.cases.generated.build import feeds_of, model_of, value_of
from burn_verify.cases.generated.snippet import snippet
from choices import arrays, choice_of


@pytest.mark.parametrize("choice", [choice_of("Add", 14), choice_of("TopK", 11), choice_of("If", 21)])
def test_a_program_builds_the_very_graph_and_arrays(choice, tmp_path, monkeypatch):
    model = onnx.shape_inference.infer_shapes(model_of(choice))
    feeds = feeds_of(choice, {name: value_of(choice, name) for name in choice.kinds})
    first = next(iter(feeds))
    if feeds[first].dtype == np.float32:
        feeds[first].reshape(-1)[:3] = [np.nan, -np.inf, 1e-45]
    text = snippet(model, feeds, choice.id)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(text.replace(", onnxruntime", "").partition("print(")[0], found)
    assert found["model"].SerializeToString() == model.SerializeToString()
    assert arrays(found["feeds"]) == arrays(feeds)
    assert choice.id in text
