"""The server of compiled models: its binary, what it is told of a model, and a program that asks it over HTTP.

Knows nothing of Burn: the server asks the compiled runner, see ``rust-server``.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from burn_verify.burn import kserve
from burn_verify.burn.cargo import Build, require_rust, rustc_version
from burn_verify.burn.drivers import Device
from burn_verify.burn.program import Inference
from burn_verify.burn.recipe import packaged_sources
from burn_verify.core.case import TensorSpec
from burn_verify.core.errors import ProcessDied, RunError
from burn_verify.core.latency import Block, BlockPlan
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import ConvertedModel, FailureKind, PreparedCase
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.files import copy_atomically, digest_of, write_if_changed
from burn_verify.system.kept import seal, sealed
from burn_verify.system.service import Service
from burn_verify.system.wire import Array

VERSION: Final = "1"
"""Version of every served model: a server has one."""
_SOURCES: Final = "rust-server"


def server_binary(cache: Cache, listen: Listener) -> Path:
    """Return the compiled server; build it if it is not built yet.

    Raises:
        ToolchainError: cargo is missing, too old, or failed.
    """
    sources = packaged_sources(_SOURCES)
    folder = _folder(cache, sources)
    note, binary = folder / "done.json", folder / "server"
    if sealed(note) is not None:
        return binary
    with cache.lock("server"):
        if sealed(note) is None:
            _build(cache, folder, sources, listen)
    return binary


def is_built(cache: Cache) -> bool:
    """Return whether the server is compiled already."""
    return sealed(_folder(cache, packaged_sources(_SOURCES)) / "done.json") is not None


def _folder(cache: Cache, sources: Mapping[str, str]) -> Path:
    parts = (part for one in sources.items() for part in one)
    return cache.folder("server") / digest_of(rustc_version(), *parts)[:24]


def spec_of(prepared: PreparedCase, model: ConvertedModel, target: Target) -> dict[str, Any]:
    """Return what the server is told of a model: names, dtypes and shapes of the graph, and where the runner has it."""
    shapes = {hint.name: hint.shape for hint in prepared.case.hints.inputs if hint.shape is not None}
    return {
        "name": prepared.case.id.rpartition("/")[2],
        "version": VERSION,
        "about": {"case": prepared.case.id, "sha256": prepared.digest, "target": target.label},
        "backend": target.backend,
        "module": model.module,
        "weights": str(model.loaded),
        "inputs": [_port(spec, free=spec.name in shapes) for spec in prepared.inputs],
        "outputs": [_port(spec, free=False) for spec in prepared.outputs],
    }


class HttpProgram:
    """Asks a server of one model; implements `burn_verify.burn.program.Program`.

    Unpickling returns a program whose server is not started.

    Arguments:
        server, runner: the binaries.
        spec: see `spec_of`.
        binary: whether tensors go as bytes, or as JSON.
        timeout: seconds that an answer may take.
    """

    def __init__(self, server: Path, runner: Path, spec: Mapping[str, Any], *, binary: bool, timeout: float) -> None:
        self._again = partial(HttpProgram, server, runner, spec, binary=binary, timeout=timeout)
        self._spec = dict(spec)
        self._binary = binary
        self._timeout = timeout
        self._programs = (server, runner)
        self._folder: TemporaryDirectory[str] | None = None
        self._service: Service | None = None

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return self._again, ()

    @property
    def identity(self) -> str:
        """Empty: what a server answers is asked each time."""
        return ""

    @property
    def pid(self) -> int | None:
        """The process of the server, None where there is none."""
        return None if self._service is None else self._service.pid

    def start(self, backend: str) -> Device:
        """Start the server.

        Raises:
            RunError: it does not start.
        """
        try:
            return Device(name=f"{backend} on port {self.service.port}")
        except ProcessDied as death:
            raise _died(death) from death

    @property
    def service(self) -> Service:
        """The server's process; it is started by the first request."""
        return self.serve() if self._service is None else self._service

    def serve(self, **options: object) -> Service:
        """Return a server with these options, in place of the one that answered before.

        Arguments:
            options: see `service_argv`.
        """
        self.close()
        self._folder = TemporaryDirectory(prefix="burn-verify-")
        spec = Path(self._folder.name, "spec.json")
        spec.write_text(json.dumps(self._spec), encoding="utf-8")
        server, runner = self._programs
        self._service = Service(service_argv(server, runner, spec, **{"answer_seconds": self._timeout, **options}))
        return self._service

    @property
    def path(self) -> str:
        """The path of inference requests."""
        return infer_path(self._spec)

    def request(self, inputs: Sequence[Array]) -> tuple[dict[str, str], bytes]:
        """Return headers and body of an inference request.

        Raises:
            RunError: an input has no form in the protocol.
        """
        names = [port["name"] for port in self._spec["inputs"]]
        return kserve.request_of(names, inputs, binary=self._binary)

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Ask for one set after the other.

        Raises:
            RunError: a set cannot be asked for, the model failed, or the answer is not the protocol's.
        """
        del model, backend  # both are in the spec
        return [self._infer(inputs) for inputs in sets]

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Refuse: a server is timed by `burn-verify load`.

        Raises:
            RunError: always.
        """
        msg = "a server is timed by the command load"
        raise RunError(msg, kind=FailureKind.ERROR)

    def close(self) -> None:
        """End the server, if there is one; the next request starts a new one."""
        if self._service is not None:
            self._service.close()
            self._service = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _infer(self, inputs: Sequence[Array]) -> Inference:
        headers, body = self.request(inputs)
        try:
            status, said, answer = self.service.request("POST", self.path, body, headers, timeout=self._timeout + 5)
        except ProcessDied as death:
            raise _died(death) from death
        if status != 200:
            raise kserve.error_of(status, answer)
        try:
            found = kserve.answer_of(said, answer)
            outputs = [found[port["name"]] for port in self._spec["outputs"]]
        except (ValueError, KeyError, TypeError) as error:
            message = f"the server's answer cannot be read: {error!r}"
            kind = FailureKind.PROTOCOL
            raise RunError(message, "protocol: unreadable answer", {"how": kind.how}, kind) from error
        return Inference(outputs=outputs, load_seconds=0.0, forward_seconds=0.0)


