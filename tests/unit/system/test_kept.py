"""Files that are kept: damage of any kind is found, and costs nothing where there is none."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from burn_verify.system.kept import damaged, extend, is_kept, keep, seal, sealed

CONTENT = bytes(range(256)) * 4


def flip(path: Path) -> None:
    """Change one bit in the middle; size and time of the last write stay what they were."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


DAMAGE = [flip, truncate, empty, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("which", ["answers.safetensors", "answers.safetensors.json"])
def test_a_damaged_file_is_as_good_as_missing(tmp_path: Path, damage: Callable[[Path], None], which: str) -> None:
    path = tmp_path / "answers.safetensors"
    keep(path, CONTENT)
    assert is_kept(path)
    damage(tmp_path / which)
    assert not is_kept(path)
    keep(path, CONTENT)
    assert is_kept(path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("damage", DAMAGE)
def test_one_of_several_files(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    files = [tmp_path / "inner" / name for name in ("model.rs", "model.bpk")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(CONTENT)
    seal(tmp_path / "note.json", files, seconds=0.5)
    assert (said := sealed(tmp_path / "note.json")) is not None
    assert said["seconds"] == 0.5
    damage(files[1])
    assert sealed(tmp_path / "note.json") is None


def test_what_a_note_says_is_guarded_as_well(tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    seal(note, [], errors={"m_1": "mismatched types"})
    note.write_text(note.read_text().replace("mismatched", "mismatchee"))
    assert sealed(note) is None


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"files": {}}', '{"sha256": "0", "files": 1}', "\ufffd"])
def test_what_is_no_seal(tmp_path: Path, text: str) -> None:
    (tmp_path / "note.json").write_text(text, encoding="utf-8")
    assert sealed(tmp_path / "note.json") is None


def test_a_copied_cache_is_as_good_and_is_looked_at_once(tmp_path: Path) -> None:
    path, note = tmp_path / "kept", tmp_path / "kept.json"
    keep(path, CONTENT)
    first = note.read_bytes()
    assert is_kept(path)
    assert note.read_bytes() == first
    os.utime(path, ns=(1, 1))
    assert is_kept(path)
    second = note.read_bytes()
    assert second != first
    assert is_kept(path)
    assert note.read_bytes() == second


def test_a_seal_moves_with_its_folder(tmp_path: Path) -> None:
    scratch, final = tmp_path / "scratch", tmp_path / "final"
    scratch.mkdir()
    (scratch / "0000.onnx").write_bytes(CONTENT)
    seal(scratch / "note.json", [scratch / "0000.onnx"])
    scratch.replace(final)
    assert json.loads((final / "note.json").read_text())["files"].keys() == {"0000.onnx"}
    assert sealed(final / "note.json") is not None


def test_a_seal_is_extended_without_reading_what_is_in_it(tmp_path):
    note, old, new = tmp_path / "note.json", tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"1")
    new.write_bytes(b"2")
    extend(note, [old])
    before = json.loads(note.read_text())["files"]["old"]
    extend(note, [old, new])
    files = json.loads(note.read_text())["files"]
    assert files["old"] == before
    assert files.keys() == {"old", "new"}
    assert damaged(note) == []
    extend(note, [new])
    assert json.loads(note.read_text())["files"].keys() == {"new"}


@pytest.mark.parametrize("content", [b"3", b"", b"longer", None], ids=["flipped", "cut", "longer", "gone"])
def test_damaged_files_are_named_until_they_are_noted_again(tmp_path, content):
    note, good, bad = tmp_path / "note.json", tmp_path / "good", tmp_path / "bad"
    for path in (good, bad):
        path.write_bytes(b"1")
    extend(note, [good, bad])
    bad.unlink()
    if content is not None:
        bad.write_bytes(content)
    os.utime(good)
    assert damaged(note) == damaged(note) == [bad]
    bad.write_bytes(b"2")
    extend(note, [good, bad])
    assert damaged(note) == []


def test_a_seal_that_cannot_be_read_says_nothing(tmp_path):
    note = tmp_path / "note.json"
    assert damaged(note) == []
    note.write_text("{")
    assert damaged(note) == []
    extend(note, [])
    assert sealed(note) is not None
