"""Downloads from a real server, none of them further away than this machine."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burn_verify.core.errors import LoadError
from burn_verify.system import download
from burn_verify.system.download import fetch, reachable

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
