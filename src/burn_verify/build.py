"""cargo: the toolchain once, then batches of generated modules to one runner binary, errors blamed on their module.

Runs no model. The text of the generated crates is `codegen`'s, the meaning of rustc's messages `diagnostics`'s.
"""

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from burn_verify import codegen
from burn_verify.blame import blame, compile_error
from burn_verify.cache import Cache, copy_atomically, digest_of, read_json, sha256_of, write_if_changed, write_json
from burn_verify.diagnostics import RustError, failed_crate, parse
from burn_verify.errors import CompileError, ToolchainError
from burn_verify.process import output_of, stream
from burn_verify.progress import Listener, Progress
from burn_verify.types import ConvertedModel, RunnerBinary

BURN_VERSION: Final = "0.22.1"
BURN_ONNX_VERSION: Final = "0.22.0"
MIN_RUSTC: Final = (1, 95)

INSTALL_RUST: Final = "install Rust from https://rustup.rs, or run: rustup update stable"

# cargo's bar: `Building [====>   ] 133/340: burn-flex`
_BAR: Final = re.compile(r"Building \[[^\]]*\]\s+(\d+)/(\d+)(?:: (.*))?")
_KEPT_BINARIES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What became of a batch.

    Attributes:
        binary: None where no module compiled.
        errors: by module name.
        seconds: wall time of cargo, 0.0 when the binary came from the cache.
    """

    binary: RunnerBinary | None
    errors: Mapping[str, CompileError]
    seconds: float


@dataclass(slots=True)
class _Run:
    """What one call of cargo said."""

    code: int = 0
    artifacts: set[str] = field(default_factory=set)
    executables: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, RustError]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)


class Toolchain:
    """The Cargo workspace in the cache, in which Burn is compiled once.

    Arguments:
        listen: told of every step.
    """

    def __init__(self, cache: Cache, listen: Listener) -> None:
        self._cache = cache
        self._listen = listen
        self._rustc = rustc_version()
        self._sources = packaged_sources()
        self.folder = cache.root / f"burn-{BURN_VERSION}"
        self.workspace = self.folder / "workspace"
        self.target = self.folder / "target"
        self.log = self.folder / "cargo.log"

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
            with self._cache.lock(f"cargo-{BURN_VERSION}", self._waiting):
                if self.ready is None:
                    self._build_converter()
        return self.folder / "converter"

    def compile(self, models: Sequence[ConvertedModel]) -> Compiled:
        """Compile modules to one binary; those that rustc refuses are set aside and the rest is built again.

        Raises:
            ToolchainError: cargo failed without naming a module.
        """
        unique = {model.module: model for model in models}
        folder = self._binary_folder(unique)
        if (known := _remembered(folder)) is not None:
            (folder / "note.json").touch()
            return known
        if not unique:
            return Compiled(binary=None, errors={}, seconds=0.0)
        with self._cache.lock(f"cargo-{BURN_VERSION}", self._waiting):
            if (known := _remembered(folder)) is not None:
                return known
            started = time.monotonic()
            executable, errors = self._rounds(unique)
            binary = None
            if executable is not None:
                copy_atomically(Path(executable), folder / "runner")
                binary = RunnerBinary(path=folder / "runner", modules=frozenset(unique.keys() - errors.keys()))
            compiled = Compiled(binary=binary, errors=errors, seconds=time.monotonic() - started)
            _remember(folder, compiled)
            _prune(folder.parent)
            return compiled

    def _rounds(self, models: Mapping[str, ConvertedModel]) -> tuple[str | None, dict[str, CompileError]]:
        errors: dict[str, CompileError] = {}
        groups = self._grouped(models)
        # Borrow-check errors show only once type errors are gone, so one round is not always enough.
        while groups:
            batch = self._write(groups)
            run = self._cargo(["-p", batch, "--keep-going"], {group.crate: group.label for group in groups})
            if run.code == 0:
                self._remember_groups(groups)
                return run.executables[batch], errors
            found = blame(groups, run.errors, run.failed)
            alone = [group for group in found.suspects if len(group.models) == 1]
            if not found.errors and (not found.suspects or (alone and not run.artifacts)):
                message = self._what_failed("the generated crates could not be built, and no model is to blame")
                raise ToolchainError(message)
            guilty = {**found.errors, **{group.models[0].module: _unnamed(group, run) for group in alone}}
            for module, rust_errors in guilty.items():
                text = models[module].rust.read_text(encoding="utf-8")
                errors[module] = compile_error(models[module], text, rust_errors)
            groups = _regrouped(groups, found.suspects, guilty)
        return None, errors

    def _grouped(self, models: Mapping[str, ConvertedModel]) -> tuple[codegen.Group, ...]:
        """Return crates that hold all models: those compiled before where there are any, new ones for the rest."""
        known = [group for group in self._known_groups() if all(_same(model, models) for model in group.models)]
        reused = codegen.cover(models, known)
        old = frozenset().union(*(group.modules for group in reused))
        sizes = {module: model.rust.stat().st_size for module, model in models.items()}
        fresh = [model for module, model in models.items() if module not in old]
        return reused + codegen.pack(fresh, sizes, os.cpu_count() or 1)

    def _known_groups(self) -> list[codegen.Group]:
        """Return the crates that were compiled by this very toolchain and whose generated text is still there."""
        note = read_json(self.folder / "groups.json")
        if note is None or note["fingerprint"] != self.fingerprint:
            return []
        groups = [
            codegen.crate_of(
                ConvertedModel(label=label, module=module, rust=Path(rust), weights=Path(weights), seconds=0.0)
                for label, module, rust, weights in models
            )
            for models in note["groups"].values()
        ]
        return [group for group in groups if all(model.rust.is_file() for model in group.models)]

    def _remember_groups(self, groups: Sequence[codegen.Group]) -> None:
        known = {group.crate: group for group in (*self._known_groups(), *groups)}
        note = {
            crate: [[model.label, model.module, str(model.rust), str(model.weights)] for model in group.models]
            for crate, group in known.items()
        }
        write_json(self.folder / "groups.json", {"fingerprint": self.fingerprint, "groups": note})

    def _build_converter(self) -> None:
        require_rust()
        started = time.monotonic()
        self._listen(Progress(phase="toolchain", done=0, total=0, text="fetching the sources"))
        # Generated crates of earlier runs stay on disk; the workspace forgets them until they are asked for again.
        self._write(())
        write_if_changed(self.workspace / "Cargo.lock", self._sources["Cargo.lock"])
        run = self._cargo(["-p", "converter", "-p", "runner", "--locked"], {}, first=True)
        if run.code != 0:
            message = self._what_failed(f"Burn {BURN_VERSION} could not be built")
            raise ToolchainError(message)
        copy_atomically(Path(run.executables["converter"]), self.folder / "converter")
        # The first build is the long one; what follows a change of our own sources says nothing of it.
        before = read_json(self.folder / "ready.json") or {"seconds": time.monotonic() - started}
        note = {"fingerprint": self.fingerprint, "rustc": self._rustc, "seconds": before["seconds"]}
        write_json(self.folder / "ready.json", note)

    def _write(self, groups: Sequence[codegen.Group]) -> str:
        """Write the workspace with these crates, touching only what changed; return the binary's name."""
        for name, content in self._sources.items():
            if name not in ("Cargo.toml", "Cargo.lock"):
                write_if_changed(self.workspace / name, content)
        self._write_lock()
        name = codegen.batch_name(groups)
        crates = [group.crate for group in groups]
        for group in groups:
            write_if_changed(self.workspace / "generated" / group.crate / "Cargo.toml", group.manifest)
            write_if_changed(self.workspace / "generated" / group.crate / "src" / "lib.rs", group.source)
        if groups:
            crates.append(name)
            write_if_changed(self.workspace / "generated" / name / "Cargo.toml", codegen.batch_manifest(name, groups))
            write_if_changed(self.workspace / "generated" / name / "src" / "main.rs", codegen.batch_source(groups))
        members = [f"generated/{crate}" for crate in crates]
        manifest = codegen.workspace_manifest(self._sources["Cargo.toml"], members)
        write_if_changed(self.workspace / "Cargo.toml", manifest)
        return name

    def _write_lock(self) -> None:
        """Put the pinned lock file in place; cargo adds the generated crates to it, so only a change of ours counts."""
        stamp = self.folder / "lock.sha256"
        wanted = digest_of(self._sources["Cargo.lock"])
        lock = self.workspace / "Cargo.lock"
        if not lock.is_file() or not stamp.is_file() or stamp.read_text() != wanted:
            write_if_changed(lock, self._sources["Cargo.lock"])
            write_if_changed(stamp, wanted)

    def _cargo(self, arguments: Sequence[str], labels: Mapping[str, str], *, first: bool = False) -> _Run:
        phase = "toolchain" if first else "compile"
        argv = ["cargo", "build", "--profile", codegen.PROFILE, "--message-format=json", *arguments]
        if not first:
            argv.append("--offline")
        run = _Run()
        guard = threading.Lock()
        with self.log.open("w", encoding="utf-8") as log:

            def on_stderr(line: str) -> None:
                if bar := _BAR.search(line):
                    busy = ", ".join(labels.get(name.strip(), name.strip()) for name in (bar[3] or "").split(","))
                    self._listen(Progress(phase=phase, done=int(bar[1]), total=int(bar[2]), text=busy))
                elif line.strip():
                    with guard:
                        log.write(line + "\n")
                        run.failed.update(filter(None, [failed_crate(line)]))

            def on_stdout(line: str) -> None:
                message = parse(line)
                if message is None:
                    return
                if message.executable:
                    run.executables[message.crate] = message.executable
                if message.error is None:
                    run.artifacts.update({message.crate} & labels.keys())
                else:
                    run.errors.append((message.crate, message.error))
                    with guard:
                        log.write(message.error.rendered + "\n")

            run.code = stream(
                argv, cwd=self.workspace, env=_environment(self.target), on_stdout=on_stdout, on_stderr=on_stderr
            )
        return run

    def _binary_folder(self, models: Mapping[str, ConvertedModel]) -> Path:
        contents = [part for name in sorted(models) for part in (name, sha256_of(models[name].rust))]
        return self._cache.room("binaries") / digest_of(self.fingerprint, codegen.PROFILE, *contents)[:24]

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase="compile", done=0, total=0, text=text))

    def _what_failed(self, what: str) -> str:
        tail = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        first = next((line for line in tail if line.startswith("error")), tail[-1] if tail else "cargo said nothing")
        return f"{what}: {first} (whole log: {self.log})"


