"""KServe's tensors: what goes out comes back, to the last bit; what has no form is told."""

import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from burn_verify.burn.kserve import DATATYPES, LENGTH, answer_of, error_of, request_of
from burn_verify.core.errors import RunError
from burn_verify.core.stage import FailureKind
from burn_verify.graph.dtypes import numpy_dtype


def echoed(headers, body):
    """Return an answer whose outputs are the inputs."""
    length = int(headers.get(LENGTH, len(body)))
    said = json.loads(body[:length])
    text = json.dumps({"outputs": said["inputs"]}).encode()
    return ({LENGTH.lower(): str(len(text))} if LENGTH in headers else {}), text + body[length:]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("dtype", DATATYPES)
@settings(deadline=None, database=None, max_examples=15)
@given(data=st.data())
def test_every_dtype_and_shape_comes_back(binary, dtype, data):
    shape = data.draw(st.just(()) | array_shapes(max_dims=3, min_side=0, max_side=3))
    bits = data.draw(arrays(np.uint8, (*shape, 8)))
    array = (bits.astype(np.int64).sum(-1) if dtype != "bool" else bits[..., 0] > 9).astype(numpy_dtype(dtype))
    other = np.array(7, np.int64)

    headers, body = request_of(["a/ü", "b"], [array, other], binary=binary)
    found = answer_of(*echoed(headers, body))

    assert found["a/ü"].dtype == array.dtype
    assert found["a/ü"].shape == array.shape
    assert found["a/ü"].tobytes() == array.tobytes()
    assert found["b"] == 7


@settings(deadline=None, database=None)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_are_the_same_as_json(value):
    array = np.array([value], np.float32)

    assert answer_of(*echoed(*request_of(["a"], [array], binary=False)))["a"].tobytes() == array.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_json_has_not_is_not_servable_and_binary_has_it(value):
    array = np.array([value], np.float16)

    with pytest.raises(RunError, match="JSON has no NaN") as raised:
        request_of(["a"], [array], binary=False)

    assert raised.value.kind is FailureKind.NOT_SERVABLE
    assert answer_of(*echoed(*request_of(["a"], [array], binary=True)))["a"].tobytes() == array.tobytes()


def test_a_dtype_without_a_name_is_not_servable():
    with pytest.raises(RunError, match="KServe has no float8_e5m2"):
        request_of(["a"], [np.zeros(1, ml_dtypes.float8_e5m2)], binary=True)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, {"code": "model_panicked", "error": "index out of bounds"}, FailureKind.PANIC),
        (400, {"code": "model_refused", "error": "rank 2"}, FailureKind.ERROR),
        (504, {"code": "timeout", "error": "no answer"}, FailureKind.TIMEOUT),
        (500, {"code": "model_died", "error": "gone"}, FailureKind.EXITED),
        (422, {"code": "no_json_form", "error": "Y has NaN"}, FailureKind.NOT_SERVABLE),
        (400, {"code": "wrong_shape", "error": "Y"}, FailureKind.NOT_SERVABLE),
        (502, None, FailureKind.NOT_SERVABLE),
    ],
)
def test_an_answer_without_success_has_a_kind(status, body, kind):
    error = error_of(status, b"<html>" if body is None else json.dumps(body).encode())

    assert error.kind is kind
    assert (body or {"error": "<html>"})["error"] in error.message
