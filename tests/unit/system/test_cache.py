"""The cache against a real disk, real processes and a real server, none of them further away than this machine."""

import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burn_verify.core.errors import LoadError, ToolchainError
from burn_verify.system import download
from burn_verify.system.cache import Cache, prune
from burn_verify.system.download import fetch, reachable
from burn_verify.system.files import copy_atomically, digest_of, read_json, sha256_of, write_if_changed, write_json

CONTENT = b"eight bits make a byte" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def left_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


@pytest.fixture
def closed() -> Iterator[socket.socket]:
    """A port that is taken, so that nobody else gets it, and refuses connections."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield server


def url_of(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}/file"


# ── downloads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_download_is_kept(hub: Any, tmp_path: Path) -> None:
    hub.files["some/file"] = CONTENT
    target = tmp_path / "new" / "folder" / "kept"
    assert fetch(f"{hub.url}some/file", SHA256, target) == target
    assert target.read_bytes() == CONTENT
    assert left_in(tmp_path) == [target]


def test_a_file_that_is_there_is_not_asked_for(hub: Any, tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.write_bytes(b"from before")
    assert fetch(f"{hub.url}file", SHA256, target) == target
    assert target.read_bytes() == b"from before"
    assert hub.asked == []


def test_a_wrong_hash_leaves_nothing_behind(hub: Any, tmp_path: Path) -> None:
    hub.files["file"] = CONTENT + b"!"
    with pytest.raises(LoadError, match=SHA256) as caught:
        fetch(f"{hub.url}file", SHA256, tmp_path / "kept")
    assert caught.value.reason == "wrong sha256"
    assert left_in(tmp_path) == []


def test_a_missing_file_names_the_url_and_the_way_out(hub: Any, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"404.*--zoo-mirror") as caught:
        fetch(f"{hub.url}nowhere", SHA256, tmp_path / "kept")
    assert caught.value.reason == "download failed"
    assert f"{hub.url}nowhere" in caught.value.message
    assert left_in(tmp_path) == []


def test_a_download_that_breaks_off_leaves_nothing_behind(hub: Any, tmp_path: Path) -> None:
    hub.files["file"] = CONTENT
    hub.cut.add("file")
    with pytest.raises(LoadError) as caught:
        fetch(f"{hub.url}file", SHA256, tmp_path / "kept")
    assert caught.value.reason == "download failed"
    assert left_in(tmp_path) == []


def test_a_refused_connection(closed: socket.socket, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="could not be downloaded") as caught:
        fetch(url_of(closed), SHA256, tmp_path / "kept")
    assert caught.value.reason == "download failed"
    assert left_in(tmp_path) == []


def test_a_server_that_never_answers(deaf: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "NETWORK_TIMEOUT", 0.1)
    with pytest.raises(LoadError, match="timed out") as caught:
        fetch(url_of(deaf), SHA256, tmp_path / "kept")
    assert caught.value.reason == "download failed"
    assert left_in(tmp_path) == []


def test_a_download_that_cannot_be_kept(hub: Any, tmp_path: Path) -> None:
    hub.files["file"] = CONTENT
    blocking = tmp_path / "regular"
    blocking.write_text("a file, not a folder")
    with pytest.raises(LoadError, match="could not be kept"):
        fetch(f"{hub.url}file", SHA256, blocking / "below" / "kept")
    assert hub.asked == []


def test_reachable(hub: Any, closed: socket.socket) -> None:
    assert reachable(hub.url)
    assert not reachable(url_of(closed))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── rooms and locks ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_room_is_made_below_the_root(cache: Cache) -> None:
    assert cache.folder("a", "b").is_dir()
    assert cache.folder("a", "b") == cache.root / "a" / "b"


def test_a_cache_that_cannot_be_made(tmp_path: Path) -> None:
    blocking = tmp_path / "regular"
    blocking.write_text("a file, not a folder")
    below = Cache(blocking / "below")
    with pytest.raises(ToolchainError, match="--burn-cache-dir"):
        below.folder("logs")
    with pytest.raises(ToolchainError, match="--burn-cache-dir"), below.lock("any"):
        pass


def test_a_lock_that_cannot_be_made(cache: Cache) -> None:
    (cache.folder("locks") / "any.lock").mkdir()
    with pytest.raises(ToolchainError, match="--burn-cache-dir"), cache.lock("any"):
        pass


def test_an_error_inside_a_lock_is_passed_on_and_the_lock_released(cache: Cache) -> None:
    with pytest.raises(FileNotFoundError), cache.lock("any"):
        (cache.root / "missing").read_bytes()
    told: list[str] = []
    with cache.lock("any", told.append):
        assert told == []


def test_a_lock_shuts_out_other_processes(cache: Cache, tmp_path: Path) -> None:
    # The other process marks the end of its turn before it lets go, and lets go when its stdin ends.
    mark = tmp_path / "done"
    script = (
        "import sys, pathlib; from burn_verify.system.cache import Cache\n"
        f"with Cache(pathlib.Path({str(cache.root)!r})).lock('shared'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
        f"    pathlib.Path({str(mark)!r}).touch()\n"
    )
    told: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        release = other.stdin.close

        def on_wait(text: str) -> None:
            told.append(text)
            assert not mark.exists()
            release()

        try:
            assert other.stdout.readline() == "held\n"
            with cache.lock("another"):
                pass
            with cache.lock("shared", on_wait):
                assert mark.exists()
        finally:
            release()
    assert other.returncode == 0
    (said,) = told
    assert re.fullmatch(rf"waiting for 'shared', held by process {other.pid} since \d\d:\d\d:\d\d: -c", said)


def test_only_what_is_old_and_beyond_the_newest_is_forgotten(tmp_path: Path) -> None:
    now = time.time()
    for name, age in (("young", 10), ("new", 5000), ("old", 6000), ("older", 7000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inside").write_text("")
        os.utime(tmp_path / name, (now - age, now - age))
    (tmp_path / "file").write_text("")
    os.utime(tmp_path / "file", (now - 8000, now - 8000))
    prune(tmp_path, keep=0, young=9000)
    assert len(list(tmp_path.iterdir())) == 5
    prune(tmp_path, keep=2, young=100)
    assert {path.name for path in tmp_path.iterdir()} == {"young", "new"}
    prune(tmp_path, keep=0, young=100)
    assert [path.name for path in tmp_path.iterdir()] == ["young"]
