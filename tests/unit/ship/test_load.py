"""Load on a small server: counts, percentiles, answers that differ."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from burn_verify.ship.load import Loaded, load

pytest.importorskip("httpx")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = 0

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Handler.seen += 1
        self.say(200, b"other" if self.path == "/odd" and Handler.seen == 5 else b"same")

    def do_GET(self):
        stats = {"inference_count": 2, "total_inference_time_ms": 6.0}
        self.say(200, json.dumps({"process": None, "stats": stats}).encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def port():
    Handler.seen = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("path", "differing"), [("/", 0), ("/odd", 1)])
def test_every_answer_is_compared_with_the_first(port, path, differing):
    came = load(port, path, {}, b"x", requests=20, clients=1, pid=None)

    assert came.statuses == {200: 20}
    assert came.differing == differing
    assert came.fine is not bool(differing)
    assert came.forward == 0.003
    assert came.resident == (None, None)


def test_percentiles_are_of_the_sorted_latencies():
    latencies = tuple(float(place) for place in range(100))
    came = Loaded(
        statuses={200: 100}, differing=0, seconds=1.0, latencies=latencies, forward=None, resident=(None, None)
    )

    assert [came.percentile(share) for share in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]


def test_a_server_that_is_gone_is_counted():
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]

    came = load(port, "/", {}, b"x", requests=8, clients=2, pid=None)

    assert (came.statuses, came.fine) == ({0: 8}, False)
    assert (came.forward, came.resident) == (None, (None, None))