def infer_path(spec: Mapping[str, Any]) -> str:
    """Return the path of inference requests to a model."""
    from urllib.parse import quote

    return f"/v2/models/{quote(spec['name'], safe='')}/infer"


def service_argv(server: Path, runner: Path, spec: Path, **options: object) -> list[str]:
    """Return the command line of a server; options by their names with underscores."""
    words = {"max_body": 1 << 30, **options}
    given = (word for name, value in words.items() for word in (f"--{name.replace('_', '-')}", str(value)))
    return [str(server), str(runner), str(spec), *given]


def _port(spec: TensorSpec, *, free: bool) -> dict[str, Any]:
    shape = [dim if isinstance(dim, int) and not free else None for dim in spec.shape]
    return {"name": spec.name, "dtype": spec.dtype, "shape": shape}


def _died(death: ProcessDied) -> RunError:
    how = death.kind.how
    return RunError(death.message, f"{how}: {death.message}", {"how": how}, death.kind)


def _build(cache: Cache, folder: Path, sources: Mapping[str, str], listen: Listener) -> None:
    require_rust()
    workspace = cache.folder("server", "workspace")
    for name, text in sources.items():
        write_if_changed(workspace / name, text)
    listen(Progress(phase="server", done=0, total=0, text="compiling the server, once", whole=True))
    build = Build(folder=workspace, target=cache.folder("server", "target"), log=cache.folder("server") / "cargo.log")
    run = build.run(["--release", "--locked"], phase="server", labels={}, listen=listen)
    if run.code != 0:
        msg = "the server could not be built"
        raise build.failure(msg, run.code)
    copy_atomically(Path(run.executables["server"]), folder / "server")
    seal(folder / "done.json", [folder / "server"])
