"""Latency of a case: the release build is timed only if its outputs are judged no worse than those of the first build.

Decides neither the procedure of timing (`stopwatch`) nor agreement (`judge`).
"""

from dataclasses import replace

from burn_verify.burn.program import Release
from burn_verify.core.latency import Latency
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.judge.policy import Judge
from burn_verify.reference import measure, oracle
from burn_verify.run.compare import verdict_on
from burn_verify.run.latency.stopwatch import Stopwatch
from burn_verify.run.steps import Ready
from burn_verify.system.wire import Array


def measured(
    ready: Ready,
    release: Release,
    stopwatch: Stopwatch,
    judge: Judge,
    *,
    fails: bool,
) -> Latency:
    """Judge the release build on the first data set, and time it on the same data set.

    Arguments:
        fails: whether the build in the profile *correctness* failed; the release build is timed nevertheless, and
            reported with its verdict.
    """
    data_set, data = next(iter(oracle.read(ready.reference).data_sets.items()))
    measures = measure.read_measures(ready.reference).data_sets[data_set]

    def refuse(outputs: list[Array]) -> str:
        verdict = verdict_on(ready.prepared, data_set, data, measures, outputs, judge)
        return "" if verdict.passes or fails else verdict.message

    return stopwatch.measure(ready.built, release, data_set=data_set, inputs=data.inputs, refuse=refuse)


def within_budget(result: CaseResult, budget: float | None) -> CaseResult:
    """Fail a result whose compilation by rustc exceeded the budget; leave a failed result unchanged."""
    latency = result.latency
    if budget is None or latency is None or latency.cost.rustc <= budget or result.outcome is not Outcome.PASSED:
        return result
    message = f"rustc took {latency.cost.rustc:.1f} s for the generated code, --compile-budget allows {budget:g} s"
    reason = "over the compile budget"
    failed = replace(result, stage=Stage.COMPILE, outcome=Outcome.FAILED, failure=FailureKind.BUDGET)
    return replace(failed, message=message, reason=reason)
