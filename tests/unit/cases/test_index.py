"""What the collectors share: a program that fails says why, and what Burn has no value for is not kept."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.cases.index import index_entry, run_collector, without_burn_value
from burn_verify.core.errors import ToolchainError
from burn_verify.graph import facts
from burn_verify.system.files import sha256_of
from burn_verify.system.wire import at, decode_named


@pytest.fixture
def negation(tmp_path):
    """Save a model and return its path and what it says of itself."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    model = helper.make_model(helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", ends[:1], ends[1:]))
    path = tmp_path / "a.b.onnx"
    onnx.save(model, path)
    return path, facts.facts(model)


def test_a_collector_that_fails_says_its_last_line(tmp_path):
    with pytest.raises(ToolchainError, match=r"^not collected: IndexError: list index out of range$"):
        run_collector("cases.conformance.collector", [], tmp_path, on_step=print, failed="not collected")


def test_data_lie_beside_the_model(negation):
    path, facts = negation
    sets = {name: ([np.float32([1, value])], [np.float32([-1, -value])]) for name, value in (("a", 2), ("b", 3))}
    entry = index_entry(path, facts, sets)
    assert (entry["digest"], entry["op_types"]) == (sha256_of(path), ("Neg",))
    assert (entry["data_sets"], entry["unsupported"]) == (["a", "b"], None)
    named = decode_named((path.parent / "a.b.safetensors").read_bytes())
    for place, (given, expected) in enumerate(sets.values()):
        np.testing.assert_array_equal(at(named, place, "in"), given)
        np.testing.assert_array_equal(at(named, place, "out"), expected)


@pytest.mark.parametrize(
    ("outputs", "known", "said"),
    [(["sequence"], None, "sequence"), ([np.array(["a"], object)], None, "string"), ([], "complex64", "complex64")],
)
def test_what_burn_has_no_value_for_is_not_kept(negation, outputs, known, said):
    path, facts = negation
    entry = index_entry(path, facts, {"a": ([np.float32([1, 2])], outputs)}, known)
    assert entry["unsupported"] == said
    assert not path.with_suffix(".safetensors").exists()


def test_the_first_that_burn_lacks():
    assert without_burn_value([np.float32(1), "float32"]) is None
    assert without_burn_value([np.float32(1), np.complex64(1), "sequence"]) == "complex64"
