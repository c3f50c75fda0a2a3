"""What the tests of the real toolchain share with the processes they start: cache, spoiling converter, fake child.

Burn itself is taken from the cache that everybody uses, where it is compiled already. All that the tests make is kept
apart from what a user has there: other folders, and module names that no real model gets.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.convert import Converter
from burn_verify.burn.workspace import Workspace
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.core.ways import BURNPACK
from burn_verify.run.steps import Plan, Ready
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, read_json, write_if_changed, write_json

FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = ("add", "matmul", "two_outputs")
Spoil = Callable[[str], str]
"""Changes the text of a generated module."""


def converter_of(cache: Cache, toolchain: Workspace, record: str = BURNPACK) -> Converter:
    """Return the converter of a toolchain, with conversion as it usually is; who asks for it closes it."""
    return Converter(
        cache,
        toolchain.converter(),
        toolchain.converter_fingerprint,
        simplify=True,
        partition=True,
        record=record,
        timeout=60,
        memory_limit=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiny:
    """The tiny models, taken through the whole pipeline untouched."""

    plan: Plan
    results: dict[str, CaseResult]

    def model(self, name: str) -> ConvertedModel:
        return self.step(name).built.model

    def step(self, name: str) -> Ready:
        step = self.plan.cases[f"file/{name}"]
        assert isinstance(step, Ready)
        return step


class OwnCache(Cache):
    """The cache of this machine, with its locks and its compiled Burn; everything else in folders of its own."""

    def __init__(self, own: Path) -> None:
        super().__init__(settings_from({}).cache_dir)
        self.own = Cache(own)

    def folder(self, *names: str) -> Path:
        return super().folder(*names) if names[0] == "locks" else self.own.folder(*names)


def case(name: str, path: Path) -> Case:
    return Case(id=f"file/{name}", corpus="file", source=ModelFile(path=path))


def spoilt(model: ConvertedModel, folder: Path, spoil: Spoil) -> ConvertedModel:
    """Return a copy of a converted model with other Rust, under a name that only this folder and text have."""
    text = spoil(model.rust.read_text(encoding="utf-8"))
    module = f"m_{digest_of(str(folder), text)[:24]}"
    rust = folder / module / "model.rs"
    write_if_changed(rust, text)
    return replace(model, module=module, rust=rust)


def replacing(old: str, new: str) -> Spoil:
    """Return a change of one place, which has to be there."""

    def spoil(text: str) -> str:
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in:\n{text}"
        return text.replace(old, new)

    return spoil


def spoiling(folder: Path, changes: Mapping[str, Spoil]) -> type[CargoBuilder]:
    """Return a builder that changes, by case id, what burn-onnx made."""

    class Spoiling(CargoBuilder):
        def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
            model = super().convert(prepared, target)
            spoil = changes.get(prepared.case.id)
            return spoilt(model, folder, spoil) if spoil else model

    return Spoiling


def fake_binary(path: Path, role: str, **options: object) -> Path:
    """Write a program that is the fake child with these options."""
    words = [sys.executable, "-S", "-E", str(FIXTURES / "fake_child.py"), role]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    path.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n")
    path.chmod(0o755)
    return path


def sweep(cache: OwnCache) -> None:
    """Remove the crates made of our modules, and what cargo built of them, from the shared workspace."""
    toolchain = Workspace.of(cache, silent, Target())
    # Up to where the name has to be escaped in Rust.
    mark = str(cache.own.root).partition('"')[0]
    with cache.lock(toolchain.lock):
        generated = toolchain.build.folder / "generated"
        ours = {path.parents[1].name for path in generated.glob("g_*/src/lib.rs") if mark in path.read_text()}
        batches = {
            path.parent.name
            for path in generated.glob("batch_*/Cargo.toml")
            if any(crate in path.read_text() for crate in ours)
        }
        for crate in ours | batches:
            shutil.rmtree(generated / crate, ignore_errors=True)
        note = read_json(toolchain.folder / "groups.json")
        if note is not None:
            note["groups"] = {crate: models for crate, models in note["groups"].items() if mark not in str(models)}
            write_json(toolchain.folder / "groups.json", note)
        for path in [*toolchain.build.target.glob("*/*"), *toolchain.build.target.glob("*/*/*")]:
            name = path.name.removeprefix("lib").partition("-")[0].partition(".")[0]
            if name in ours | batches:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """Return the environment for a process that imports this module."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
