"""What a server is told of a model, and how a program asks it; tests/serve has the real one."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from burn_verify.burn.server import HttpProgram, infer_path, is_built, service_argv, spec_of
from burn_verify.core.case import Case, Hints, InputHint, TensorSpec, Unavailable
from burn_verify.core.errors import RunError
from burn_verify.core.stage import ConvertedModel, FailureKind, PreparedCase
from burn_verify.core.target import Target

ECHO = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
spec = json.load(open(sys.argv[2]))

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.loads(body)
        outputs = [{**said["inputs"][0], "name": spec["outputs"][0]["name"]}]
        status = 400 if said["inputs"][0]["data"] == [13.0] else 200
        fault = {"code": "model_refused", "error": "unlucky"}
        answer = json.dumps(fault if status == 400 else {"outputs": outputs}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *words):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps({"port": server.server_port}), flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
"""


def spec(**hints):
    case = Case(id="zoo/a b", corpus="zoo", source=Unavailable(reason=""), hints=Hints(**hints))
    prepared = PreparedCase(
        case=case,
        model=Path("a"),
        digest="d",
        op_types=(),
        opset=17,
        inputs=(TensorSpec(name="X", dtype="float32", shape=("batch", 3, None)),),
        outputs=(TensorSpec(name="Y", dtype="int64", shape=()),),
    )
    model = ConvertedModel(label="", module="m", rust=Path("r"), weights=Path("w"), seconds=0.0)
    return spec_of(prepared, model, Target())


@pytest.fixture
def program(tmp_path):
    server = tmp_path / "server"
    server.write_text(f'#!/bin/sh\nexec {sys.executable} -S {tmp_path / "echo.py"} "$@"\n')
    server.chmod(0o755)
    (tmp_path / "echo.py").write_text(ECHO)
    made = HttpProgram(server, Path("runner"), spec(), binary=False, timeout=30)
    yield made
    made.close()


def test_a_server_is_told_the_graph():
    told = spec()

    assert told["inputs"] == [{"name": "X", "dtype": "float32", "shape": [None, 3, None]}]
    assert told["outputs"] == [{"name": "Y", "dtype": "int64", "shape": []}]
    assert (told["name"], told["module"], told["weights"]) == ("a b", "m", "w")
    assert json.loads(json.dumps(told)) == told
    assert infer_path(told) == "/v2/models/a%20b/infer"


def test_a_shape_that_is_fed_in_place_of_the_declared_one_is_free():
    told = spec(inputs=(InputHint(name="X", shape=(1, 2, 2)),))

    assert told["inputs"][0]["shape"] == [None, None, None]


def test_options_are_words():
    argv = service_argv(Path("s"), Path("r"), Path("spec"), port=0, max_body=5)

    assert argv == ["s", "r", "spec", "--max-body", "5", "--port", "0"]


def test_a_program_asks_over_http(program):
    (inference,) = program.infer_all(None, [[np.array([1.5], np.float32)]], "flex")

    assert inference.outputs[0].tolist() == [1.5]
    assert program.pid is not None
    assert "on port" in program.start("flex").name


def test_a_fault_is_the_cases(program):
    with pytest.raises(RunError, match="unlucky") as raised:
        program.infer_all(None, [[np.array([13], np.float32)]], "flex")

    assert raised.value.kind is FailureKind.ERROR


def test_a_program_travels_unstarted(program):
    program.start("flex")

    assert pickle.loads(pickle.dumps(program)).pid is None


def test_no_blocks_are_timed_through_it(program):
    with pytest.raises(RunError, match="load"):
        program.block(None, [], "flex", None)


def test_a_new_cache_has_no_server(cache):
    assert not is_built(cache)
