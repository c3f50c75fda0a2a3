"""A server as a child: started on request, ended with its stdin, replaced where it died."""

import sys

import pytest

from burn_verify.core.errors import ProcessDied
from burn_verify.core.stage import FailureKind
from burn_verify.system.service import Service

SERVER = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/die":
            os._exit(3)
        if self.path == "/hang":
            threading.Event().wait()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Pid", str(os.getpid()))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass

def end():
    sys.stdin.read()
    os._exit(0)

server = HTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps({"port": server.server_port}), flush=True)
threading.Thread(target=end, daemon=True).start()
server.serve_forever()
"""


@pytest.fixture
def service(tmp_path):
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    made = Service([sys.executable, "-S", str(path)])
    yield made
    made.close()


def test_a_server_is_started_by_the_first_request_and_stays(service):
    assert service.pid is None

    status, headers, body = service.request("POST", "/", b"hello", timeout=30)

    assert (status, body) == (200, b"hello")
    assert headers["x-pid"] == str(service.pid)
    assert service.request("POST", "/", timeout=30)[1]["x-pid"] == headers["x-pid"]


def test_a_server_that_died_is_replaced(service):
    first = service.request("POST", "/", timeout=30)[1]["x-pid"]

    with pytest.raises(ProcessDied) as died:
        service.request("POST", "/die", timeout=30)

    assert died.value.kind is FailureKind.PROTOCOL
    assert service.request("POST", "/", timeout=30)[1]["x-pid"] != first


def test_a_server_that_hangs_is_ended(service):
    assert service.port
    with pytest.raises(ProcessDied) as died:
        service.request("POST", "/hang", timeout=0.2)

    assert died.value.kind is FailureKind.TIMEOUT
    assert service.pid is None


@pytest.mark.parametrize("argv", [["/no/such/program"], [sys.executable, "-c", "print('hello')"]])
def test_what_does_not_start_is_told(argv):
    with pytest.raises(ProcessDied) as died:
        Service(argv).request("GET", "/", timeout=5)

    assert died.value.kind is FailureKind.NOT_STARTED


def test_waiting_returns_the_exit_code():
    script = "import sys; print('{\"port\": 1}', flush=True); sys.exit(5)"

    service = Service([sys.executable, "-S", "-c", script])

    assert service.wait() == 5
    service.close()
