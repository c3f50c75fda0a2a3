"""One graph under two names is one graph."""

import pytest
from onnx import TensorProto, helper

from burn_verify.forecast.fingerprint import fingerprint
from evidences import gather, relu
from handmade import model, value


def test_names_do_not_count():
    node = helper.make_node("Relu", ["input"], ["output"], name="other", doc_string="words")
    renamed = model([node], [value("input", shape=(2, 3))], [value("output", shape=(2, 3))])

    assert fingerprint(relu()) == fingerprint(renamed)


@pytest.mark.parametrize("other", [relu(shape=(2, 4)), relu(TensorProto.INT64), gather()])
def test_sizes_dtypes_and_operators_count(other):
    assert fingerprint(other) != fingerprint(relu())


def test_attributes_and_opsets_count():
    newer = relu()
    newer.opset_import[0].version += 1

    assert fingerprint(gather(0)) != fingerprint(gather(1))
    assert fingerprint(newer) != fingerprint(relu())
