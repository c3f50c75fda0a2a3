"""Serve models, put load on them and send what is malformed: numbers for reports/deploy.md.

usage: python tools/serving.py MODEL… --out FILE.json [--requests N] [--clients N]

`burn-verify serve` is started twice for each model, with the cache as it is, and timed until it prints its address. The
second server gets the load, every answer compared with the first, then the malformed requests. Loopback only.
"""

import argparse
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from burn_verify.burn.kserve import LENGTH, request_of
from burn_verify.ship.load import load

_FREE: Final = 8
"""What a free dimension is fed with, but for the first one, which is 1."""
_KINDS: Final = {
    "FP32": np.float32,
    "FP64": np.float64,
    "FP16": np.float16,
    "INT64": np.int64,
    "INT32": np.int32,
    "BOOL": np.bool_,
}
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)(/\S*)")


@contextmanager
def served(model: str) -> Iterator[tuple[int, str, float, int]]:
    """Yield port, path of inference, seconds until it answered, and process of a server."""
    started = time.perf_counter()
    argv = ["burn-verify", "serve", model, "--port", "0", "--max-requests", "64", "--max-body", "1000000"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if (found := _ADDRESS.search(line)) is None:
            msg = f"{model} is not served: {line!r}"
            raise SystemExit(msg)
        seconds = time.perf_counter() - started
        own = next(iter(psutil.Process(process.pid).children(recursive=True)))
        yield int(found[1]), found[2], seconds, own.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def ask(port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Any:
    """Return status and content of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def drawn(ports: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return inputs that fit the metadata of a model."""
    made = np.random.default_rng(0)
    found: list[Any] = []
    for port in ports:
        shape = [dim if dim > 0 else (1 if axis == 0 else _FREE) for axis, dim in enumerate(port["shape"])]
        kind = _KINDS[port["datatype"]]
        floats = np.dtype(kind).kind == "f"
        found.append((made.standard_normal(shape) if floats else made.integers(0, 2, shape)).astype(kind))
    return found


def malformed(ports: Sequence[Mapping[str, Any]], path: str) -> Iterator[tuple[str, str, str, bytes, dict[str, str]]]:
    """Yield what is wrong, method, path, body and headers of requests that no server may answer with success."""
    first = ports[0]
    tensor = {"name": first["name"], "datatype": first["datatype"], "shape": first["shape"], "data": [0]}
    fitting = drawn(ports)[0]
    whole = tensor | {"shape": list(fitting.shape), "data": fitting.ravel().tolist()}
    cyclic = [
        ("empty body", b""),
        ("half of a document", b'{"inputs": ['),
        ("no object", b"[1, 2]"),
        ("no text", b"\xff\xfe"),
        ("nested 5000 deep", b"[" * 5000),
        ("more than the greatest body", b"x" * 1_100_000),
        ("no inputs", {}),
        ("inputs are a number", {"inputs": 7}),
        ("an input is a number", {"inputs": [7]}),
        ("an input of another name", {"inputs": [whole | {"name": "no such"}]}),
        ("an input twice", {"inputs": [whole, whole]}),
        ("another dtype", {"inputs": [tensor | {"datatype": "FP31"}]}),
        ("a negative dimension", {"inputs": [tensor | {"shape": [-1]}]}),
        ("a shape beyond memory", {"inputs": [tensor | {"shape": [1 << 40, 1 << 40]}]}),
        ("another rank", {"inputs": [tensor | {"shape": [1] * 9}]}),
        ("words as data", {"inputs": [tensor | {"data": ["a"]}]}),
    ]
    for what, body in cyclic:
        yield what, "POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), {}
    yield "a length that lies", "POST", path, b"{}", {LENGTH: "99"}
    yield "another model", "GET", "/v2/models/no-such", b"", {}
    yield "another path", "GET", "/nothing", b"", {}
    yield "another method", "POST", "/healthz", b"", {}


def measured(model: str, requests: int, clients: int) -> dict[str, Any]:
    """Return start-ups, load and malformed requests of a model."""
    with served(model) as (_, _, first, _):
        pass
    with served(model) as (port, path, second, pid):
        ports = json.loads(ask(port, "GET", path.removesuffix("/infer"))[1])["inputs"]
        headers, body = request_of([one["name"] for one in ports], drawn(ports), binary=True)
        came = load(port, path, headers, body, requests=requests, clients=clients, pid=pid)
        bad = []
        for what, method, where, sent, more in malformed(ports, path):
            try:
                status, said = ask(port, method, where, sent, more)
                answer = json.loads(said)
                bad.append([what, status, answer.get("code", ""), answer.get("error", "")])
            except (OSError, ValueError, http.client.HTTPException) as error:
                bad.append([what, 0, "", repr(error)])
        status, _ = ask(port, "POST", path, body, headers)
    return {
        "model": model,
        "startup": [first, second],
        "statuses": {str(status): count for status, count in came.statuses.items()},
        "differing": came.differing,
        "per_second": len(came.latencies) / came.seconds,
        "percentiles": [came.percentile(share) for share in (0.5, 0.95, 0.99)],
        "forward": came.forward,
        "resident": came.resident,
        "malformed": bad,
        "answers_after": status == 200,
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=16)
    arguments = parser.parse_args()
    found = []
    for model in arguments.models:
        found.append(measured(model, arguments.requests, arguments.clients))
        sys.stderr.write(f"{model}: {found[-1]['per_second']:.0f} requests a second\n")
        arguments.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
