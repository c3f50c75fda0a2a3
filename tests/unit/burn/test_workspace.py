"""Burn is compiled, and cargo's registry was emptied since: what is built next fetches the sources again."""

import json

import pytest

from burn_verify.burn.workspace import Toolchain
from burn_verify.core.progress import Progress, silent
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache

ARTIFACT = {
    "reason": "compiler-artifact",
    "target": {"name": "batch"},
    "filenames": ["/t/libbatch-0123456789abcdef.rlib"],
}
REFUSED = {
    "reason": "compiler-message",
    "target": {"name": "batch"},
    "message": {"level": "error", "message": "mismatched types", "rendered": "error: mismatched types", "spans": []},
}
GONE = "echo 'error: no matching package named `burn-onnx` found' >&2; exit 101"


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return a function that builds with a cargo of these words, and returns the run, its calls and what was told."""

    def build(offline, online):
        calls = tmp_path / "calls"
        script = f'echo "$*" >> "{calls}"\ncase "$*" in *--offline*) {offline};; *) {online};; esac\n'
        for name, text in {"cargo": script, "rustc": "echo rustc 1.95.0"}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        told: list[Progress] = []
        toolchain = Toolchain(Cache(tmp_path / "cache"), told.append, Target())
        toolchain.write({}, ())
        run = toolchain.cargo("batch", {"batch": "a batch"})
        return run, calls.read_text().splitlines(), [one.text for one in told]

    return build


def says(message):
    return f"echo '{json.dumps(message)}'"


def test_sources_that_are_gone_are_fetched_again(built):
    run, calls, told = built(GONE, says(ARTIFACT))
    assert (run.code, run.artifacts) == (0, {"batch"})
    assert ["--offline" in call for call in calls] == [True, False]
    assert any(text.startswith("fetching the sources of ") and text.endswith(" again") for text in told)


def test_sources_that_cannot_be_fetched_keep_cargos_words(built):
    run, calls, _ = built(GONE, "echo 'error: failed to get `burn`' >&2; exit 101")
    assert run.gave_up
    assert len(calls) == 2


@pytest.mark.parametrize(
    "offline",
    [says(ARTIFACT), f"{says(REFUSED)}; exit 101", f"{says(ARTIFACT)}; exit 101"],
    ids=["built", "refused", "the rest was killed"],
)
def test_nothing_is_fetched_where_cargo_had_the_sources(built, offline):
    _, calls, told = built(offline, "exit 1")
    assert len(calls) == 1
    assert told == []


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("kill -TERM $$", "cargo: it was ended by SIGTERM"),
        ("echo 'error: disk full' >&2; exit 101", "error: disk full"),
        ("exit 101", "cargo said nothing"),
    ],
)
def test_how_cargo_ended_is_told(built, tmp_path, end, said):
    says_first = "echo '   Compiling syn' >&2; " if "kill" in end else ""
    run, calls, _ = built(f"{says_first}{end}", f"{says_first}{end}")
    assert len(calls) == (1 if run.code < 0 else 2), "a signal says nothing of sources"
    toolchain = Toolchain(Cache(tmp_path / "cache"), silent, Target())
    message = str(toolchain.workspace.failure("it could not be built", run.code))
    assert message == f"it could not be built: {said} (whole log: {toolchain.workspace.log})"