def packaged_sources() -> dict[str, str]:
    """Return the packaged Rust workspace: text by relative path."""
    with as_file(files("burn_verify") / "rust") as folder:
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "target" not in path.relative_to(folder).parts
        }


def rustc_version() -> str:
    """Return what ``rustc -V`` says, empty where there is none."""
    return output_of(["rustc", "-V"]) or ""


def require_rust() -> None:
    """Check that cargo and a rustc that is new enough are there.

    Raises:
        ToolchainError: one of them is not; the message says what to type.
    """
    if shutil.which("cargo") is None:
        message = f"cargo was not found: {INSTALL_RUST}"
        raise ToolchainError(message)
    version = rustc_version()
    found = re.match(r"rustc (\d+)\.(\d+)", version)
    wanted = ".".join(map(str, MIN_RUSTC))
    if found is None:
        message = f"rustc does not answer: {INSTALL_RUST}"
        raise ToolchainError(message)
    if (int(found[1]), int(found[2])) < MIN_RUSTC:
        message = f"Burn {BURN_VERSION} needs rustc {wanted} or newer, this is {version}: {INSTALL_RUST}"
        raise ToolchainError(message)


def _environment(target: Path) -> dict[str, str]:
    """Return the environment of cargo, without what would make two users' builds differ."""
    drop = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER")
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    bar = {"CARGO_TERM_PROGRESS_WHEN": "always", "CARGO_TERM_PROGRESS_WIDTH": "200", "CARGO_TERM_COLOR": "never"}
    return {**kept, **bar, "CARGO_TARGET_DIR": str(target)}


