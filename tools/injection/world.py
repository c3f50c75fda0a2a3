"""The folder in which faults are injected: a warm cache, models, a record; it is put back before each fault.

Compiled Burn stays where it is, since copying it takes long; of it, only what a fault damages is put back.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import psutil
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cases import zoo
from burn_verify.cases.load import stored_location
from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult
from burn_verify.record import store
from burn_verify.system.cache import Cache
from burn_verify.system.kept import seal
from injection.faults import STAND_IN, Fault
from injection.seen import Seen

TOOLS: Final = Path(__file__).parents[1]
MODELS: Final = ("add.onnx", "matmul.onnx", "two_outputs.onnx")
OFFLINE: Final = ("--burn-offline=on",)
KINDS: Final = ("reference", "measured", "converted", "binaries", "seeded")
SELECTIONS: Final = ((STAND_IN,), ("--conformance=simple",), ("--ops=Celu",), ())
_MARK: Final = "BURN_VERIFY_INJECTED"
_ZOO: Final = "mnist-8"
_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The folder of the injections.

    Attributes:
        folder: the working directory of every run.
        saved: a copy of all in it but compiled Burn.
    """

    folder: Path
    saved: Path

    def make(self, compiled: Path, mirror: Path | None) -> dict[tuple[str, ...], dict[str, str]]:
        """Make the folder from a cache with compiled Burn; one run of each kind warms it. Return their results.

        A folder that is complete is left as it is.

        Arguments:
            mirror: of the zoo; without it, the cache holds no download.
        """
        known = self.saved.with_name("clean.json")
        if known.exists():
            return {tuple(options): ends for options, ends in json.loads(known.read_text(encoding="utf-8"))}
        cache = self.folder / "cache"
        for path in compiled.glob("burn-*"):
            if not (cache / path.name).exists():
                subprocess.run(["cp", "-a", str(path), str(self._made(cache) / path.name)], check=True)
        for name in MODELS:
            shutil.copy2(TOOLS.parent / "fixtures" / name, self.folder / name)
        _save_identity(self.folder / "huge.onnx", (1 << 20, 1 << 20))
        _save_expand(self.folder / "wide.onnx", (1 << 16, 1 << 15))
        (self.folder / "expected.toml").write_text("# Nothing is expected to fail.\n", encoding="utf-8")
        self._made(self.folder / "kept")
        if mirror is not None:
            _download(Cache(cache), mirror)
        # Those of no option last, since the newest file of a kind is damaged.
        clean: dict[tuple[str, ...], dict[str, str]] = {
            options: dict(self.verify(options).results) for options in SELECTIONS
        }
        self.run(["history", "history", "--add", "record.jsonl"])
        shutil.rmtree(self.saved, ignore_errors=True)
        shutil.copytree(self.folder, self.saved, ignore=shutil.ignore_patterns("burn-*"))
        known.write_text(json.dumps([[options, ends] for options, ends in clean.items()]), encoding="utf-8")
        return clean

    def restore(self) -> None:
        """Put everything back but compiled Burn."""
        for path in [*self.folder.iterdir(), *(self.folder / "cache").iterdir()]:
            if path.name != "cache" and not path.name.startswith("burn-"):
                _remove(path)
        shutil.copytree(self.saved, self.folder, dirs_exist_ok=True)

    def verify(self, options: Sequence[str] = ()) -> Seen:
        """Run undisturbed, and record it."""
        (self.folder / "record.jsonl").unlink(missing_ok=True)
        return self.run(["verify", *MODELS, *options, *OFFLINE, "--burn-record=record.jsonl"])

    def run(self, command: Sequence[str], fault: Sequence[str] = (), before: Sequence[str] = ()) -> Seen:
        """Run a command to its end.

        Arguments:
            fault: what `injection.child` is told.
            before: a command that the run is started by.
        """
        token = uuid.uuid4().hex
        argv = [*before, sys.executable, "-m", "injection.child", *fault, "--", *command]
        env = {**os.environ, _MARK: token, "BURN_VERIFY_CACHE": str(self.folder / "cache"), "COLUMNS": "200"}
        env["PYTHONPATH"] = os.pathsep.join([str(TOOLS), env.get("PYTHONPATH", "")])
        for name in ("BURN_VERIFY_ZOO_MIRROR", "GITHUB_STEP_SUMMARY"):
            env.pop(name, None)
        # A file, since a process that is left would keep a pipe open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                argv,
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_SECONDS,
                check=False,
            )
            output.seek(0)
            words = output.read().decode("utf-8", errors="replace")
        left = tuple(_left(token))
        return Seen(code=done.returncode, words=words, results=self._results(), left=left, kept=self._kept())

    def _results(self) -> dict[str, str]:
        for path in (self.folder / "record.jsonl", self.folder / "kept" / "record.jsonl"):
            try:
                (record,) = store.read_run(path)
            except (UsageError, ValueError):
                continue
            return {one.case_id: _end(one) for one in record.results}
        return {}

    def _kept(self) -> dict[str, int]:
        folders = {kind: self.folder / "cache" / kind for kind in KINDS}
        return {kind: sum(path.is_file() for path in folder.rglob("*")) for kind, folder in folders.items()}

    def _made(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _end(result: CaseResult) -> str:
    return f"{result.outcome.value} {result.stage.value}" + (f": {result.reason}" if result.reason else "")


@contextmanager
def injected(world: World, fault: Fault) -> Iterator[tuple[list[str], list[str]]]:
    """Inject a fault; yield what `injection.child` is told, and the command that the run is started by.

    Raises:
        FileNotFoundError: nothing fits the place of the fault.
    """
    for kind in fault.cold:
        _remove(world.folder / "cache" / kind)
        (world.folder / "cache" / kind).mkdir()
    match fault.kind:
        case "damage":
            with _damaged(newest(world.folder, fault.place), fault.how):
                yield [], []
        case "disk":
            yield [], mounted(newest(world.folder, fault.place), fault.how)
        case "signal":
            yield ["signal", fault.place, fault.how], []
        case _:
            yield (["spoil", "file/add"] if fault.place == "runner" else []), []


def newest(folder: Path, place: str) -> Path:
    """Return the file or folder of a glob that changed last.

    Raises:
        FileNotFoundError: there is none.
    """
    some = list(folder.glob(place))
    if not some:
        raise FileNotFoundError(place)
    return max(some, key=lambda path: path.stat().st_mtime)


def spoilt(data: bytes, how: str) -> bytes | None:
    """Return data with a bit flipped in the middle, or cut in half; None for deleted."""
    middle = len(data) // 2
    if how == "flip":
        return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :] if data else b"\4"
    return data[:middle] if how == "truncate" else None


