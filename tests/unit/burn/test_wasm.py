"""The workspace for WebAssembly, what a machine lacks for it, and the programs that run it; nothing is compiled."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from burn_verify.burn import wasm
from burn_verify.burn.recipe import packaged_sources
from burn_verify.core.target import WASM, WASM_NODE, WASMS
from burn_verify.core.versions import VERSIONS


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
