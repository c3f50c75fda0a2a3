"""pytest-benchmark: its fixture gets the calls that were timed in the run, as if it had timed them.

So its options for saving, comparing and plotting work. Times nothing; pytest-benchmark is optional.
"""

from importlib.util import find_spec
from typing import Any, Final

import pytest

from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult

PLUGIN: Final = "benchmark"
"""Name under which pytest knows pytest-benchmark, and of its fixture and marker."""


class Replay:
    """A clock that replays measured calls: zero at the start of a call, its duration at the end."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the time, in seconds."""
        return self._now

    def into(self, benchmark: Any, result: CaseResult) -> None:
        """Hand the calls of a result to the fixture, with the other times and costs as extra_info."""
        latency = result.latency
        if latency is None or latency.burn is None:
            return
        calls = iter([call / 1e9 for start in latency.burn.starts_ns for block in start for call in block])
        count = latency.burn.steady.calls

        def start() -> None:
            self._now = 0.0

        def finish() -> None:
            self._now = next(calls)

        benchmark.extra_info |= {
            "case": result.case_id,
            "verdict": result.verdict,
            "outcome": str(result.outcome),
            "profile": latency.profile,
            "threads": latency.threads,
            "load_seconds": latency.burn.load,
            "first_call_seconds": latency.burn.first,
        }
        if latency.onnxruntime is not None and latency.ratio is not None:
            ratio = latency.ratio
            benchmark.extra_info |= {
                "onnxruntime_median": latency.onnxruntime.steady.median,
                "ratio": ratio.value,
                "ratio_interval": [ratio.low, ratio.high],
                "ratio_too_noisy": ratio.noisy,
            }
        benchmark.pedantic(finish, setup=start, rounds=count, iterations=1)


_CLOCK: Final = pytest.StashKey[Replay]()


def require(config: pytest.Config) -> None:
    """Check that other plugins do not prevent timing, and that pytest-benchmark can plot.

    Raises:
        UsageError: they do, or it cannot; pytest-benchmark itself would report this only after the last test.
    """
    if config.getoption("dist", "no") != "no":
        message = "--latency needs the machine for itself: leave out -n"
        raise UsageError(message)
    if config.getoption("benchmark_histogram", None) and not all(map(find_spec, ("pygal", "pygaljs"))):
        message = "--benchmark-histogram needs pygal: pip install 'burn-verify[benchmark]'"
        raise UsageError(message)


def prepare(item: pytest.Item) -> None:
    """Set the clock of the test's fixture to the replayed calls."""
    if item.config.pluginmanager.hasplugin(PLUGIN):
        item.stash[_CLOCK] = clock = Replay()
        item.add_marker(pytest.mark.benchmark(timer=clock))
        # --benchmark-only and --benchmark-skip select by names of fixtures. A case that fails does not use it.
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used at all"))
        if isinstance(item, pytest.Function) and PLUGIN not in item.fixturenames:
            item.fixturenames.append(PLUGIN)


def hand_over(request: pytest.FixtureRequest, result: CaseResult) -> None:
    """Give the calls of a result to pytest-benchmark, if it is installed and calls were timed."""
    clock = request.node.stash.get(_CLOCK, None)
    if clock is not None and result.latency is not None and result.latency.burn is not None:
        clock.into(request.getfixturevalue(PLUGIN), result)