def mounted(folder: Path, how: str) -> list[str]:
    """Return the command that starts another one for which a folder is full, has room for 4 KiB, or is read-only."""
    mount = {
        "full": 'mount -t tmpfs -o size=4k,nr_inodes=1 none "$0"',
        "small": 'mount -t tmpfs -o size=4k none "$0"',
        "read-only": 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"',
    }
    return ["unshare", "--mount", "sh", "-c", f'{mount[how]} && exec "$@"', str(folder)]


@contextmanager
def _damaged(path: Path, how: str) -> Iterator[None]:
    """Damage a file; put it back where nobody made it again."""
    whole, state = path.read_bytes(), path.stat()
    bad = spoilt(whole, how)
    path.unlink()
    if bad is not None:
        path.write_bytes(bad)
        path.chmod(state.st_mode)
    try:
        yield
    finally:
        if path.parent.is_dir() and (path.read_bytes() if path.is_file() else None) == bad:
            path.write_bytes(whole)
            path.chmod(state.st_mode)
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _left(token: str) -> Iterator[str]:
    """Yield the command lines of the processes of a run that are still there."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(_MARK) == token and process.status() != psutil.STATUS_ZOMBIE:
                yield " ".join(process.cmdline())


def _download(cache: Cache, mirror: Path) -> None:
    """Put a model and its stored data into the cache, as a download leaves them."""
    download = zoo.load().entries[_ZOO].download
    if download is None:
        return
    model = stored_location(cache, download)
    model.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(mirror / "models" / model.name, model)
    shutil.copytree(mirror / "models" / model.stem, model.parent / model.stem, dirs_exist_ok=True)
    seal(model.with_name(f"{model.name}.json"), [model])
    stored = [path for path in (model.parent / model.stem).rglob("*") if path.is_file()]
    seal(model.parent / "test-data.json", stored)


def _save_identity(path: Path, shape: tuple[int, ...]) -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    _save(path, helper.make_node("Identity", ["x"], ["y"]), values)


def _save_expand(path: Path, shape: tuple[int, ...]) -> None:
    sizes = numpy_helper.from_array(np.array(shape, np.int64), "sizes")
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))]
    values.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, shape))
    _save(path, helper.make_node("Expand", ["x", "sizes"], ["y"]), values, [sizes])


def _save(
    path: Path, node: onnx.NodeProto, values: Sequence[onnx.ValueInfoProto], constants: Sequence[onnx.TensorProto] = ()
) -> None:
    graph = helper.make_graph([node], "g", values[:1], values[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=(helper.make_opsetid("", 17),), ir_version=8), path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
