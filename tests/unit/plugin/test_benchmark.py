"""What other plugins are asked for beside --latency is refused before anything is built, if it cannot be had."""

from types import SimpleNamespace

import pytest

from burn_verify.core.errors import UsageError
from burn_verify.plugin import benchmark


def config(**typed):
    return SimpleNamespace(getoption=lambda name, default=None: typed.get(name, default))


@pytest.fixture
def without_pygal(monkeypatch):
    monkeypatch.setattr(benchmark, "find_spec", lambda name: None)


@pytest.mark.usefixtures("without_pygal")
def test_a_histogram_that_nobody_can_draw():
    with pytest.raises(UsageError, match=r"pip install 'burn-verify\[benchmark\]'"):
        benchmark.require(config(benchmark_histogram="lat"))
    benchmark.require(config())


def test_workers_that_would_measure_one_another():
    with pytest.raises(UsageError, match="leave out -n"):
        benchmark.require(config(dist="load"))
    benchmark.require(config(dist="no", benchmark_histogram="lat"))
