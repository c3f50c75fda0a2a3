"""Compiled models as WebAssembly: a runner for wasm32-wasip1 for each model, in wasmtime or in node.

The protocol is that of the other runners, so `burn_verify.burn.runner.Runner` asks it.
"""

import functools
import importlib.util
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from burn_verify.burn import codegen, wasm_host
from burn_verify.burn.cargo import Build, CargoRun
from burn_verify.burn.recipe import overlaid, packaged_sources
from burn_verify.burn.rustc_errors import compile_error
from burn_verify.core.errors import CommandFailed
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import WASM_NODE, Target
from burn_verify.core.versions import BurnVersion, resolve
from burn_verify.system.cache import Cache, prune
from burn_verify.system.files import copy_atomically, digest_of, sha256_of, write_if_changed
from burn_verify.system.kept import seal, sealed
from burn_verify.system.process import output_of

PLATFORM: Final = "wasm32-wasip1"
RUSTC: Final = "BURN_VERIFY_WASM_RUSTC"
"""Environment variable: another rustc, where the usual one has no standard library for WebAssembly."""

PROFILE_OF_WASM: Final = "wasm"
_FUEL: Final = 10**14
"""Instructions of one instance, a day's worth: what never ends, ends."""
_LARGEST: Final = 4096
"""MiB that 32 bits can address."""
_NODE: Final = ("--single-threaded", "--no-incremental-marking")
"""Without these node 20 dies by a signal with larger models, in one run of four or in each: memory that grows collects
garbage at once, while V8 marks or compiles, on other threads or by steps of its own."""
_KEPT: Final = 100
_DAY: Final = 24 * 3600.0
_FLAGS: Final = "-C target-feature=+simd128 -C link-arg=-zstack-size=67108864"


def missing(via: str) -> str:
    """Return in one line what is missing to run WebAssembly on this machine, and how to get it; empty for nothing."""
    if via == WASM_NODE and shutil.which("node") is None:
        return "node is not installed"
    if via != WASM_NODE and importlib.util.find_spec("wasmtime") is None:
        return "the Python package wasmtime is not installed: pip install 'burn-verify[wasm]'"
    return missing_library()


def missing_library() -> str:
    """Return in one line what is missing to compile for WebAssembly, and how to get it; empty for nothing."""
    try:
        folder = Path(output_of([rustc(), "--print", "target-libdir", "--target", PLATFORM]))
    except CommandFailed as error:
        return f"{rustc()} does not know {PLATFORM}: {error.summary}"
    if not any(folder.glob("libstd-*.rlib")):
        return (
            f"{rustc()} has no standard library for {PLATFORM}: rustup target add {PLATFORM}, or name a rustc that has "
            f"one in {RUSTC}"
        )
    return ""


def rustc() -> str:
    """Return the rustc that compiles WebAssembly."""
    return os.environ.get(RUSTC) or "rustc"


def host(via: str, folder: Path, memory_limit: int) -> list[str]:
    """Return the command that runs a module, which is its last argument.

    Arguments:
        folder: the only folder that the module sees, by the same path.
        memory_limit: MiB, 0 for as much as 32 bits can address; node takes none.
    """
    if via == WASM_NODE:
        return ["node", "--no-warnings", *_NODE, str(files("burn_verify") / "rust-wasm" / "host.mjs"), str(folder)]
    memory = min(memory_limit or _LARGEST, _LARGEST)
    return [sys.executable, "-I", str(wasm_host.__file__), str(folder), str(memory), str(_FUEL)]


def sources_of(version: BurnVersion) -> dict[str, str]:
    """Return the workspace for a version of Burn: text by path.

    Raises:
        ValueError: the packaged workspace is another.
    """
    packaged = overlaid(packaged_sources(), version)
    kept = {name: text for name, text in packaged.items() if name.startswith(("compat/src/", "protocol/", "runner/"))}
    del kept["runner/src/bin/probe.rs"]
    before = kept["compat/src/lib.rs"]
    kept["compat/src/lib.rs"] = before.replace("pub use burn_onnx;\n", "", 1)
    if kept["compat/src/lib.rs"] == before:
        msg = "compat is another than expected"
        raise ValueError(msg)
    own = {name: text for name, text in packaged_sources("rust-wasm").items() if name.endswith((".toml", ".rs"))}
    own["Cargo.toml"] = own["Cargo.toml"].replace("=0.0.0", f"={version.burn}")
    return {**kept, **own, "Cargo.lock": packaged["Cargo.lock"]}


def settings_of_profile() -> dict[str, Any]:
    """Return the settings of the profile in which the workspace is compiled."""
    found: dict[str, Any] = tomllib.loads(packaged_sources("rust-wasm")["Cargo.toml"])["profile"][PROFILE_OF_WASM]
    return found


def features_of_burn() -> list[str]:
    """Return the features of Burn that WebAssembly has."""
    compat = tomllib.loads(packaged_sources("rust-wasm")["compat/Cargo.toml"])
    found: list[str] = compat["dependencies"]["burn"]["features"]
    return found


def manifest(packaged: str, crates: list[str]) -> str:
    """Return the workspace's ``Cargo.toml`` with generated crates as members."""
    members = ["compat", "protocol", "runner", *(f"generated/{crate}" for crate in crates)]
    return packaged.replace("members = []", f"members = {json.dumps(members)}", 1)


