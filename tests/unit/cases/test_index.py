"""What the collectors share: an index is read as it was written, and what Burn has no value for is not kept."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from burn_verify.cases.index import (
    Index,
    IndexEntry,
    cases_of,
    has_index,
    read_index,
    run_collector,
    without_burn_value,
    write_index,
    written_data,
)
from burn_verify.cases.load import prepare
from burn_verify.core.case import Subject, TensorSpec, Tolerance, facts_of
from burn_verify.core.errors import ToolchainError
from burn_verify.graph import facts
from burn_verify.system.cache import Cache
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
    path, _ = negation
    sets = {name: ([np.float32([1, value])], [np.float32([-1, -value])]) for name, value in (("a", 2), ("b", 3))}
    assert written_data(path, sets) == {"digest": sha256_of(path), "data_sets": ("a", "b"), "unsupported": None}
    named = decode_named((path.parent / "a.b.safetensors").read_bytes())
    for place, (inputs, expected) in enumerate(sets.values()):
        np.testing.assert_array_equal(at(named, place, "in"), inputs)
        np.testing.assert_array_equal(at(named, place, "out"), expected)


@pytest.mark.parametrize(
    ("outputs", "known", "said"),
    [(["sequence"], None, "sequence"), ([np.array(["a"], object)], None, "string"), ([], "complex64", "complex64")],
)
def test_what_burn_has_no_value_for_is_not_kept(negation, outputs, known, said):
    path, _ = negation
    assert written_data(path, {"a": ([np.float32([1, 2])], outputs)}, known)["unsupported"] == said
    assert not path.with_suffix(".safetensors").exists()


def test_the_first_that_burn_lacks():
    assert without_burn_value([np.float32(1), "float32"]) is None
    assert without_burn_value([np.float32(1), np.complex64(1), "sequence"]) == "complex64"


specs = st.builds(
    TensorSpec,
    name=st.text(max_size=3),
    dtype=st.sampled_from(["float32", "string"]),
    shape=st.lists(st.none() | st.integers(0, 9) | st.sampled_from(["N", "seq"]), max_size=3).map(tuple),
)
few = st.lists(specs, max_size=2).map(tuple)
texts = st.text(max_size=4)
entries = st.builds(
    IndexEntry,
    id=texts,
    name=st.text("ab1-_.", min_size=1),
    digest=texts,
    data_sets=st.lists(texts, max_size=2).map(tuple),
    note=st.none() | texts,
    op_types=st.lists(texts, max_size=2).map(tuple),
    opset=st.integers(0, 30),
    inputs=few,
    outputs=few,
    random=st.booleans(),
    subject=st.none()
    | st.builds(
        Subject,
        op_type=texts,
        domain=texts,
        since_version=st.integers(1, 30),
        dtype=texts,
        axes=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    ),
    tolerance=st.none() | st.builds(Tolerance, rtol=st.floats(0, 1), atol=st.floats(0, 1)),
    unsupported=st.none() | texts,
    answered=st.booleans(),
    evaluated=st.booleans(),
    refused=st.none() | texts,
    twin=st.none() | texts,
)


@given(st.lists(entries, max_size=3).map(tuple), st.dictionaries(texts, texts, max_size=2))
def test_what_is_written_is_read_again(found, invalid):
    index = Index(entries=found, invalid=invalid)
    with TemporaryDirectory() as folder:
        assert not has_index(Path(folder))
        assert read_index(Path(folder)) is None
        write_index(index, Path(folder))
        assert has_index(Path(folder))
        assert read_index(Path(folder)) == index


@given(entries)
def test_a_case_knows_all_that_its_entry_says(entry):
    (case,) = cases_of(Index(entries=(entry,)), "op", Path("/c"))
    source = case.source
    assert (case.id, case.corpus, case.note) == (entry.id, "op", entry.note)
    assert facts_of(source) == facts_of(entry)
    assert (source.digest, source.data_sets) == (entry.digest, entry.data_sets)
    assert source.model == Path(f"/c/{entry.name}.onnx")
    assert source.data == (None if entry.unsupported else Path(f"/c/{entry.name}.safetensors"))
    prepared = prepare(case, Cache(Path("/c/cache")))
    assert facts_of(prepared) == facts_of(entry)
    assert [stored.name for stored in prepared.stored] == ([] if entry.unsupported else list(entry.data_sets))
