"""Half precision is walked in float32, with the roundoff of the original dtypes."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from walking import CHAIN, WEIGHTS, X, model, node, rms, sigma_of


@pytest.mark.parametrize(("dtype", "unit"), [("float16", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_half_precision_is_walked_in_float32_by_its_own_roundoff(dtype, unit):
    kind = getattr(TensorProto, dtype.upper())
    numpy_kind = helper.tensor_dtype_to_np_dtype(kind)
    x, w, v = (array.astype(numpy_kind) for array in (X, WEIGHTS, WEIGHTS.T))
    sigma = sigma_of(model(*CHAIN, dtype=kind, w=w, v=v), x)
    exact = np.tanh(x.astype(np.float64) @ w.astype(np.float64)) @ v.astype(np.float64)
    assert 0.5 * unit * rms(exact) < rms(sigma) < 10 * unit * rms(exact)


def test_float32_inside_of_half_precision_keeps_its_own_roundoff():
    parts = [node("Cast", ["x"], ["a"], to=TensorProto.FLOAT), node("Exp", ["a"], ["b"]), node("Log", ["b"], ["c"])]
    made = model(*parts, node("Neg", ["c"], ["y"]), dtype=TensorProto.FLOAT16)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    assert rms(sigma_of(made, X.astype("f2"))) < 1e-4
