"""The committed table of latencies is what the committed records say, and covers what it claims to."""

from pathlib import Path

import latency_report
from burn_verify.record import store

ROOT = Path(__file__).parents[3]


def test_the_table_is_not_stale():
    assert latency_report.main(["--check"]) == 0, "run: python tools/latency_report.py"


def test_every_model_that_compiled_was_timed_at_one_and_at_two_threads():
    for threads in (1, 2):
        results = store.read(ROOT / "reports" / f"latency-{threads}.jsonl").results
        timed = [result for result in results if result.latency is not None]
        assert {result.latency.threads for result in timed} == {threads}
        assert {result.latency.profile for result in timed} == {"latency"}
        assert all(result.latency.burn and result.latency.onnxruntime for result in timed)
        assert len(timed) == sum(result.verdict is not None for result in results) >= 20