class WasmBuilder:
    """Compiles models to WebAssembly: a program for each."""

    def __init__(self, cache: Cache, listen: Listener, target: Target) -> None:
        version = resolve(target.burn)
        self._cache = cache
        self._listen = listen
        self._sources = sources_of(version)
        self._lock = f"wasm-{version.burn}"
        self._root = cache.folder("wasm", version.burn)
        self._build = Build(folder=self._root / "workspace", target=self._root / "target", log=self._root / "cargo.log")

    def build(self, models: Sequence[ConvertedModel]) -> None:
        """Compile what is not in the cache together, which uses all processors.

        Models of the same Rust, which differ in how they are loaded, are one program: most of its compilation is the
        same. What fails is left to `module`, which says why.

        Raises:
            ToolchainError: the disk is full or read-only.
        """
        if len(self._missing(models)) > 1:
            with self._cache.lock(self._lock):
                programs: dict[Path, dict[Path, ConvertedModel]] = {}
                for folder, model in self._missing(models).items():
                    programs.setdefault(model.rust, {})[folder] = model
                self._compile(list(programs.values()))

    def module(self, model: ConvertedModel) -> Path:
        """Return the module of a model, from the cache where it was built before.

        Raises:
            CompileError: rustc rejects the model.
            ToolchainError: Burn itself does not compile.
        """
        if self._missing([model]):
            with self._cache.lock(self._lock):
                missing = self._missing([model])
                run = self._compile([missing] if missing else [])
            if missing and run.code != 0:
                crate = codegen.crate_of([model]).crate
                own = [error for name, error in run.errors if name == crate]
                if own:
                    raise compile_error(model, model.rust.read_text(encoding="utf-8"), own)
                what = f"Burn could not be built for {PLATFORM}"
                raise self._build.failure(what, run.code)
        return self._folder(model) / "runner.wasm"

    @functools.cached_property
    def _rustc(self) -> str:
        """What the compiler says of itself: it is asked once, and not for each model."""
        return output_of([rustc(), "-V"])

    def _folder(self, model: ConvertedModel) -> Path:
        parts = (part for one in sorted(self._sources.items()) for part in one)
        text = sha256_of(model.rust)
        key = digest_of(self._rustc, _FLAGS, model.module, model.load, model.stored, text, *parts)[:24]
        return self._cache.folder("wasm-modules") / key

    def _missing(self, models: Sequence[ConvertedModel]) -> dict[Path, ConvertedModel]:
        folders = {self._folder(model): model for model in models}
        return {folder: model for folder, model in folders.items() if sealed(folder / "done.json") is None}

    def _compile(self, programs: Sequence[Mapping[Path, ConvertedModel]]) -> CargoRun:
        """Compile programs of models, and keep each that compiles in the folders of its models."""
        groups = [codegen.crate_of(models.values()) for models in programs]
        batches = [codegen.batch_name([group]) for group in groups]
        texts = {path: text for group in groups for path, text in codegen.batch_files([group]).items()}
        self._write(texts, [*(group.crate for group in groups), *batches])
        labels = {group.crate: group.label for group in groups}
        run = self._cargo(self._build, batches, labels) if programs else CargoRun()
        for batch, models in zip(batches, programs, strict=True):
            for folder in models if batch in run.executables else ():
                copy_atomically(Path(run.executables[batch]), folder / "runner.wasm")
                seal(folder / "done.json", [folder / "runner.wasm"])
                prune(folder.parent, keep=_KEPT, young=_DAY)
        return run

    def program(self, folder: Path, name: str) -> Path:
        """Compile a crate of its own, which may use what the workspace has compiled; return its program.

        Arguments:
            folder: of the crate; its profile `PROFILE_OF_WASM` has the settings of `settings_of_profile`.

        Raises:
            ToolchainError: cargo failed.
        """
        own = Build(folder=folder, target=self._build.target, log=folder / "cargo.log")
        with self._cache.lock(self._lock):
            run = self._cargo(own, [name], {name: name})
        if run.code != 0:
            what = f"{name} could not be built for {PLATFORM}"
            raise own.failure(what, run.code)
        return Path(run.executables[name])

    def _cargo(self, build: Build, packages: Sequence[str], labels: Mapping[str, str]) -> CargoRun:
        if not (self._root / "target").exists():
            text = f"compiling Burn for {PLATFORM}, once"
            self._listen(Progress(phase="compile wasm", done=0, total=0, text=text, whole=True))
        env = {f"CARGO_TARGET_{PLATFORM.upper().replace('-', '_')}_RUSTFLAGS": _FLAGS, "RUSTC": rustc()}
        named = [argument for package in packages for argument in ("-p", package)]
        arguments = ["--profile", PROFILE_OF_WASM, "--target", PLATFORM, "--keep-going", *named]
        run = build.run([*arguments, "--offline"], phase="compile wasm", labels=labels, listen=self._listen, env=env)
        if run.gave_up:
            run = build.run(arguments, phase="compile wasm", labels=labels, listen=self._listen, env=env)
        return run

    def _write(self, generated: Mapping[str, str], crates: list[str]) -> None:
        own = {name: text for name, text in self._sources.items() if name != "Cargo.lock"}
        own["Cargo.toml"] = manifest(own["Cargo.toml"], crates)
        own |= {f"generated/{path}": text for path, text in generated.items()}
        for name, text in own.items():
            write_if_changed(self._build.folder / name, text)
        if not (self._build.folder / "Cargo.lock").is_file():
            write_if_changed(self._build.folder / "Cargo.lock", self._sources["Cargo.lock"])
