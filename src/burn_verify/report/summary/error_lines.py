"""The failures of a record, counted by reason and by operator.

Pure; `report.views.failures` renders it. Cases that agree are left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.core.result import CaseResult, RefusalKind
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.text import without_numbers
from burn_verify.report.summary.causes import NO_CODE, title_of
from burn_verify.report.summary.ends import End, blamed_operator, common, end_of, reason_of, smallest

STAGES: Final = (Stage.CONVERT, Stage.COMPILE, Stage.RUN, Stage.COMPARE)
"""The stages at which Burn can fail."""

ASIDE: Final = (Stage.LOAD, Stage.REFERENCE)
"""The stages at which a case fails without saying anything of Burn."""

KINDS: Final = tuple(kind.value for kind in RefusalKind)

OTHER_KIND: Final = "other refusals"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCount:
    """The number of cases of one operator in a line, and the smallest of them."""

    name: str
    count: int
    example: CaseResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Failures with the same key.

    Attributes:
        key: the normalised reason, at COMPILE a code of rustc.
        title: the same as a person says it. Wrong answers are told apart by operator, too.
        count, expected: cases, and those of them whose failure is expected.
        operators: the most frequent first; every case counts for one.
        example: the smallest case.
        cases: all of them.
    """

    key: str
    title: str
    count: int
    expected: int
    operators: tuple[OperatorCount, ...]
    example: CaseResult
    cases: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The failures at one stage, of one kind where the stage tells kinds apart.

    Attributes:
        cases: how many; at COMPILE the lines sum up to more, as a case may have several codes.
    """

    stage: Stage
    kind: str
    cases: int
    lines: tuple[Line, ...]


def sections_of(results: Sequence[CaseResult], expected: Mapping[str, str]) -> tuple[Section, ...]:
    """Group the failures by stage and kind, in a fixed order; every section is there, also an empty one.

    What a device lacks is no failure of Burn's, and in none; what could not be loaded, or has no reference, is
    listed last.
    """
    failed = [result for result in results if result.outcome is Outcome.FAILED and end_of(result) is not End.DEVICE]
    sections = []
    for stage in (*STAGES, *ASIDE):
        at_stage = [result for result in failed if result.stage is stage]
        if stage is Stage.CONVERT:
            sections += [
                _section(stage, kind, [result for result in at_stage if _kind(result) == kind], expected)
                for kind in (*KINDS, OTHER_KIND)
            ]
        else:
            sections.append(_section(stage, "", at_stage, expected))
    return tuple(sections)


def _section(stage: Stage, kind: str, results: Sequence[CaseResult], expected: Mapping[str, str]) -> Section:
    groups: dict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for result in results:
        # A wrong answer says little but its operator.
        operator = blamed_operator(result) if stage is Stage.COMPARE else ""
        for key in _keys(result):
            groups[key, operator].append(result)
    lines = [
        _line(stage, common(key, map(reason_of, group)), operator, group, expected)
        for (key, operator), group in groups.items()
    ]
    lines.sort(key=lambda line: (-line.count, line.key, line.title))
    return Section(stage=stage, kind=kind, cases=len(results), lines=tuple(lines))


def _line(stage: Stage, key: str, operator: str, results: Sequence[CaseResult], expected: Mapping[str, str]) -> Line:
    return Line(
        key=key,
        title=title_of(stage, key, operator),
        count=len(results),
        expected=sum(result.case_id in expected for result in results),
        operators=_operators(results),
        example=smallest(results),
        cases=tuple(results),
    )


def _operators(results: Iterable[CaseResult]) -> tuple[OperatorCount, ...]:
    groups: dict[str, list[CaseResult]] = defaultdict(list)
    for result in results:
        groups[blamed_operator(result)].append(result)
    counts = [OperatorCount(name=name, count=len(group), example=smallest(group)) for name, group in groups.items()]
    return tuple(sorted(counts, key=lambda operator: (-operator.count, operator.name)))


def _keys(result: CaseResult) -> Iterable[str]:
    if result.stage is not Stage.COMPILE:
        return [without_numbers(reason_of(result))]
    codes = result.details.get("codes")
    # Each once, or a case would count twice.
    return sorted({str(code) for code in codes}) if isinstance(codes, list | tuple) and codes else [NO_CODE]


def _kind(result: CaseResult) -> str:
    kind = result.details.get("kind")
    return kind if kind in KINDS else OTHER_KIND
