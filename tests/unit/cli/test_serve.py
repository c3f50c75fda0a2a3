"""The command ``burn-verify serve``, with fakes for ONNX Runtime, Burn and the server."""

import socket
from functools import partial
from pathlib import Path

import pytest

from burn_verify.core.errors import ConvertError, ProcessDied
from burn_verify.run.seams import Seams
from fakes import FakeBuilder, FakeEngine, FakeProgram, Faults

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


class FakeService:
    """Ends as it is told to."""

    def __init__(self, end):
        self.end, self.port = end, 4711

    def wait(self):
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


class Serving(FakeProgram):
    end = KeyboardInterrupt()
    path = "/v2/models/add/infer"
    asked = None

    def serve(self, **options):
        Serving.asked = options
        return FakeService(self.end)


def seams(end=None, faults=None):
    faults = faults or Faults()

    class Builder(FakeBuilder):
        def reached(self, prepared, model, program, target):
            made = Serving(faults)
            made.end = KeyboardInterrupt() if end is None else end
            return made

    return Seams(
        engine=partial(FakeEngine, faults=faults),
        builder=lambda cache, settings, listen, targets: Builder(cache, targets, faults),
    )


def test_a_verified_model_is_served_until_ctrl_c(command):
    code, out, _ = command("serve", ADD, "--port", "0", "--max-body", "100", seams=seams())

    assert code == 0
    assert "file/add agrees; http://127.0.0.1:4711/v2/models/add/infer" in out
    assert Serving.asked["max_body"] == 100


def test_what_does_not_pass_is_not_served(command):
    faults = Faults({("convert", "add"): ConvertError("no such operator")})

    code, out, err = command("serve", ADD, "--port", "0", seams=seams(faults=faults))

    assert (code, out) == (1, "")
    assert "file/add is not served: convert: no such operator" in err


@pytest.mark.parametrize(
    ("end", "message"),
    [(7, "ended by itself, with exit code 7"), (ProcessDied("it does not start"), "port 0 of 127.0.0.1")],
)
def test_a_server_that_fails_is_one_line(command, end, message):
    code, _, err = command("serve", ADD, "--port", "0", seams=seams(end))

    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--port", "70000"), "--port: a number from 0 to 65535"),
        (("--max-requests", "0"), "--max-requests: a number from 1"),
        (("--port", "http"), "invalid int value"),
    ],
)
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("serve", ADD, *words, seams=seams())

    assert (code, out) == (4, "")
    assert message in err


def test_a_port_that_is_taken_is_told_before_anything_is_verified(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out, err = command("serve", ADD, "--port", str(taken.getsockname()[1]), seams=seams())

    assert (code, out) == (4, "")
    assert "cannot be listened on: Address already in use" in err


def test_an_address_that_is_not_here_is_told(command):
    code, _, err = command("serve", ADD, "--host", "192.0.2.1", "--port", "0", seams=seams())

    assert code == 4
    assert "port 0 of 192.0.2.1 cannot be listened on" in err
