"""The cache on disk: folders by name, and locks between runs.

Independent of its content: each caller passes the name of a folder and a key.
"""

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

import platformdirs
from filelock import FileLock, Timeout

from burn_verify.core.errors import ToolchainError
from burn_verify.system.files import read_json, write_json

GENERATIONS: Final = 3
"""Number of states of code and libraries whose folders are kept, regardless of their age."""

_DAY: Final = 24 * 3600.0


class Cache:
    """The folder for results that are expensive to make.

    Arguments:
        root: None for the user's cache folder.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root or platformdirs.user_cache_path("burn-verify")

    def folder(self, *names: str) -> Path:
        """Return a folder of the cache; create it if missing.

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
        """Return the folder for results of one state of code and libraries, and delete folders of unused states.

        The `GENERATIONS` most recently used folders are kept, and all folders of the last day.

        Arguments:
            name: name of the folder that contains the folders of all states.
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
        """Hold a lock between runs on this machine; call `on_wait` once if the lock is not free.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        with self.lock_if_free(name) as held:
            if held:
                yield
                return
        on_wait(_waiting(name, read_json(self._holder(name))))
        with self._locked(name, timeout=-1):
            yield

    @contextlib.contextmanager
    def lock_if_free(self, name: str) -> Iterator[bool]:
        """Hold a lock as `lock` does, and yield True; yield False at once if it is not free.

        Raises:
            ToolchainError: the cache cannot be written.
        """
        with self._locked(name, timeout=0) as held:
            yield held

    @contextlib.contextmanager
    def _locked(self, name: str, timeout: float) -> Iterator[bool]:
        lock = FileLock(self.folder("locks") / f"{name}.lock")
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            with contextlib.suppress(OSError):
                note = {"process": os.getpid(), "command": _command(), "since": time.time()}
                write_json(self._holder(name), note)
            yield True
        finally:
            lock.release()

    def _holder(self, name: str) -> Path:
        """Return the note on who holds a lock: in a separate file, since who waits truncates the lock file."""
        return self.root / "locks" / f"{name}.json"

    @contextlib.contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """Yield an empty folder for one use, deleted afterwards; also delete those of processes that were killed.

        Arguments:
            name: name of the folder that contains the folders of all uses.
        """
        for path in self.abandoned(name):
            shutil.rmtree(path, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self.folder(name)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def abandoned(self, name: str) -> list[Path]:
        """Return the folders of `scratch` whose process has ended."""
        owners = {path: path.name.partition("-")[0] for path in (self.root / name).glob("*-*")}
        return [path for path, pid in owners.items() if pid.isdecimal() and not is_alive(int(pid))]

    def _unwritable(self, error: OSError) -> ToolchainError:
        return ToolchainError(
            f"the cache {self.root} cannot be written ({error.strerror}); choose another with --burn-cache-dir DIR"
        )


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine is running."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


class _Scratch(Cache):
    """A cache some of whose folders are elsewhere."""

    def __init__(self, cache: Cache, names: Collection[str], place: Path) -> None:
        super().__init__(cache.root)
        self._cache = cache
        self._names = names
        self._place = place

    def folder(self, *names: str) -> Path:
        """Return a folder, see `Cache.folder`."""
        if names[0] not in self._names:
            return self._cache.folder(*names)
        path = self._place.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path


@contextlib.contextmanager
def scratch(cache: Cache, *names: str) -> Iterator[Cache]:
    """Return a cache with some of its folders in temporary storage, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as place:
        yield _Scratch(cache, frozenset(names), Path(place))


def _command() -> str:
    """Return the command line, as far as it is available to the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _waiting(name: str, holder: Any) -> str:
    """Return which lock a run waits for, and its holder; the note may still be that of an earlier holder."""
    try:
        since = time.strftime("%H:%M:%S", time.localtime(holder["since"]))
        who = f"process {int(holder['process'])} since {since}: {holder['command']}"
    except (TypeError, KeyError, ValueError, OverflowError):
        who = "another run"
    return f"waiting for '{name}', held by {who}"


def prune(folder: Path, *, keep: int, young: float) -> None:
    """Delete all entries of a folder except the `keep` most recently changed.

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
