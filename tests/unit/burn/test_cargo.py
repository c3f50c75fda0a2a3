"""cargo and rustc: missing, too old, or not what they claim to be."""

import pytest

from burn_verify.burn.cargo import INSTALL_RUST, require_rust, rustc_version
from burn_verify.cli.doctor import Grade, examine
from burn_verify.core.errors import ToolchainError
from burn_verify.core.options import Settings

RUSTC = "error: no default toolchain is set\nhelp: run 'rustup default stable'"


def install(folder, monkeypatch, **scripts):
    """Make the programs with these names the only ones on the machine."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_rustup_without_a_toolchain_is_told_in_its_words(tmp_path, monkeypatch):
    fails = f'echo "{RUSTC}" >&2; exit 1'
    install(tmp_path, monkeypatch, cargo=fails, rustc=fails)
    assert rustc_version() == ""
    with pytest.raises(ToolchainError) as caught:
        require_rust()
    assert str(caught.value) == f"rustc does not answer: error: no default toolchain is set: {INSTALL_RUST}"
    found = {check.name: check for check in examine(Settings(cache_dir=tmp_path / "cache", offline=True))}
    for name in ("cargo", "rustc"):
        assert found[name].grade is Grade.MISSING
        assert found[name].found == "it does not answer: error: no default toolchain is set"


def test_a_rustc_that_is_none_is_told_in_its_words(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, cargo="echo cargo 1.95.0", rustc="echo a wrapper")
    with pytest.raises(ToolchainError, match="rustc says 'a wrapper' instead of its version"):
        require_rust()
