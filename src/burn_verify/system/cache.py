"""The cache on disk: folders by name, and locks between runs.

Knows nothing about its content: each caller names a folder and a key.
"""

import contextlib
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import platformdirs
from filelock import FileLock, Timeout

from burn_verify.core.errors import ToolchainError
from burn_verify.system.files import read_json, write_json

GENERATIONS: Final = 3
"""How many states of code and libraries find again what they made, however long they were not used."""

_DAY: Final = 24 * 3600.0


class Cache:
    """The folder for results that are expensive to make.

    Arguments:
        root: None for the user's cache folder.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root or platformdirs.user_cache_path("burn-verify")

    def folder(self, *names: str) -> Path:
        """Return a folder of the cache, made if missing.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        path = self.root.joinpath(*names)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return path

    def generation(self, name: str, key: str) -> Path:
        """Return the folder of what one state of code and libraries makes, and delete those that are out of use.

        The last `GENERATIONS` that were asked for are kept, and all of the last day.

        Arguments:
            name: of the folder in which all states have theirs.
            key: digest of this state, see `burn_verify.system.made_by.MadeBy`.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        folder = self.folder(name, key)
        os.utime(folder)
        prune(folder.parent, keep=GENERATIONS, young=_DAY)
        return folder

    @contextlib.contextmanager
    def lock(self, name: str, on_wait: Callable[[str], None] = lambda text: None) -> Iterator[None]:
        """Hold a lock that other runs on this machine respect; `on_wait` is called once if it has to wait.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        lock = FileLock(self.folder("locks") / f"{name}.lock")
        # Beside the lock file, which whoever waits for it empties.
        holder = self.root / "locks" / f"{name}.json"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait(_waiting(name, read_json(holder)))
            lock.acquire()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            with contextlib.suppress(OSError):
                write_json(holder, {"process": os.getpid(), "command": _command(), "since": time.time()})
            yield
        finally:
            lock.release()

    def _unwritable(self, error: OSError) -> ToolchainError:
        return ToolchainError(
            f"the cache {self.root} cannot be written ({error.strerror}); choose another with --burn-cache-dir DIR"
        )


def _command() -> str:
    """Return what was typed, as far as a program knows it."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _waiting(name: str, holder: Any) -> str:
    """Return for what a run waits, and who holds it; the note of whoever held it before may still be there."""
    try:
        since = time.strftime("%H:%M:%S", time.localtime(holder["since"]))
        who = f"process {int(holder['process'])} since {since}: {holder['command']}"
    except (TypeError, KeyError, ValueError, OverflowError):
        who = "another run"
    return f"waiting for '{name}', held by {who}"


def prune(folder: Path, *, keep: int, young: float) -> None:
    """Delete all entries of a folder but the `keep` that changed last.

    Arguments:
        young: seconds for which every entry is kept, since it may belong to a run in progress.
    """
    entries = sorted(folder.iterdir(), key=_changed, reverse=True)
    for path in (entry for entry in entries[keep:] if _changed(entry) < time.time() - young):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _changed(path: Path) -> float:
    """Return when an entry changed (seconds since the epoch), 0 if it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
