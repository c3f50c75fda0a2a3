"""The cache against a real disk and real processes: folders, locks, and what is out of use."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from burn_verify.core.errors import ToolchainError
from burn_verify.system.cache import GENERATIONS, Cache, prune
from holding import held


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


def test_a_lock_shuts_out_other_processes(cache: Cache) -> None:
    told: list[str] = []
    with held(cache, "shared") as other:

        def on_wait(text: str) -> None:
            told.append(text)
            assert not other.mark.exists()
            other.release()

        with cache.lock("another"), cache.lock_if_free("a third") as free:
            assert free
        with cache.lock_if_free("shared") as free:
            assert not free
        with cache.lock("shared", on_wait):
            assert other.mark.exists()
        with cache.lock_if_free("shared") as free:
            assert free
    (said,) = told
    assert re.fullmatch(rf"waiting for 'shared', held by process {other.pid} since \d\d:\d\d:\d\d: -c", said)


def test_a_scratch_folder_is_gone_afterwards_and_so_are_those_of_processes_that_were_killed(cache: Cache) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left, strange = cache.folder("linking", f"{ended.pid}-abc"), cache.folder("linking", "notes-of-a-user")
    assert cache.abandoned("linking") == [left]
    with cache.scratch("linking") as mine, cache.scratch("linking") as another:
        assert mine != another
        assert set((cache.root / "linking").iterdir()) == {mine, another, strange}
        assert cache.abandoned("linking") == []
    assert list((cache.root / "linking").iterdir()) == [strange]


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


def test_states_of_the_code_that_are_out_of_use_are_deleted(cache):
    folders = [cache.generation("made", f"{place}") for place in range(GENERATIONS + 3)]
    assert all(folder.is_dir() for folder in folders), "all of them were used today"
    (cache.root / "made" / "a file of an older layout").touch()
    week = time.time() - 7 * 24 * 3600
    for age, path in enumerate((cache.root / "made").iterdir()):
        os.utime(path, (week + age, week + age))
    # What is used again is young again.
    assert cache.generation("made", "0") == folders[0]
    assert folders[0].is_dir()
    assert len(list((cache.root / "made").iterdir())) == GENERATIONS
