"""ONNX's own cases: collected once, whole, and as they are."""

import numpy as np
import onnx
from onnx.backend.test.loader import load_model_tests

from burn_verify.cases.conformance.collection import Corpus
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of
from burn_verify.system.wire import at, decode_named


def test_a_suite_is_collected_once(tmp_path):
    told = []
    cases = Corpus(Cache(tmp_path), told.append).cases("simple")
    assert told
    told.clear()
    assert Corpus(Cache(tmp_path), told.append).cases("simple") == cases
    assert not told
    assert [case.id for case in cases] == sorted(f"simple/{case.name}" for case in load_model_tests(kind="simple"))
    assert all(sha256_of(case.source.model) == case.source.digest for case in cases)


def test_arrays_are_those_of_onnx(tmp_path):
    by_id = {case.id: case for case in Corpus(Cache(tmp_path)).cases("simple")}
    source = by_id["simple/test_single_relu_model"].source
    named = decode_named(source.data.read_bytes())
    ((x,), (y,)) = at(named, 0, "in"), at(named, 0, "out")
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    assert source.subject.op_type == "Relu"
    assert onnx.load(source.model).graph.node[0].op_type == "Relu"


def test_what_burn_has_no_value_for_is_said(tmp_path):
    by_id = {case.id: case for case in Corpus(Cache(tmp_path)).cases("simple")}
    assert by_id["simple/test_strnorm_model_nostopwords_nochangecase"].source.unsupported == "string"
