"""The workspace for WebAssembly, what a machine lacks for it, and the programs that run it; nothing is compiled."""

import dataclasses
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from burn_verify.burn import wasm
from burn_verify.burn.cargo import CargoRun
from burn_verify.burn.recipe import packaged_sources
from burn_verify.burn.rustc_errors import RustError
from burn_verify.core.errors import CompileError
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import WASM, WASM_NODE, WASMS, Target
from burn_verify.core.versions import VERSIONS
from burn_verify.system.cache import Cache


def a_rustc(folder, libdir):
    """A program that answers as rustc does where its standard library lies."""
    path = folder / "rustc"
    path.write_text(f"#!/bin/sh\necho {libdir}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("version", [one for one in VERSIONS if one.ways], ids=lambda one: one.burn)
def test_the_workspace_has_no_converter_and_no_thread(version):
    sources = wasm.sources_of(version)

    manifest = tomllib.loads(wasm.manifest(sources["Cargo.toml"], ["g_1", "batch_1"]))
    assert manifest["workspace"]["members"][-2:] == ["generated/g_1", "generated/batch_1"]
    assert manifest["workspace"]["dependencies"]["burn"]["version"] == f"={version.burn}"
    features = tomllib.loads(sources["compat/Cargo.toml"])["dependencies"]["burn"]["features"]
    assert features == ["std", "flex", "simd"]
    code = "".join(text for name, text in sources.items() if name.endswith(".rs"))
    assert "burn_onnx" not in code
    assert "thread::" not in code


def test_both_channels_speak_the_same_version():
    own = (files("burn_verify") / "rust-wasm" / "protocol" / "src" / "channel.rs").read_text(encoding="utf-8")
    said = [
        re.search(r"VERSION: u32 = (\d+)", text)[1] for text in (own, packaged_sources()["protocol/src/channel.rs"])
    ]

    assert said[0] == said[1]


def test_what_is_missing_is_said_with_the_way_to_get_it(tmp_path, monkeypatch):
    pytest.importorskip("wasmtime")
    monkeypatch.setenv(wasm.RUSTC, a_rustc(tmp_path, tmp_path / "lib"))
    assert "rustup target add wasm32-wasip1" in wasm.missing(WASM)

    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libstd-1.rlib").touch()
    assert wasm.missing(WASM) == ""

    monkeypatch.setenv(wasm.RUSTC, str(tmp_path / "none"))
    assert "does not know wasm32-wasip1" in wasm.missing(WASM)


def test_node_is_missing_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wasm.missing(WASM_NODE) == "node is not installed"


@pytest.mark.parametrize("via", WASMS)
def test_a_host_sees_one_folder(via, tmp_path):
    argv = wasm.host(via, tmp_path, 512)

    assert str(tmp_path) in argv
    assert ("512" in argv) == (via == WASM)
    assert any(Path(one).suffix in (".py", ".mjs") and Path(one).exists() for one in argv)


class Cargo:
    """Builds every batch but those of the modules that it rejects, and counts its calls."""

    def __init__(self, folder, rejected=""):
        self._made = folder / "made.wasm"
        self._made.write_bytes(b"wasm")
        self._rejected = rejected
        self.calls = []

    def __call__(self, build, packages, labels):
        self.calls.append(len(packages))
        run = CargoRun(code=0)
        for (crate, label), batch in zip(labels.items(), packages, strict=True):
            if label == self._rejected:
                run.code = 101
                run.errors.append((crate, RustError(code="E0308", message="mismatched types", rendered="", spots=())))
            else:
                run.executables[batch] = str(self._made)
        return run


@pytest.fixture
def building(tmp_path, monkeypatch):
    monkeypatch.setenv(wasm.RUSTC, a_rustc(tmp_path, tmp_path))

    def made(rejected=""):
        builder = wasm.WasmBuilder(Cache(tmp_path / "cache"), silent, Target(via=WASM))
        cargo = Cargo(tmp_path, rejected)
        monkeypatch.setattr(builder, "_cargo", cargo)
        return builder, cargo

    return made


def converted(folder, *names):
    for name in names:
        (folder / f"{name}.rs").write_text(f"// {name}")
    return [
        ConvertedModel(label=name, module=name, rust=folder / f"{name}.rs", weights=folder / "model.bpk", seconds=0.0)
        for name in names
    ]


def test_several_models_are_compiled_by_one_cargo(building, tmp_path):
    models = converted(tmp_path, "a", "b", "c")
    builder, cargo = building()

    builder.build(models)
    paths = [builder.module(model) for model in models]

    assert cargo.calls == [3]
    assert len(set(paths)) == 3
    assert all(path.read_bytes() == b"wasm" for path in paths)


def test_a_model_that_does_not_compile_keeps_no_other_from_it(building, tmp_path):
    models = converted(tmp_path, "a", "b")
    builder, cargo = building(rejected="a")

    builder.build(models)

    assert builder.module(models[1]).is_file()
    assert cargo.calls == [2]
    with pytest.raises(CompileError, match="mismatched types"):
        builder.module(models[0])
    assert cargo.calls == [2, 1]


def test_ways_to_load_a_model_are_one_program(building, tmp_path):
    (model,) = converted(tmp_path, "a")
    ways = [model, dataclasses.replace(model, module="a_bytes", load="bytes")]
    builder, cargo = building()

    builder.build([*ways, *converted(tmp_path, "b")])

    assert cargo.calls == [2]
    assert len({builder.module(one) for one in ways}) == 2


def test_one_model_is_compiled_when_it_is_asked_for(building, tmp_path):
    builder, cargo = building()

    builder.build(converted(tmp_path, "a"))

    assert cargo.calls == []
