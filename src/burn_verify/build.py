"""cargo: the toolchain once, then batches of generated modules to one runner binary, errors blamed on their module.

Runs no model. The text of the generated crates is `codegen`'s, the meaning of rustc's messages `diagnostics`'s.
"""

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from burn_verify import codegen
from burn_verify.cache import Cache, copy_atomically, digest_of, read_json, sha256_of, write_if_changed, write_json
from burn_verify.diagnostics import RustError, node_of, parse
from burn_verify.errors import CompileError, ToolchainError
from burn_verify.process import output_of, stream
from burn_verify.progress import Listener, Progress
from burn_verify.reasons import rejection
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
    executables: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, RustError]] = field(default_factory=list)


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
            executable, good, errors = self._rounds(unique)
            binary = None
            if executable is not None:
                copy_atomically(Path(executable), folder / "runner")
                binary = RunnerBinary(path=folder / "runner", modules=frozenset(good))
            compiled = Compiled(binary=binary, errors=errors, seconds=time.monotonic() - started)
            _remember(folder, compiled)
            _prune(folder.parent)
            return compiled

    def _rounds(self, models: Mapping[str, ConvertedModel]) -> tuple[str | None, list[str], dict[str, CompileError]]:
        good = dict(models)
        errors: dict[str, CompileError] = {}
        # Borrow-check errors show only once type errors are gone, so one round is not always enough.
        while good:
            groups = codegen.group(good.values())
            batch = self._write(groups)
            labels = {group.crate: group.models[0].label for group in groups}
            run = self._cargo(["-p", batch, "--keep-going"], labels)
            if run.code == 0:
                return run.executables[batch], list(good), errors
            blamed = _blame(run, groups)
            if not blamed:
                message = self._what_failed("the generated crates could not be built, and no model is to blame")
                raise ToolchainError(message)
            for module, rust_errors in blamed.items():
                errors[module] = _compile_error(good.pop(module), rust_errors)
        return None, [], errors

    def _build_converter(self) -> None:
        require_rust()
        started = time.monotonic()
        # Generated crates of earlier runs stay on disk; the workspace forgets them until they are asked for again.
        self._write(())
        write_if_changed(self.workspace / "Cargo.lock", self._sources["Cargo.lock"])
        run = self._cargo(["-p", "converter", "-p", "runner", "--locked"], {}, offline=False)
        if run.code != 0:
            message = self._what_failed(f"Burn {BURN_VERSION} could not be built")
            raise ToolchainError(message)
        copy_atomically(Path(run.executables["converter"]), self.folder / "converter")
        note = {"fingerprint": self.fingerprint, "rustc": self._rustc, "seconds": time.monotonic() - started}
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

    def _cargo(self, arguments: Sequence[str], labels: Mapping[str, str], *, offline: bool = True) -> _Run:
        argv = ["cargo", "build", "--profile", codegen.PROFILE, "--message-format=json", *arguments]
        if offline:
            argv.append("--offline")
        run = _Run()
        guard = threading.Lock()
        with self.log.open("w", encoding="utf-8") as log:

            def on_stderr(line: str) -> None:
                if bar := _BAR.search(line):
                    busy = ", ".join(labels.get(name.strip(), name.strip()) for name in (bar[3] or "").split(","))
                    self._listen(Progress(phase="compile", done=int(bar[1]), total=int(bar[2]), text=busy))
                elif line.strip():
                    with guard:
                        log.write(line + "\n")

            def on_stdout(line: str) -> None:
                message = parse(line)
                if message is None:
                    return
                if message.executable:
                    run.executables[message.crate] = message.executable
                if message.error:
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


def _blame(run: _Run, groups: Sequence[codegen.Group]) -> dict[str, list[RustError]]:
    """Return rustc's errors by module: by the generated file they name, else by the line of the crate that binds it."""
    files = {str(model.rust): model for group in groups for model in group.models}
    by_crate = {group.crate: group for group in groups}
    blamed: dict[str, list[RustError]] = {}
    unnamed: dict[str, list[RustError]] = {}
    for crate, error in run.errors:
        group = by_crate.get(crate)
        if group is None:
            continue
        guilty = next((model for model in _suspects(error, files, group)), None)
        if guilty is None:
            unnamed.setdefault(crate, []).append(error)
        else:
            blamed.setdefault(guilty.module, []).append(error)
    for crate, errors in unnamed.items():
        # A crate of one model has only that model to blame, whatever rustc said.
        models = by_crate[crate].models
        if len(models) == 1 and models[0].module not in blamed:
            blamed[models[0].module] = errors
    return blamed


def _suspects(error: RustError, files: Mapping[str, ConvertedModel], group: codegen.Group) -> Iterator[ConvertedModel]:
    for spot in error.spots:
        if spot.file in files:
            yield files[spot.file]
        elif spot.file.endswith(f"{group.crate}/src/lib.rs") and (model := group.model_at(spot.line)):
            yield model


def _compile_error(model: ConvertedModel, errors: Sequence[RustError]) -> CompileError:
    lines = model.rust.read_text(encoding="utf-8").splitlines()
    first = next((spot for error in errors for spot in error.spots if spot.file == str(model.rust)), None)
    text = lines[first.line - 1] if first and first.line <= len(lines) else None
    details = {
        "codes": sorted({error.code for error in errors if error.code}),
        "errors": len(errors),
        "line": first.line if first else None,
        "rust": text.strip() if text else None,
        "node": node_of(text) if text else None,
        "file": str(model.rust),
    }
    message = "\n".join(error.rendered or error.message for error in errors[:5]).strip()
    return CompileError(message, rejection([(error.code, error.message) for error in errors]), details)


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
