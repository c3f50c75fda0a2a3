"""The content of reports on several targets, and the sentence and the counts at their top.

Pure; text and counts only, laid out by `matrix`, `junit` and `page`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.cases.reproduce import reproduce_recorded
from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Stage
from burn_verify.report.summary.changes import Comparison
from burn_verify.report.summary.columns import Column, Matrix
from burn_verify.report.summary.ends import is_model, without_folders
from burn_verify.report.summary.lifted import Lifted, LiftedCase
from burn_verify.report.summary.sizes import told
from burn_verify.report.summary.states import WRONG, state_of
from burn_verify.report.summary.tiers import tier_counts, tier_of, tiers_sentence
from burn_verify.report.summary.totals import summary
from burn_verify.report.summary.trails import Trails


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run that was kept, of one target.

    Attributes:
        name: of its file, without suffix.
        agree, total: cases.
    """

    name: str
    label: str
    agree: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The content of a report.

    Attributes:
        expected: for each column, case id → why its failure is expected.
        comparisons: with the previous run, by target; empty where there is none.
        past: earlier runs, the oldest first.
        between: targets of this run that are neighbours.
        lifted: what `prepare` makes of failing cases; None where it is not known.
        trails: for each column, how its cases ended in earlier runs; empty where no run was kept.
    """

    matrix: Matrix
    expected: tuple[Mapping[str, str], ...]
    comparisons: tuple[Comparison, ...] = ()
    past: tuple[PastRun, ...] = ()
    between: tuple[Comparison, ...] = ()
    lifted: Lifted | None = None
    trails: tuple[Trails, ...] = ()

    def prepared_on(self, column: Column) -> Mapping[str, LiftedCase]:
        """Return the cases that `prepare` was tried on for the target of a column, by id."""
        known = self.lifted is not None and self.lifted.is_of(column.target)
        return self.lifted.by_case if self.lifted is not None and known else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts on top of a report. `total` includes what is missing.

    Attributes:
        wrong: answers that are not the expected ones.
        refused: by burn-onnx.
        no_program: the generated Rust does not compile.
        failed: at run time.
        silent: skipped, random, or without anything to compare with.
    """

    total: int
    agree: int
    attempted: int
    wrong: int
    refused: int
    no_program: int
    failed: int
    silent: int
    missing: int


def counts_of(column: Column) -> Counts:
    """Count the results of a column."""
    totals = summary(column.record.results)
    wrong = sum(state_of(result) is WRONG for result in column.record.results)
    at = totals.failed_at
    named = totals.agree + wrong + at[Stage.CONVERT] + at[Stage.COMPILE] + at[Stage.RUN]
    return Counts(
        total=column.total,
        agree=totals.agree,
        attempted=totals.attempted,
        wrong=wrong,
        refused=at[Stage.CONVERT],
        no_program=at[Stage.COMPILE],
        failed=at[Stage.RUN],
        silent=totals.total - named,
        missing=column.total - totals.total,
    )


def sentence(column: Column) -> str:
    """Return one sentence with the cases that agree, and one with the missing cases."""
    models = [result for result in column.record.results if is_model(result)]
    others = [result for result in column.record.results if not is_model(result)]
    parts = [f"{_of(some)} {name}" for some, name in ((models, "models"), (others, "small test cases")) if some]
    answer = f"With {column.target.label}, {' and '.join(parts) or 'nothing'} compute what ONNX says they should."
    if tiers := tiers_sentence(tier_counts(column.record.results)):
        answer += f" {tiers}"
    missing = column.total - len(column.record.results)
    return f"{answer} No result came of {missing} more." if missing else answer


def cell_json(result: CaseResult | None, expected: Mapping[str, str], column: Column) -> dict[str, Any]:
    """Return one cell as JSON values: the state, and the evidence for it."""
    state = state_of(result, started=not column.failure)
    if result is None:
        return {"state": state.key}
    details = result.details
    line = details.get("line")
    return {
        "state": state.key,
        "tier": tier_of(result),
        "stage": result.stage.value,
        "outcome": result.outcome.value,
        "verdict": result.verdict,
        "reason": writable(result.reason),
        "message": writable(result.message),
        "expected": expected.get(result.case_id),
        "rust": writable(str(details.get("rust") or "")),
        "rust_line": line if isinstance(line, int) else None,
        "advice": writable("\n".join(told(result))),
        "fed": writable("\n".join(map(str, details.get("fed") or ()))),
        "onnxruntime": writable(str(details.get("onnxruntime") or "")),
        "reproduce": reproduce_recorded(result, column.target),
        "metrics": [_output_json(output) for output in result.metrics],
        "evaluation": {key: one for key, one in dict(details.get("evaluation") or {}).items() if key != "pictures"},
    }


_UNUSUAL: Final = ("insensitive", "problem")
_OPEN: Final = ("override", "metrics", "ulps", *_UNUSUAL)
_TASK_METRICS: Final = ("top1", "top5", "iou")
"""Metrics that every output has a key for, whether its task knows them or not."""


def _output_json(output: OutputMetrics) -> dict[str, Any]:
    """Return the fields of an output, and the metrics of its task by their names."""
    own = {name: _plain(getattr(output, name)) for name in OutputMetrics.__slots__ if name not in _OPEN}
    override = {"override": output.override} if output.override else {}
    # Those that say why something is not as usual, only where it is not.
    unusual = {name: str(said) for name in _UNUSUAL if (said := getattr(output, name))}
    ulps = {"ulps": list(output.ulps)} if output.ulps else {}
    return (
        own
        | ulps
        | unusual
        | override
        | dict.fromkeys(_TASK_METRICS)
        | {name: _plain(one) for name, one in output.metrics.items()}
    )


def writable(text: str) -> str:
    """Return a text that a file can hold: a process may say what is no Unicode. Folders of a machine are left out."""
    return without_folders(text).encode("utf-8", errors="replace").decode("utf-8")


def _plain(value: Any) -> Any:
    """Return the value of a metric in strict JSON."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _of(results: Sequence[CaseResult]) -> str:
    return f"{_agreeing(results)} of {len(results)}"


def _agreeing(results: Iterable[CaseResult]) -> int:
    return summary(tuple(results)).agree