def _same(model: ConvertedModel, wanted: Mapping[str, ConvertedModel]) -> bool:
    """Return whether a module compiled before was made from the very file that is wanted now."""
    return model.module not in wanted or wanted[model.module].rust == model.rust


def _unnamed(group: codegen.Group, run: _Run) -> list[RustError]:
    """Return the errors of a crate of one model in which rustc named no line of that model."""
    errors = [error for crate, error in run.errors if crate == group.crate]
    message = "rustc ended without naming an error"
    return errors or [RustError(code=None, message=message, rendered="", spots=())]


def _regrouped(
    groups: Sequence[codegen.Group], suspects: Sequence[codegen.Group], guilty: Mapping[str, object]
) -> tuple[codegen.Group, ...]:
    """Return the crates of the next round: without the guilty, and suspects taken apart to find the one."""
    split = {group.crate for group in suspects}
    pieces = (
        piece
        for group in groups
        for piece in ([codegen.crate_of([model]) for model in group.models] if group.crate in split else [group])
    )
    return tuple(left for piece in pieces if (left := piece.without(guilty)).models)


def _remember(folder: Path, compiled: Compiled) -> None:
    errors = {module: [error.message, error.reason, error.details] for module, error in compiled.errors.items()}
    modules = sorted(compiled.binary.modules) if compiled.binary else None
    write_if_changed(folder / "note.json", json.dumps({"modules": modules, "errors": errors}))


def _remembered(folder: Path) -> Compiled | None:
    note = read_json(folder / "note.json")
    runner = folder / "runner"
    if note is None or (note["modules"] is not None and not runner.is_file()):
        return None
    binary = None if note["modules"] is None else RunnerBinary(path=runner, modules=frozenset(note["modules"]))
    errors = {module: CompileError(*parts) for module, parts in note["errors"].items()}
    return Compiled(binary=binary, errors=errors, seconds=0.0)


def _prune(binaries: Path) -> None:
    """Forget all but the binaries used last: each is tens of megabytes, and made again in seconds."""
    notes = sorted(binaries.glob("*/note.json"), key=lambda note: note.stat().st_mtime, reverse=True)
    for note in notes[_KEPT_BINARIES:]:
        shutil.rmtree(note.parent, ignore_errors=True)
