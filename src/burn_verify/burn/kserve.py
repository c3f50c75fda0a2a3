"""Requests and answers of KServe's inference protocol, version 2: JSON, and binary tensors behind it.

Pure: opens no connection. Element types go by ONNX's names in the code, by KServe's on the wire.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from burn_verify.core.errors import RunError
from burn_verify.core.stage import FailureKind
from burn_verify.graph.dtypes import dtype_name, numpy_dtype
from burn_verify.system.wire import Array

LENGTH: Final = "Inference-Header-Content-Length"

DATATYPES: Final[Mapping[str, str]] = {
    **{"float32": "FP32", "float64": "FP64", "float16": "FP16", "bfloat16": "BF16", "bool": "BOOL"},
    **{f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""dtype name → KServe's name; a dtype that is missing here cannot be served."""
_NAMES: Final = {kserve: name for name, kserve in DATATYPES.items()}


def request_of(names: Sequence[str], arrays: Sequence[Array], *, binary: bool) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an inference request.

    Raises:
        RunError: an array has no form in this protocol; its kind is `FailureKind.NOT_SERVABLE`.
    """
    inputs, data = [], []
    for name, array in zip(names, arrays, strict=True):
        datatype = DATATYPES.get(dtype_name(array.dtype))
        if datatype is None:
            msg = f"KServe has no {dtype_name(array.dtype)}"
            raise not_servable(msg)
        one: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(array.shape)}
        if binary:
            data.append(_little(array).tobytes())
            one["parameters"] = {"binary_data_size": len(data[-1])}
        else:
            one["data"] = _numbers(array)
        inputs.append(one)
    try:
        text = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": binary}}, allow_nan=False).encode()
    except ValueError:
        msg = "JSON has no NaN and no infinity, and an input has"
        raise not_servable(msg) from None
    headers = {"Content-Type": "application/octet-stream" if binary else "application/json"}
    return (headers | {LENGTH: str(len(text))} if binary else headers), b"".join([text, *data])


def answer_of(headers: Mapping[str, str], body: bytes) -> dict[str, Array]:
    """Return the outputs of an answer by name.

    Arguments:
        headers: by name in lower case.

    Raises:
        ValueError: it is no such answer.
    """
    length = int(headers.get(LENGTH.lower(), len(body)))
    said, data = json.loads(body[:length]), body[length:]
    found = {}
    for output in said["outputs"]:
        dtype = numpy_dtype(_NAMES[output["datatype"]])
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            flat = np.array(output["data"], _exact(dtype)).astype(dtype)
        else:
            flat, data = np.frombuffer(data[:size], dtype), data[size:]
        found[output["name"]] = flat.reshape(output["shape"])
    return found


def error_of(status: int, body: bytes) -> RunError:
    """Return the error that an answer without success means for a case."""
    try:
        said = json.loads(body)
        code, message = str(said["code"]), str(said["error"])
    except (ValueError, KeyError, TypeError):
        code, message = "", body[:200].decode("utf-8", "replace")
    kind = _KINDS.get(code, FailureKind.NOT_SERVABLE)
    if kind is FailureKind.NOT_SERVABLE:
        return not_servable(message, code)
    return RunError(f"HTTP {status}: {message}", f"{kind.how}: {message}", {"how": kind.how, "code": code}, kind)


_KINDS: Final = {
    "model_panicked": FailureKind.PANIC,
    "model_refused": FailureKind.ERROR,
    "model_died": FailureKind.EXITED,
    "timeout": FailureKind.TIMEOUT,
    "slow_request": FailureKind.TIMEOUT,
    "overloaded": FailureKind.NOT_STARTED,
}


def not_servable(why: str, code: str = "") -> RunError:
    """Return the error of what the protocol has no form for."""
    kind = FailureKind.NOT_SERVABLE
    details = {"how": kind.how, **({"code": code} if code else {})}
    return RunError(f"not servable: {why}", f"not servable: {code or why}", details, kind)


def _exact(dtype: np.dtype[Any]) -> Any:
    """Return the dtype that JSON's numbers pass through without a change."""
    return np.float64 if dtype_name(dtype).startswith(("float", "bfloat")) else dtype


def _numbers(array: Array) -> Any:
    wide = array.astype(np.float64) if _exact(array.dtype) is np.float64 else array
    return np.ravel(wide).tolist()


def _little(array: Array) -> Array:
    return np.require(array, requirements="C").astype(array.dtype.newbyteorder("<"), copy=False)
