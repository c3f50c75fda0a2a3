"""Burn, compiled once: the Cargo workspace in the cache, and the converter in it.

Knows no model; what is generated joins the workspace as files, see `build`.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from burn_verify.cache import Cache, copy_atomically, digest_of, read_json, write_if_changed, write_json
from burn_verify.cargo import CargoRun, Workspace, require_rust, rustc_version
from burn_verify.codegen import PROFILE, workspace_manifest
from burn_verify.progress import Listener, Progress
from burn_verify.types import Target


class Toolchain:
    """The workspace that a target is compiled in.

    Arguments:
        listen: told of every step.
        backends: those of other targets with the same `Target.build_key`, which the one binary shall serve as well.
    """

    def __init__(self, cache: Cache, listen: Listener, target: Target, backends: Collection[str] = ()) -> None:
        self.target = target
        self.backends = frozenset({*backends, target.backend})
        self._cache = cache
        self._listen = listen
        self._rustc = rustc_version()
        self._sources = packaged_sources()
        self.folder = cache.root / f"burn-{target.burn}"
        self.lock = f"cargo-{target.burn}"
        self.workspace = Workspace(
            folder=self.folder / "workspace", target=self.folder / "target", log=self.folder / "cargo.log"
        )

    @property
    def fingerprint(self) -> str:
        """Whatever decides what the converter and the runner do: our Rust, the pinned versions, the compiler."""
        return digest_of(self._rustc, *(part for item in sorted(self._sources.items()) for part in item))

    @property
    def converter_fingerprint(self) -> str:
        """Whatever decides what the converter makes of a model: its own sources and the pinned versions."""
        parts = [text for name, text in sorted(self._sources.items()) if name.startswith(("converter/", "Cargo.lock"))]
        return digest_of(*parts)

    @property
    def ready(self) -> Mapping[str, Any] | None:
        """The note left by the build of this very toolchain, None where it was not built yet."""
        note = read_json(self.folder / "ready.json")
        converter = self.folder / "converter"
        return note if note and note["fingerprint"] == self.fingerprint and converter.is_file() else None

    def converter(self) -> Path:
        """Return the compiled converter; build Burn's dependencies if this was never done.

        Raises:
            ToolchainError: cargo is missing, too old, or failed.
        """
        if self.ready is None:
            with self._cache.lock(self.lock, self.waiting):
                if self.ready is None:
                    self._build_converter()
        return self.folder / "converter"

    def write(self, generated: Mapping[str, str], crates: Sequence[str]) -> None:
        """Write the workspace with generated crates as members, touching only files whose content changed.

        Arguments:
            generated: text by path below the folder ``generated``.
            crates: folders below it that are members.
        """
        own = {name: text for name, text in self._sources.items() if name not in ("Cargo.toml", "Cargo.lock")}
        own |= {f"generated/{path}": text for path, text in generated.items()}
        for name, text in own.items():
            write_if_changed(self.workspace.folder / name, text)
        self._write_lock()
        members = [f"generated/{crate}" for crate in crates]
        manifest = workspace_manifest(self._sources["Cargo.toml"], members)
        write_if_changed(self.workspace.folder / "Cargo.toml", manifest)

    def cargo(self, package: str, labels: Mapping[str, str]) -> CargoRun:
        """Build a generated package; nothing is fetched, for the toolchain was built before."""
        arguments = ["--profile", PROFILE, "-p", package, "--keep-going", "--offline"]
        return self.workspace.build(arguments, phase="compile", labels=labels, listen=self._listen)

    def waiting(self, text: str) -> None:
        """Tell that another run holds the lock."""
        self._listen(Progress(phase="compile", done=0, total=0, text=text))

    def _build_converter(self) -> None:
        require_rust()
        started = time.monotonic()
        self._listen(Progress(phase="toolchain", done=0, total=0, text="fetching the sources"))
        # Generated crates of earlier runs stay on disk; the workspace forgets them until they are asked for again.
        self.write({}, ())
        write_if_changed(self.workspace.folder / "Cargo.lock", self._sources["Cargo.lock"])
        arguments = ["--profile", PROFILE, "-p", "converter", "-p", "runner", "--locked"]
        run = self.workspace.build(arguments, phase="toolchain", labels={}, listen=self._listen)
        if run.code != 0:
            what = f"Burn {self.target.burn} could not be built"
            raise self.workspace.failure(what)
        copy_atomically(Path(run.executables["converter"]), self.folder / "converter")
        # The first build is the long one; what follows a change of our own sources says nothing of it.
        before = read_json(self.folder / "ready.json") or {"seconds": time.monotonic() - started}
        note = {"fingerprint": self.fingerprint, "rustc": self._rustc, "seconds": before["seconds"]}
        write_json(self.folder / "ready.json", note)

    def _write_lock(self) -> None:
        """Put the pinned lock file in place; cargo adds the generated crates to it, so only a change of ours counts."""
        stamp = self.folder / "lock.sha256"
        wanted = digest_of(self._sources["Cargo.lock"])
        lock = self.workspace.folder / "Cargo.lock"
        if not lock.is_file() or not stamp.is_file() or stamp.read_text() != wanted:
            write_if_changed(lock, self._sources["Cargo.lock"])
            write_if_changed(stamp, wanted)


def packaged_sources() -> dict[str, str]:
    """Return the packaged Rust workspace: text by relative path."""
    with as_file(files("burn_verify") / "rust") as folder:
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "target" not in path.relative_to(folder).parts
        }
