"""The command ``burn-verify gc``, as typed: it tells, and deletes only what it was told to, and only with --yes."""

import pytest

from burn_verify.burn.disk import Kind, Usage
from burn_verify.cli import gc as command
from burn_verify.cli import main

MIB = 2**20


@pytest.fixture
def gc(tmp_path, monkeypatch, capsys):
    """Run the command on a disk of three parts; return exit code, output, errors and what was deleted."""

    def usage(kind, name, folder, own, shared=0):
        return Usage(kind=kind, name=name, folder=tmp_path / folder, own=own * MIB, shared=shared * MIB, used=1e9)

    parts = (
        usage(Kind.TARGET, "Burn 0.22.1 for flex", "burn-0.22.1/flex", 40, 1024),
        usage(Kind.TARGET, "Burn 0.22.1 for flex and wgpu", "burn-0.22.1/flex-wgpu", 900, 1024),
        usage(Kind.TARGET, "Burn 0.22.10 for flex", "burn-0.22.10/flex", 7),
        usage(Kind.LEFTOVERS, "what nothing needs any more of Burn 0.22.1", "burn-0.22.1", 2048),
    )

    def gc(*arguments, there=parts):
        deleted = []
        monkeypatch.setattr(command.disk, "usages", lambda cache: there)
        monkeypatch.setattr(command.disk, "free", lambda cache, usage: deleted.append(usage.name) or usage.own)
        with pytest.raises(SystemExit) as ended:
            main(["gc", "--burn-cache-dir", str(tmp_path), *arguments])
        return ended.value.code, *capsys.readouterr(), deleted

    return gc


def test_alone_it_only_tells(gc):
    code, said, _, deleted = gc()

    assert (code, deleted) == (0, [])
    lines = said.splitlines()
    assert lines[0].split() == ["what", "kind", "frees", "shared", "last", "used", "where"]
    # What frees most comes first.
    assert "leftovers" in lines[2]
    assert "2.00 GiB" in lines[2]
    assert "0.88 GiB" in lines[3]
    assert lines[3].endswith("burn-0.22.1/flex-wgpu")
    assert lines[-1].startswith("2.92 GiB and what is shared in ")


def test_nothing_is_deleted_without_yes(gc):
    code, said, _, deleted = gc("leftovers")

    assert (code, deleted) == (0, [])
    assert said.splitlines()[-1] == "nothing was deleted: say --yes to delete these"
    assert "flex" not in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["leftovers"], ["what nothing needs any more of Burn 0.22.1"]),
        (["wgpu"], ["Burn 0.22.1 for flex and wgpu"]),
        (["0.22.10"], ["Burn 0.22.10 for flex"]),
        (["Burn 0.22.1 for flex"], ["Burn 0.22.1 for flex"]),
        (["--keep", "0.22.1"], ["Burn 0.22.10 for flex"]),
        (["--keep", "flex", "leftovers"], []),
        (["checkout"], []),
    ],
)
def test_what_is_named_is_deleted(gc, arguments, expected):
    code, said, _, deleted = gc(*arguments, "--yes")

    assert (code, deleted) == (0, expected)
    assert said.splitlines()[-1].startswith("freed " if expected else "nothing to delete")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "nothing is called 'nothing'; there is Burn 0.22.1 for flex, Burn 0.22.1 for flex and wgpu, "),
        (["leftovers", "--keep", "flex"], "names to delete and --keep exclude each other"),
    ],
)
def test_what_cannot_be_meant_is_one_line(gc, arguments, said):
    code, _, problems, deleted = gc(*arguments, "--yes")

    assert (code, deleted) == (4, [])
    assert problems.splitlines()[-1].startswith(f"burn-verify: error: {said}")


def test_an_empty_cache_is_said(gc):
    assert gc(there=())[1].endswith("holds nothing of Burn\n")
