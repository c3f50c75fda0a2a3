"""Files against a real disk: written whole, only where they change, and digests of them."""

import hashlib
import os
from pathlib import Path

import pytest

from burn_verify.system.files import (
    copy_atomically,
    delete,
    digest_of,
    read_json,
    sha256_of,
    write_if_changed,
    write_json,
)

CONTENT = b"eight bits make a byte" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def left_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_unchanged_file_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    assert write_if_changed(path, "text")
    os.utime(path, ns=(1_000, 1_000))
    assert not write_if_changed(path, b"text")
    assert path.stat().st_mtime_ns == 1_000
    assert write_if_changed(path, "other text")
    assert path.stat().st_mtime_ns != 1_000
    assert path.read_text() == "other text"
    assert left_in(tmp_path) == [path]


def test_a_written_file_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_if_changed(path, "text")
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1} 2', b"\xff\xfe", b"nonsense"])
def test_broken_json_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert read_json(path) is None


def test_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    write_json(path, {"b": [1, None], "a": "ü"})
    assert read_json(path) == {"a": "ü", "b": [1, None]}
    assert read_json(tmp_path / "missing.json") is None
    assert read_json(tmp_path) is None


def test_a_copy_keeps_its_mode(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    source.chmod(0o755)
    target = tmp_path / "new" / "target"
    copy_atomically(source, target)
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o755
    assert left_in(tmp_path / "new") == [target]


def test_digests(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    assert sha256_of(path) == SHA256
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("a", "") != digest_of("a")
    assert digest_of("ä") == digest_of("ä".encode())


def test_a_link_is_deleted_and_not_what_it_leads_to(tmp_path: Path) -> None:
    write_if_changed(tmp_path / "folder" / "file", "text")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    delete(tmp_path / "link")
    assert left_in(tmp_path) == [tmp_path / "folder" / "file"]
    delete(tmp_path / "folder")
    delete(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
