"""Compiled models as ONNX again: programs that record a forward pass and have burn-onnx's exporter write it.

The protocol is that of the other runners, so `burn_verify.burn.runner.Runner` asks them; the answer is an ONNX model.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from burn_verify.burn import codegen
from burn_verify.burn.cargo import Build, CargoRun
from burn_verify.burn.codegen import Group
from burn_verify.burn.program import Exported
from burn_verify.burn.recipe import overlaid, packaged_sources
from burn_verify.burn.runner import Runner
from burn_verify.burn.rustc_errors import attribute
from burn_verify.burn.units import entries, generated_crate
from burn_verify.core.errors import RunError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import ConvertedModel, RunnerBinary
from burn_verify.core.versions import BurnVersion, resolve
from burn_verify.system.cache import Cache
from burn_verify.system.files import copy_atomically, delete, digest_of, write_if_changed
from burn_verify.system.kept import seal, sealed
from burn_verify.system.wire import Array

PROFILE_OF_EXPORT: Final = "export"
WITHOUT: Final = ("0.19.1", "0.20.1", "0.21.0")
"""Versions of Burn whose importer writes no ONNX."""

_BACKEND: Final = "flex"
_AT_ONCE: Final = 400
_ROOM: Final = "rust-export"


def sources_of(version: BurnVersion) -> dict[str, str]:
    """Return the workspace for a version of Burn: text by path."""
    packaged = overlaid(packaged_sources(), version)
    kept = {name: text for name, text in packaged.items() if name.startswith(("protocol/", "runner/"))}
    del kept["runner/src/bin/probe.rs"]
    own = {name: text for name, text in packaged_sources(_ROOM).items() if name.endswith((".toml", ".rs"))}
    lines = own["Cargo.toml"].splitlines()
    versions = {"burn": version.burn, "burn-store": version.burn, "burn-onnx": version.burn_onnx}
    for place, line in enumerate(lines):
        if (name := line.partition(" = ")[0]) in versions:
            lines[place] = line.replace("=0.0.0", f"={versions[name]}")
    return {**kept, **own, "Cargo.toml": "\n".join(lines) + "\n", "Cargo.lock": packaged["Cargo.lock"]}


def manifest(packaged: str, crates: Sequence[str]) -> str:
    """Return the workspace's ``Cargo.toml`` with generated crates as members."""
    members = ["compat", "protocol", "runner", *(f"generated/{crate}" for crate in crates)]
    return packaged.replace("members = []", f"members = {json.dumps(members)}", 1)


