"""The cache on disk: folders by content, locks between runs, verified downloads; the only module on the network.

Knows nothing of what is kept: each user of the cache names a room and a key.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

from burn_verify.errors import LoadError, ToolchainError

NETWORK_TIMEOUT = 5.0
"""Seconds after which a run stops waiting for the model hub."""


class Cache:
    """A folder in which everything that is expensive is kept.

    Arguments:
        root: None for the user's cache folder.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root or platformdirs.user_cache_path("burn-verify")

    def room(self, *names: str) -> Path:
        """Return a folder of the cache, made if missing.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        folder = self.root.joinpath(*names)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return folder

    @contextlib.contextmanager
    def lock(self, name: str, on_wait: Callable[[str], None] = lambda text: None) -> Iterator[None]:
        """Hold a lock that other runs on this machine respect; `on_wait` is told once when it is not free.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        lock = FileLock(self.room("locks") / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait(f"waiting for another run that holds the lock '{name}'")
            lock.acquire()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def _unwritable(self, error: OSError) -> ToolchainError:
        return ToolchainError(
            f"the cache {self.root} cannot be written ({error.strerror}); choose another with --burn-cache-dir DIR"
        )


def digest_of(*parts: str | bytes) -> str:
    """Return the sha256 (hex) over parts of text or bytes; where one part ends and the next begins matters."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the sha256 (hex) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file unless it holds this content already; return whether it was written.

    Cargo decides by modification times what to compile again, so an unneeded write costs minutes. The file appears
    whole or not at all.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        file.write(data)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    return True


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_if_changed(path, json.dumps(value, indent=1, sort_keys=True))


def read_json(path: Path) -> Any | None:
    """Return the value of a JSON file, None where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def copy_atomically(source: Path, target: Path) -> None:
    """Copy a file so that the target appears whole or not at all; its mode is kept."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(source, scratch)
    scratch.replace(target)


def reachable(url: str) -> bool:
    """Return whether anything answers at a URL within `NETWORK_TIMEOUT` seconds, looking up its name included."""
    answers: list[int] = []
    asking = threading.Thread(target=_ask, args=(url, answers), daemon=True)
    asking.start()
    asking.join(NETWORK_TIMEOUT)
    return bool(answers)


def prune(room: Path, *, keep: int, young: float) -> None:
    """Forget all but the entries of a room that changed last.

    Arguments:
        young: seconds for which an entry is kept in any case, as it may belong to a run that is going on.
    """
    entries = sorted(room.iterdir(), key=_changed, reverse=True)
    for path in (entry for entry in entries[keep:] if _changed(entry) < time.time() - young):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _changed(path: Path) -> float:
    """Return when (seconds since the epoch) an entry changed; one that is gone did so long ago."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _ask(url: str, answers: list[int]) -> None:
    import requests

    with contextlib.suppress(requests.RequestException):
        answers.append(requests.head(url, timeout=NETWORK_TIMEOUT).status_code)


def fetch(url: str, sha256: str, target: Path) -> Path:
    """Download a file to `target` unless it is there, with a progress bar; a wrong hash leaves nothing behind.

    Raises:
        LoadError: the download failed, or is not what the catalogue says.
    """
    if target.is_file():
        return target
    # Slow to import, and most runs download nothing.
    import pooch
    import requests

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as answers:

            def remember(answer: requests.Response, *_: Any, **__: Any) -> None:
                # pooch leaves the connection of a download that breaks off to the garbage collector.
                answers.callback(answer.close)

            pooch.retrieve(
                url,
                known_hash=f"sha256:{sha256}",
                fname=target.name,
                path=target.parent,
                downloader=pooch.HTTPDownloader(
                    progressbar=True, timeout=NETWORK_TIMEOUT, hooks={"response": remember}
                ),
            )
    except requests.RequestException as error:
        message = f"{url} could not be downloaded: {error}; put the file into a folder and use --zoo-mirror DIR"
        raise LoadError(message, "download failed") from error
    except OSError as error:
        message = f"{url} could not be kept as {target}: {error.strerror or error}"
        raise LoadError(message, "download failed") from error
    except ValueError as error:
        message = f"{url} is not the file it should be (sha256 {sha256} expected); nothing was kept: {error}"
        raise LoadError(message, "wrong sha256") from error
    return target
