"""The rows of the reports on operators: of every operator its status, its evidence and its problems.

The status follows from the operator's own cases, those whose subject it is, by the rules of `status`; larger graphs
only support it. Renders nothing, see `supported_ops`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from burn_verify.core.result import CaseResult, RefusalKind
from burn_verify.core.text import without_numbers
from burn_verify.graph.operators import RANDOM, Operator, all_operators
from burn_verify.record.codec import Record
from burn_verify.report.summary.declared import Declaration, Declarations, load_packaged
from burn_verify.report.summary.ends import (
    End,
    attempted,
    common,
    end_of,
    own_operator,
    reason_of,
    smallest,
    unsupported_operators,
)
from burn_verify.report.summary.lifted import After, LiftedCase, after
from burn_verify.report.summary.status import FAILING, Status, status_of
from burn_verify.report.summary.tiers import Tally, Tier, TierCounts, tally, tier_of

_FAILED: Final = (End.WRONG, End.FAILED, End.NO_VALUE, End.NO_PROGRAM, End.REFUSED)
_NOTHING: Final = after((), {})
_PASSED: Final = (End.AGREES, End.RANDOM, End.INSENSITIVE)
_DECISIVE: Final = {Status.REFUTED: (End.WRONG, End.FAILED), Status.DOES_NOT_COMPILE: (End.NO_PROGRAM,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A reason for which cases of one operator do not agree; `example` is the smallest of them."""

    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operator.

    Attributes:
        ordinary: its own cases of ordinary use, see `tiers`.
        versions, dtypes: those of the operator's that a case of its own verified.
        agree, attempted, total: its own cases; attempted are those that were compiled and started.
        others_agree, others: further cases in whose graph it is.
        random: own cases with random output.
        expected: own cases that failed as expected.
        problems: those that decide the status first, then the most frequent.
        declaration: None where burn-onnx does not declare it, or where that is not known.
        refuted_at: opsets that are declared, and at which its cases fail and none agrees.
        undeclared_at: opsets that are not declared, and at which its cases agree and none is wrong.
        after: what `prepare` makes of those of its cases that fail.
    """

    operator: Operator
    status: Status
    ordinary: Tally = field(default_factory=Tally)
    versions: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ()
    agree: int = 0
    attempted: int = 0
    total: int = 0
    others_agree: int = 0
    others: int = 0
    random: int = 0
    expected: int = 0
    problems: tuple[Problem, ...] = ()
    declaration: Declaration | None = None
    refuted_at: tuple[int, ...] = ()
    undeclared_at: tuple[int, ...] = ()
    after: After = _NOTHING

    @property
    def name(self) -> str:
        """The name in the record."""
        return self.operator.name

    @property
    def draws(self) -> bool:
        """Whether every output of the operator is random."""
        return not self.operator.domain and self.operator.op_type in RANDOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """The status of all operators in a record.

    Attributes:
        rows: every operator once, by domain and name.
        several: number of cases of several operators.
        unlisted: cases by operator that is not in `rows`.
        declarations: None where it is not known what burn-onnx declares.
    """

    rows: tuple[Row, ...]
    several: int
    unlisted: Mapping[str, int]
    declarations: Declarations | None


def versions_of(rows: Iterable[Row]) -> tuple[int, int]:
    """Count the verified versions of operators, and all."""
    pairs = [(len(row.versions), len(row.operator.versions)) for row in rows]
    return sum(verified for verified, _ in pairs), sum(known for _, known in pairs)


def counts_of_rows(rows: Iterable[Row]) -> TierCounts:
    """Count the operators that are verified in each tier."""
    tried = [row for row in rows if row.total]
    return TierCounts(
        operators=len(tried),
        with_ordinary=sum(row.ordinary.total > 0 for row in tried),
        ordinary=sum(row.ordinary.status is Status.VERIFIED for row in tried),
        full=sum(row.status is Status.VERIFIED for row in tried),
    )


def support_of(
    record: Record,
    expected: Mapping[str, str] | None = None,
    prepared: Mapping[str, LiftedCase] = MappingProxyType({}),
) -> Support:
    """Sum up a record by operator.

    Arguments:
        expected: case id → why its failure is expected.
        prepared: what `prepare` makes of failing cases, by id.
    """
    own: dict[str, list[CaseResult]] = defaultdict(list)
    others: dict[str, list[CaseResult]] = defaultdict(list)
    several = 0
    for result in record.results:
        subject = own_operator(result)
        if subject is None:
            several += 1
        else:
            own[subject].append(result)
        for name in set(result.op_types) - {subject}:
            others[name].append(result)
    declarations = load_packaged(str(record.environment.get("burn_onnx", "")))
    rows = tuple(
        _row(operator, own.pop(name, []), others[name], declarations, expected or {}, prepared)
        for operator in all_operators()
        if (name := operator.name)
    )
    unlisted = {name: len(results) for name, results in sorted(own.items())}
    return Support(rows=rows, several=several, unlisted=unlisted, declarations=declarations)


def _row(
    operator: Operator,
    own: Sequence[CaseResult],
    others: Sequence[CaseResult],
    declarations: Declarations | None,
    expected: Mapping[str, str],
    prepared: Mapping[str, LiftedCase],
) -> Row:
    ends = [end_of(result) for result in own]
    agreeing = [result.subject for result, end in zip(own, ends, strict=True) if end is End.AGREES and result.subject]
    verified = {subject.since_version for subject in agreeing}
    dtypes = {subject.dtype for subject in agreeing}
    declaration = declarations.operators.get(operator.name) if declarations else None
    status = status_of(ends)
    refuted_at, undeclared_at = _against(own, declaration) if declarations else ((), ())
    return Row(
        operator=operator,
        status=status,
        ordinary=tally(end for result, end in zip(own, ends, strict=True) if tier_of(result) is Tier.ORDINARY),
        versions=tuple(version for version in operator.versions if version in verified),
        dtypes=tuple(dtype for dtype in operator.dtypes if dtype in dtypes),
        agree=len(agreeing),
        attempted=sum(attempted(result) for result in own),
        total=len(own),
        others_agree=sum(end_of(result) is End.AGREES for result in others),
        others=len(others),
        random=ends.count(End.RANDOM),
        expected=sum(result.case_id in expected and end not in _PASSED for result, end in zip(own, ends, strict=True)),
        problems=_problems(own, operator, status),
        declaration=declaration,
        refuted_at=refuted_at,
        undeclared_at=undeclared_at,
        after=after((one.case_id for one, end in zip(own, ends, strict=True) if end in _FAILED), prepared),
    )


def _against(own: Iterable[CaseResult], declaration: Declaration | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the declared opsets at which cases fail, and the undeclared ones at which they agree."""
    inside: list[CaseResult] = []
    outside: list[CaseResult] = []
    for result in own:
        (inside if declaration and declaration.covers(_opset(result)) else outside).append(result)
    silent = (*_PASSED, End.SILENT, End.DEVICE, End.NOT_SERVABLE)
    fail = {_opset(result) for result in inside if end_of(result) not in silent}
    agree = {_opset(result) for result in outside if end_of(result) is End.AGREES}
    return (
        tuple(sorted(fail)) if _status(inside) in FAILING else (),
        tuple(sorted(agree)) if _status(outside) in (Status.VERIFIED, Status.PARTLY) else (),
    )