class Exporter:
    """Writes models as ONNX that were compiled for calls before.

    Arguments:
        listen: called for every step of cargo.
        burn: the version of Burn.

    Raises:
        UsageError: its burn-onnx writes no ONNX.
    """

    def __init__(self, cache: Cache, settings: Settings, listen: Listener, burn: str) -> None:
        version = resolve(burn)
        if version.burn in WITHOUT:
            message = f"{version.importer} {version.burn_onnx} writes no ONNX: choose a newer Burn than {version.burn}"
            raise UsageError(message)
        self._cache = cache
        self._settings = settings
        self._listen = listen
        self._sources = sources_of(version)
        self._lock = f"export-{version.burn}"
        self._root = cache.folder("export", version.burn)
        self._build = Build(folder=self._root / "workspace", target=self._root / "target", log=self._root / "cargo.log")

    def exported(self, wanted: Mapping[str, tuple[ConvertedModel, Sequence[Array]]]) -> dict[str, Exported | RunError]:
        """Return models as ONNX with the sizes of their inputs, or why they cannot be written, by name.

        Arguments:
            wanted: converted models, each with inputs in the order of its graph.

        Raises:
            ToolchainError: Burn with its exporter does not compile.
        """
        found: dict[str, Exported | RunError] = {}
        names = list(wanted)
        for start in range(0, len(names), _AT_ONCE):
            some = {name: wanted[name] for name in names[start : start + _AT_ONCE]}
            models = {model.module: model for model, _ in some.values()}
            path, built = self._program(list(models.values()))
            runner = Runner(
                self._cache,
                RunnerBinary(path=path, modules=built),
                timeout=self._settings.timeout,
                memory_limit=self._settings.memory_limit,
            )
            try:
                found |= {name: _exported(runner, built, model, inputs) for name, (model, inputs) in some.items()}
            finally:
                runner.close()
        return found

    def _program(self, models: Sequence[ConvertedModel]) -> tuple[Path, frozenset[str]]:
        """Return a program of models, from the cache where it was built before, and the modules in it."""
        parts = (part for one in sorted(self._sources.items()) for part in one)
        texts = [part for model in models for part in (model.module, model.rust.read_text(encoding="utf-8"))]
        # Among the other compiled batches, so that what deletes the oldest of these counts it.
        folder = self._cache.folder("binaries") / f"export-{digest_of(*texts, *parts)[:24]}"
        if (note := sealed(folder / "done.json")) is None:
            with self._cache.lock(self._lock):
                if (note := sealed(folder / "done.json")) is None:
                    self._compile(models, folder)
                    note = sealed(folder / "done.json") or {}
        return folder / "exporter", frozenset(note["modules"])

    def _compile(self, models: Sequence[ConvertedModel], folder: Path) -> None:
        """Compile models to one program; those that do not compile beside the exporter are left out."""
        sizes = {model.module: model.rust.stat().st_size for model in models}
        groups: Sequence[Group] = codegen.pack(models, sizes, max(1, min(4, len(models) // 16)))
        while True:
            batch = codegen.batch_name(groups)
            self._write(codegen.batch_files(groups), [*(group.crate for group in groups), batch])
            run = self._cargo(batch, {group.crate: group.label for group in groups})
            if run.code == 0:
                break
            bad = _guilty(groups, run)
            if not bad:
                what = "Burn could not be built with its exporter"
                raise self._build.failure(what, run.code)
            groups = [group for group in (group.without(bad) for group in groups) if group.models]
        copy_atomically(Path(run.executables[batch]), folder / "exporter")
        modules = sorted(module for group in groups for module in group.modules)
        seal(folder / "done.json", [folder / "exporter"], modules=modules)
        # The program is kept as a whole, and no other one is linked of the same crates.
        for path in entries(self._build.target):
            if generated_crate(path):
                delete(path)

    def _cargo(self, package: str, labels: Mapping[str, str]) -> CargoRun:
        if not (self._root / "target").exists():
            text = "compiling Burn with burn-onnx's exporter, once"
            self._listen(Progress(phase="compile exporter", done=0, total=0, text=text, whole=True))
        arguments = ["--profile", PROFILE_OF_EXPORT, "-p", package, "--keep-going"]
        phase = "compile exporter"
        run = self._build.run([*arguments, "--offline"], phase=phase, labels=labels, listen=self._listen)
        if run.gave_up:
            run = self._build.run(arguments, phase=phase, labels=labels, listen=self._listen)
        return run

    def _write(self, generated: Mapping[str, str], crates: Sequence[str]) -> None:
        own = {name: text for name, text in self._sources.items() if name != "Cargo.lock"}
        own["Cargo.toml"] = manifest(own["Cargo.toml"], crates)
        own |= {f"generated/{path}": text for path, text in generated.items()}
        for name, text in own.items():
            write_if_changed(self._build.folder / name, text)
        if not (self._build.folder / "Cargo.lock").is_file():
            write_if_changed(self._build.folder / "Cargo.lock", self._sources["Cargo.lock"])


def _guilty(groups: Sequence[Group], run: CargoRun) -> frozenset[str]:
    """Return the modules that rustc rejects; of a crate that failed without an error of a module, all."""
    found = attribute(groups, run.errors, run.failed)
    return frozenset(found.errors).union(*(group.modules for group in found.suspects))


def _exported(
    runner: Runner, built: frozenset[str], model: ConvertedModel, inputs: Sequence[Array]
) -> Exported | RunError:
    if model.module not in built:
        return RunError("the generated code does not compile beside the exporter", "does not compile")
    try:
        data, marks = runner.infer(model, inputs, _BACKEND).outputs
    except RunError as error:
        return error
    return Exported(data=data.tobytes(), takes=tuple(place for place, mark in enumerate(marks) if mark))
