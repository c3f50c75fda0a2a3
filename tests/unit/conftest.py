"""A cache of its own for every test, a model hub on the loopback interface, and models of a few bytes."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.system.cache import Cache

OPSETS = (helper.make_opsetid("", 17),)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


class Hub(HTTPServer):
    """Serves what `files` holds by path, breaks off in the middle of those in `cut`, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        hub = self.server
        assert isinstance(hub, Hub)
        name = self.path.removeprefix("/")
        hub.asked.append(name)
        if name not in hub.files:
            self.send_error(404)
            return
        content = hub.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if name in hub.cut else content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep stderr clean."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def identity(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that saves a model with one Identity node."""

    def save(
        name: str = "identity.onnx", elem_type: int = TensorProto.FLOAT, shape: tuple[int | str, ...] = (2, 3)
    ) -> Path:
        graph = helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "g",
            [helper.make_tensor_value_info("x", elem_type, shape)],
            [helper.make_tensor_value_info("y", elem_type, shape)],
        )
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(helper.make_model(graph, opset_imports=OPSETS, ir_version=8), path)
        return path

    return save