def _status(results: Iterable[CaseResult]) -> Status:
    return status_of([end_of(result) for result in results])


def _opset(result: CaseResult) -> int:
    """Return the opset of the subject's domain; the record knows that of ``ai.onnx`` only."""
    if result.subject is not None and (result.subject.domain or not result.opset):
        return result.subject.since_version
    return result.opset


def _problems(own: Iterable[CaseResult], operator: Operator, status: Status) -> tuple[Problem, ...]:
    groups: dict[tuple[int, str], list[tuple[str, CaseResult]]] = defaultdict(list)
    decisive = _DECISIVE.get(status, ())
    for result in own:
        end = end_of(result)
        if end is not End.AGREES and (end is not End.RANDOM or result.reason):
            rank = decisive.index(end) if end in decisive else len(decisive)
            reason = _own_reason(result, operator)
            groups[rank, without_numbers(reason)].append((reason, result))
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
    return tuple(
        Problem(
            reason=common(cause, (reason for reason, _ in some)),
            count=len(some),
            example=smallest(result for _, result in some).case_id,
        )
        for (_, cause), some in ordered
    )


def _own_reason(result: CaseResult, operator: Operator) -> str:
    """Return a reason without the name of the operator, which the row has."""
    name, reason = re.escape(operator.op_type), reason_of(result)
    if [lacking.rpartition(".")[2] for lacking in unsupported_operators(result)] == [operator.op_type]:
        return RefusalKind.UNSUPPORTED_OPERATOR.value
    # Also with the rank that burn-onnx adds, and where the message begins with the name once more.
    return re.sub(rf"^({name}([123]d)?: )+", "", reason, flags=re.IGNORECASE) or reason
