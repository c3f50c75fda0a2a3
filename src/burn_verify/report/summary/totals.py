"""How many cases ended how: counts, and the sentences on them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from burn_verify.core.result import CaseResult, Guilty, VerdictName
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.ends import End, attempted, end_of

_ENDED_AT = {
    Stage.LOAD: ("could not be loaded", "could not be loaded"),
    Stage.CONVERT: ("refused by the converter", "refused by the converter"),
    Stage.COMPILE: ("does not compile", "do not compile"),
    Stage.REFERENCE: ("has no reference", "have no reference"),
    Stage.RUN: ("failed while running", "failed while running"),
    Stage.COMPARE: ("disagrees", "disagree"),
}
_PASSED_BUT = {End.RANDOM: "random", End.INSENSITIVE: "insensitive"}
_PROGRAMS = {Guilty.ONNXRUNTIME: "ONNX Runtime", Guilty.REFERENCE: "onnx's reference evaluator"}
_ONLY_IF_ANY = frozenset({Stage.LOAD, Stage.REFERENCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many cases ended how. `total` counts every case selected, the skipped ones included.

    Attributes:
        agree: answered, and the answer is the expected one.
        attempted: reached RUN or COMPARE, that is, the model was compiled and started; not on a device that cannot.
        failed_at: failures by the stage they ended at, but for those of `device`; every stage is there.
        expected_failures: those of the failures that were expected.
        unexpected_passes: those that pass although a failure was expected.
        random: passed, but drew numbers: compared by shape and, of single operators, distribution; they do not agree.
        insensitive: passed, but the reference cannot tell right from wrong; they do not agree.
        loose: agree outside of the bound, in proportion to the reference's own error.
        oracle_disagrees: agree with float64 or what was stored, by the program that answered and does not.
        device: failures of the device, which lacks what the model needs.
    """

    total: int
    agree: int
    attempted: int
    failed: int
    skipped: int
    failed_at: Mapping[Stage, int]
    expected_failures: int = 0
    unexpected_passes: int = 0
    random: int = 0
    insensitive: int = 0
    loose: int = 0
    oracle_disagrees: Mapping[Guilty, int] = field(default_factory=dict)
    device: int = 0


def summary(results: Sequence[CaseResult], expected: Mapping[str, str] | None = None) -> Totals:
    """Count the results; `expected` maps the ids of cases expected to fail to reasons."""
    expected = expected or {}
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    ends = [end_of(result) for result in results]
    stages = Counter(result.stage for result in failed if end_of(result) is not End.DEVICE)
    verdicts = Counter(result.verdict for result in results)
    return Totals(
        total=len(results),
        agree=ends.count(End.AGREES),
        attempted=sum(attempted(result) for result in results),
        failed=len(failed),
        skipped=sum(result.outcome is Outcome.SKIPPED for result in results),
        failed_at={stage: stages[stage] for stage in Stage},
        expected_failures=sum(result.case_id in expected for result in failed),
        unexpected_passes=sum(
            result.case_id in expected
            for result, end in zip(results, ends, strict=True)
            if end is End.AGREES or end in _PASSED_BUT
        ),
        random=ends.count(End.RANDOM),
        insensitive=ends.count(End.INSENSITIVE),
        loose=verdicts[VerdictName.LOOSE],
        oracle_disagrees=Counter(_program_of(one) for one in results if one.verdict == VerdictName.ORACLE_DISAGREES),
        device=ends.count(End.DEVICE),
    )


def totals_lines(totals: Totals) -> list[str]:
    """Say the totals in sentences, "of all" and "of attempted" side by side."""
    lines = [
        f"{totals.agree} of {totals.total} agree{percent_after(totals.agree, totals.total, ' of all')}, "
        f"{totals.agree} of {totals.attempted} attempted{percent_after(totals.agree, totals.attempted)}"
    ]
    counts = [
        f"{count} {_ENDED_AT[stage][count != 1]}"
        for stage, count in totals.failed_at.items()
        if count or stage not in _ONLY_IF_ANY
    ]
    random = (
        [f"{totals.random} random, of which shapes, and distributions of single operators, were checked"]
        if totals.random
        else []
    )
    empty = [f"{totals.insensitive} insensitive, which verifies nothing"] if totals.insensitive else []
    device = [f"{totals.device} not run for what the device lacks"] if totals.device else []
    skipped = [f"{totals.skipped} skipped"] if totals.skipped else []
    lines.append(", ".join(counts + random + empty + device + skipped))
    remarks = [f"{totals.loose} loosely"] if totals.loose else []
    remarks += [
        f"{totals.oracle_disagrees[guilty]} where {name} is wrong"
        for guilty, name in _PROGRAMS.items()
        if totals.oracle_disagrees.get(guilty)
    ]
    if remarks:
        lines.append(f"of those that agree, {_joined(remarks)}")
    if totals.failed:
        are = "is" if totals.expected_failures == 1 else "are"
        lines.append(f"{totals.expected_failures} of the {totals.failed} failures {are} expected")
    if totals.unexpected_passes:
        lines.append(f"{totals.unexpected_passes} passed unexpectedly: delete what was expected of them")
    return lines


def _program_of(result: CaseResult) -> Guilty:
    """Return the program that answered for the reference and is wrong."""
    return next((one.guilty for one in result.metrics if one.guilty in _PROGRAMS), Guilty.ONNXRUNTIME)


def _joined(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def passed_unexpectedly(result: CaseResult, expected: Mapping[str, str]) -> bool:
    """Return whether a case passed that was expected to fail."""
    return result.case_id in expected and result.outcome is Outcome.PASSED


def outcome_of(result: CaseResult, expected: Mapping[str, str]) -> str:
    """Name the outcome in the light of what was expected."""
    if result.case_id in expected and result.outcome is Outcome.FAILED:
        return "expected failure"
    if passed_unexpectedly(result, expected):
        return "unexpected pass"
    return _PASSED_BUT.get(end_of(result), result.outcome.value)


def percent(part: int, whole: int) -> str:
    """Return a share as text, such as ``44%``; 0% and 100% only where it is exactly so, and 0% of nothing."""
    rounded = round(100 * part / whole) if whole else 0
    if 0 < part < whole:
        rounded = min(max(rounded, 1), 99)
    return f"{rounded}%"


def percent_after(part: int, whole: int, suffix: str = "") -> str:
    """Return a share in brackets, to stand after the number it is of; empty for a share of nothing."""
    return f" ({percent(part, whole)}{suffix})" if whole else ""
