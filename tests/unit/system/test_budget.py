"""What leaves a cache that is too large: what was used longest ago, never what a run needs that goes on."""

import os
import time

import pytest

from burn_verify.system import budget
from burn_verify.system.cache import Cache
from burn_verify.system.kept import is_kept, keep

HOUR = 3600.0


@pytest.fixture
def cache(tmp_path):
    """Make five entries of some 1,000 bytes, used one hour ago to five hours ago."""
    for hours, name in enumerate(
        ["reference/0/a", "measured/0/b", "converted/c/file", "reference/0/d", "zoo/e/file"], 1
    ):
        path = tmp_path / f"{name}.safetensors"
        keep(path, b"x" * 1000)
        for one in (*path.parent.glob(f"{path.name}*"), path.parent):
            os.utime(one, (time.time() - hours * HOUR,) * 2)
    return Cache(tmp_path)


def left(cache):
    return {folder for folder in budget.KEPT for _ in budget.entries(cache, folder)}


def sizes(cache):
    return sorted(entry.size for folder in budget.KEPT for entry in budget.entries(cache, folder))


def test_nothing_goes_within_the_budget(cache):
    before = sizes(cache)
    assert len(before) == 5
    assert all(1000 < size < 1500 for size in before), "a seal belongs to its file"
    assert budget.trim(cache, sum(before)) == 0
    assert sizes(cache) == before


def test_what_was_used_longest_ago_goes_first_and_downloads_stay(cache):
    total = sum(sizes(cache))
    assert budget.trim(cache, total - 1) > 1000
    assert len(budget.entries(cache, "reference")) == 1
    assert is_kept(cache.root / "reference" / "0" / "a.safetensors")
    budget.trim(cache, 0)
    assert left(cache) == {"zoo"}


def test_what_was_asked_for_is_used(cache):
    assert is_kept(cache.root / "reference" / "0" / "d.safetensors")
    budget.trim(cache, sum(sizes(cache)) - 1)
    assert left(cache) == {"reference", "measured", "zoo"}
    assert len(budget.entries(cache, "reference")) == 2


def test_nothing_goes_that_a_run_needs(cache):
    began = time.localtime(time.time() - 2.5 * HOUR)
    cache.folder("runs", f"{time.strftime('%Y%m%d-%H%M%S', began)}-{os.getpid()}")
    budget.trim(cache, 0)
    assert left(cache) == {"reference", "measured", "zoo"}
    assert len(budget.entries(cache, "reference")) == 1
