"""The real server before real compiled models: every dtype, several values, rank 0; what is malformed; what dies.

Skipped where the server or Burn is not compiled: `burn-verify verify mnist --burn-via=process,http` compiles both.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import signal
import socket
import struct

import numpy as np
import pytest
from onnx import TensorProto, helper

from burn_verify.burn.server import is_built
from burn_verify.burn.workspace import recipes_built
from burn_verify.core.errors import RunError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.stage import FailureKind
from burn_verify.core.target import HTTP_BINARY, HTTP_JSON, Target
from burn_verify.core.versions import DEFAULT
from burn_verify.run.models import Model, Models
from burn_verify.system.cache import Cache
from handmade import model, value

CACHE = Cache(settings_from({}).cache_dir)
pytestmark = pytest.mark.skipif(
    not (recipes_built(CACHE, DEFAULT) and is_built(CACHE)), reason="the server or Burn is not compiled here"
)
DTYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
    "bool": TensorProto.BOOL,
}


def many():
    """A model with an input and an output of every dtype, whose names are no identifiers, a scalar and a free batch."""
    nodes, inputs, outputs = [], [], []
    for name, elem in DTYPES.items():
        inputs.append(value(f"in/{name}:0", elem, ["n", 2]))
        outputs.append(value(f"out.{name}", elem, ["n", 2]))
        nodes.append(helper.make_node("Not" if name == "bool" else "Add", _inputs(name), [f"out.{name}"]))
    inputs.append(value("s/0", TensorProto.FLOAT, []))
    outputs.append(value("sum", TensorProto.FLOAT, []))
    nodes.append(helper.make_node("Add", ["s/0", "s/0"], ["sum"]))
    return model(nodes, inputs, outputs)


def _inputs(name):
    return [f"in/{name}:0"] * (1 if name == "bool" else 2)


def logs():
    """A model that answers NaN for what is negative."""
    return model([helper.make_node("Log", ["x"], ["y"])], [value("x", shape=[3])], [value("y", shape=[3])])


def gathers():
    """A model that panics, or refuses, on an index that is not there."""
    table = helper.make_tensor("t", TensorProto.FLOAT, [2, 2], [1, 2, 3, 4])
    node = helper.make_node("Gather", ["t", "i"], ["y"])
    return model([node], [value("i", TensorProto.INT64, [1])], [value("y", shape=[1, 2])], [table])


MODELS = {"many": many, "logs": logs, "gathers": gathers}


@pytest.fixture(scope="module", params=[HTTP_JSON, HTTP_BINARY])
def built(request):
    with Models(Settings(), Target(via=request.param), cache=CACHE) as pipeline:
        made = pipeline.build([Model(name=name, model=make()) for name, make in MODELS.items()])
        yield pipeline, made, request.param
        for step in made.values():
            step.program.close()


@pytest.fixture(scope="module")
def served(built):
    _, made, _ = built
    program = made["many"].program
    program.serve(max_body=100_000, read_seconds=1, answer_seconds=20, max_requests=4)
    yield program
    program.close()


def ask(port, method, path, body=b"", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def post(port, path, body, headers):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def fed(rows):
    drawn = np.arange(2 * rows).reshape(rows, 2)
    return [*(drawn.astype(name) for name in DTYPES), np.array(1.5, np.float32)]


@pytest.mark.parametrize("rows", [1, 3])
def test_every_dtype_name_rank_and_batch(built, rows):
    pipeline, made, _ = built
    inputs = fed(rows)

    outputs = pipeline.infer(made["many"], inputs)

    for name, given, came in zip(DTYPES, inputs, outputs, strict=False):
        assert came.dtype == given.dtype
        assert came.tolist() == (~given if name == "bool" else given + given).tolist()
    assert outputs[-1].shape == ()
    assert outputs[-1] == 3.0


def test_nan_is_said_in_binary_and_not_servable_in_json(built):
    pipeline, made, via = built
    value = np.array([1.0, -1.0, 0.0], np.float32)
    if via == HTTP_BINARY:
        assert np.isnan(pipeline.infer(made["logs"], [value])[0][1])
        return
    with pytest.raises(RunError, match="JSON") as raised:
        pipeline.infer(made["logs"], [value])
    assert raised.value.kind is FailureKind.NOT_SERVABLE


def test_a_model_that_fails_is_told_and_answers_again(built):
    pipeline, made, _ = built
    with pytest.raises(RunError) as raised:
        pipeline.infer(made["gathers"], [np.array([99])])
    assert raised.value.kind in (FailureKind.PANIC, FailureKind.ERROR)

    assert pipeline.infer(made["gathers"], [np.array([1])])[0].tolist() == [[3, 4]]


def tensor(**changes):
    return {"name": "s/0", "datatype": "FP32", "shape": [], "data": [1.5], **changes}


BODIES = [
    (b"", 400, "not_json"),
    (b"[1, 2", 400, "not_json"),
    (b"[1, 2]", 400, "not_an_object"),
    (b"\xff\xfe", 400, "not_json"),
    (b"[" * 5000, 400, "not_json"),
    ({}, 400, "missing_input"),
    ({"inputs": 7}, 400, "wrong_value"),
    ({"inputs": [7]}, 400, "wrong_value"),
    ({"inputs": [tensor(name="no such")]}, 400, "unknown_input"),
    ({"inputs": [tensor(), tensor()]}, 400, "repeated_input"),
    ({"inputs": [tensor(datatype="FP31")]}, 400, "wrong_dtype"),
    ({"inputs": [tensor(datatype="float32")]}, 400, "wrong_dtype"),
    ({"inputs": [tensor(shape=[-1])]}, 400, "wrong_shape"),
    ({"inputs": [tensor(shape="x")]}, 400, "wrong_shape"),
    ({"inputs": [tensor(shape=[1 << 40, 1 << 40])]}, 400, "wrong_shape"),
    ({"inputs": [tensor(shape=[2])]}, 400, "wrong_size"),
    ({"inputs": [tensor(data=["a"])]}, 400, "wrong_value"),
    ({"inputs": [tensor(data=[1e300])]}, 400, "wrong_value"),
    ({"inputs": [tensor(data=None, parameters={"binary_data_size": 4})]}, 400, "wrong_value"),
    ({"inputs": [tensor()], "outputs": [{"name": "no such"}]}, 400, "unknown_output"),
    (b"x" * 200_000, 413, "too_large"),
    (b"x" * 20_000_000, 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_malformed_requests_have_a_status_and_a_code(served, body, status, code):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    came, said = ask(served.service.port, "POST", served.path, sent)

    assert (came, said["code"]) == (status, code)
    assert said["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "no_such_path"),
        ("GET", "/v2/models/other", 404, "unknown_model"),
        ("GET", "/v2/models/many/versions/9", 404, "unknown_model"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("POST", "/predict", 400, "use_v2"),
    ],
)
def test_paths_that_are_not_there(served, method, path, status, code):
    came, said = ask(served.service.port, method, path)

    assert (came, said["code"]) == (status, code)


def test_a_slow_body_is_ended(served):
    with socket.create_connection(("127.0.0.1", served.service.port), timeout=30) as slow:
        slow.sendall(b"POST /v2/models/many/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        assert b"408" in slow.recv(4096).partition(b"\r\n")[0]


def test_a_length_that_lies_is_a_fault(served):
    status, said = ask(served.service.port, "POST", served.path, b"{}", {"Inference-Header-Content-Length": "99"})

    assert (status, said["code"]) == (400, "wrong_header_length")


def test_more_than_may_wait_are_turned_away(served):
    headers, body = served.request(fed(1))

    port = served.service.port

    def once(_):
        return post(port, served.path, body, headers)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(once, range(200)))

    assert {status for status, _ in answers} <= {200, 503}
    assert len({data for status, data in answers if status == 200}) == 1


def test_a_process_that_was_killed_is_replaced(served):
    headers, body = served.request(fed(1))
    port = served.service.port
    _, before = ask(port, "GET", "/readyz")
    if before["process"] is not None:
        os.kill(before["process"], signal.SIGKILL)

    post(port, served.path, body, headers)

    assert post(port, served.path, body, headers)[0] == 200
    assert ask(port, "GET", "/readyz")[1]["process"] not in (None, before["process"])


def test_an_independent_client_of_kserve(served):
    client = pytest.importorskip("tritonclient.http")
    names = [*(f"in/{name}:0" for name in DTYPES), "s/0"]
    kinds = ["FP32", "FP64", "FP16", "INT64", "INT32", "INT8", "UINT8", "BOOL", "FP32"]
    inputs = []
    for name, kind, array in zip(names, kinds, fed(2), strict=True):
        inputs.append(client.InferInput(name, array.shape, kind))
        inputs[-1].set_data_from_numpy(array, binary_data=True)
    with client.InferenceServerClient(f"127.0.0.1:{served.service.port}") as asked:
        assert asked.is_server_live()
        assert asked.is_server_ready()
        assert asked.is_model_ready("many")
        assert asked.get_model_metadata("many")["inputs"][0]["shape"] == [-1, 2]
        answer = asked.infer("many", inputs, outputs=[client.InferRequestedOutput("out.int64", binary_data=True)])

    assert answer.as_numpy("out.int64").tolist() == (2 * fed(2)[3]).tolist()


def test_furnaces_routes(built):
    _, made, _ = built
    program = made["logs"].program
    port = program.service.port
    body = json.dumps({"input": [1.0, 1.0, 1.0]}).encode()

    assert ask(port, "GET", "/health")[1]["status"] == "healthy"
    assert ask(port, "GET", "/model/info")[1]["model_info"]["inputs"][0]["name"] == "x"
    assert ask(port, "POST", "/predict", body)[1]["output"] == [0.0, 0.0, 0.0]
    several = ask(port, "POST", "/predict", json.dumps({"inputs": [[1, 1, 1], [1, 1, 1]]}).encode())[1]
    assert several["outputs"] == [[0.0, 0.0, 0.0]] * 2
    raw = struct.pack("<3f", 1, 1, 1)
    assert ask(port, "POST", "/predict", raw, {"Content-Type": "application/octet-stream"})[1]["output"] == [0, 0, 0]
    assert ask(port, "POST", "/predict", json.dumps({"input": [-1, 1, 1]}).encode())[1]["code"] == "no_json_form"
