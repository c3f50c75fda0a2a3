"""Records side by side, one column for each target.

Pure. Several runs of one target become one column. Absent results are kept as missing, by id where the selection is
recorded; a run that a broken machine made useless counts as missing, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from burn_verify.cases.shards import Shard
from burn_verify.core.errors import RecordError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Stage
from burn_verify.core.target import Target
from burn_verify.core.targets import age
from burn_verify.record.codec import Record
from burn_verify.report.summary.states import RANK, state_of

T = TypeVar("T")
_FEATURES: Final = ("python",)
"""Fields of the environment in which the runs of one target may differ, besides their shards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Everything that was recorded of one target.

    Attributes:
        record: all of its runs as one; of two results of a case the worse, with the times that either has.
        missing: ids of selected cases without a result.
        unnamed: number of further missing cases, whose ids are not recorded.
        lacking: in one line each, what is missing and why.
        failure: why the target could not be built or started; empty where it could. Its cases were not run.
    """

    target: Target
    record: Record
    missing: tuple[str, ...] = ()
    unnamed: int = 0
    lacking: tuple[str, ...] = ()
    failure: str = ""

    @property
    def total(self) -> int:
        """Every case that was selected, also those without a result."""
        return len(self.record.results) + len(self.missing) + self.unnamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Cases by targets.

    Attributes:
        columns: the newest release first, previews after releases, columns without results last.
        rows: by case id, the result of every column; None where it is missing.
    """

    columns: tuple[Column, ...]
    rows: Mapping[str, tuple[CaseResult | None, ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every case that a column selected has a result."""
        return not any(column.lacking or column.missing or column.unnamed for column in self.columns)


def merge(records: Sequence[Record]) -> Matrix:
    """Put records side by side.

    Raises:
        RecordError: shards of different divisions, or no record that says something about Burn.
    """
    groups: dict[Target, list[Record]] = {}
    for place, record in enumerate(records):
        if record in records[:place]:
            continue  # one file under two names is one run
        groups.setdefault(record.target, []).append(record)
    columns = tuple(sorted((_column(target, own) for target, own in groups.items()), key=_first))
    if records and not any(column.record.results for column in columns):
        message = "nothing to report: " + "; ".join(line for column in columns for line in column.lacking)
        raise RecordError(message)
    by_id = [{result.case_id: result for result in column.record.results} for column in columns]
    ids = dict.fromkeys(
        case_id for column, results in zip(columns, by_id, strict=True) for case_id in (*results, *column.missing)
    )
    return Matrix(columns=columns, rows={case_id: tuple(results.get(case_id) for results in by_id) for case_id in ids})


def _first(column: Column) -> tuple[Any, ...]:
    """Return the sort key of a column."""
    version, released, *rest = age(column.target)
    return not column.record.results, not released, [-number for number in version], *rest


def _column(target: Target, records: Sequence[Record]) -> Column:
    lacking: list[str] = []
    unnamed = 0
    for run in _by(_features, records):
        shards, lines = _missing_shards(run)
        lacking += lines
        unnamed += shards
    kept: dict[str, CaseResult] = {}
    wanted: dict[str, None] = {}
    for record in records:
        wanted |= dict.fromkeys(record.selection or ())
        if record.failure:
            lacking.append(f"{target.label} was not run: {record.failure}")
            continue
        if why := why_broken(record):
            lacking.append(f"{_name(record)} of {target.label} {why}")
        wanted |= dict.fromkeys(result.case_id for result in record.results)
        for result in filter(_says_something, record.results):
            before = kept.get(result.case_id)
            kept[result.case_id] = result if before is None else _worse(before, result)
        if cut_off := len(set(record.selection or ()) - {result.case_id for result in record.results}):
            cases = "1 case has" if cut_off == 1 else f"{cut_off} cases have"
            lacking.append(f"{_name(record)} of {target.label} ended early: {cases} no result")
    return Column(
        target=target,
        record=_joined(records, tuple(kept.values())),
        missing=tuple(case_id for case_id in wanted if case_id not in kept),
        unnamed=unnamed,
        lacking=tuple(dict.fromkeys(lacking)),
        failure="" if kept else next((record.failure for record in records if record.failure), ""),
    )


def _worse(before: CaseResult, after: CaseResult) -> CaseResult:
    """Return the worse of two results of a case, with the times of the other where it was not timed itself."""
    first, second = (after, before) if RANK[state_of(after)] < RANK[state_of(before)] else (before, after)
    return first if first.latency or not second.latency else replace(first, latency=second.latency)


def _joined(records: Sequence[Record], results: tuple[CaseResult, ...]) -> Record:
    """Return records as one: the environment of the first with results, and the sum of the phases."""
    first = next((record for record in records if record.results), records[0])
    phases: dict[str, float] = {}
    for record in records:
        for name, spent in record.phases.items():
            if isinstance(spent, int | float):
                phases[name] = phases.get(name, 0.0) + spent
    environment = {key: value for key, value in first.environment.items() if key != "shard"}
    differences = tuple(dict.fromkeys(difference for record in records for difference in record.differences))
    return replace(
        first, environment=environment, results=results, phases=phases, selection=None, differences=differences
    )


def _missing_shards(records: Sequence[Record]) -> tuple[int, list[str]]:
    """Return the number of cases in absent shards, and a line for each of these shards."""
    given = [(record, shard) for record in records if (shard := _shard(record))]
    if not given:
        return 0, []
    first = given[0][1]
    if any((shard.count, shard.cut) != (first.count, first.cut) for _, shard in given):
        message = (
            "these shards are of different divisions, by selection, --burn-shard-costs or version: run all of them "
            "again with the same options"
        )
        raise RecordError(message)
    held = {shard.index: shard.cases for _, shard in given}
    absent = [index for index in range(1, first.count + 1) if index not in held]
    # With -k, or beside a whole run, the number of missing cases is not known.
    told = all(len(record.selection or ()) == shard.cases for record, shard in given) and len(given) == len(records)
    label = records[0].target.label
    lines = [f"shard {index} of {first.count} of {label} is missing" for index in absent]
    return first.of - sum(held.values()) if absent and told else 0, lines


def _shard(record: Record) -> Shard | None:
    shard = record.environment.get("shard")
    try:
        return None if shard is None else Shard(**shard)
    except TypeError:
        message = f"a record is of a shard that this version does not understand: {shard}"
        raise RecordError(message) from None


def _name(record: Record) -> str:
    shard = _shard(record)
    return f"shard {shard.index} of {shard.count}" if shard else "a run"


def _features(record: Record) -> tuple[Any, ...]:
    return tuple(record.environment.get(name) for name in _FEATURES)


def _by(key: Any, items: Iterable[T]) -> Iterator[list[T]]:
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    yield from groups.values()


_BROKEN: Final = frozenset({FailureKind.MACHINE, FailureKind.NOT_STARTED})


def why_broken(record: Record) -> str | None:
    """Return in one line what of a record is not counted, as it says nothing about Burn; None where all of it does."""
    if record.selection == ():
        return None  # a shard of which -k left nothing
    if not record.results:
        return (
            "is not counted: it holds no result: the run ended before its first case; burn-verify doctor says what is "
            "missing"
        )
    broken = [result for result in record.results if not _says_something(result)]
    if not broken:
        return None
    said = broken[0].reason or broken[0].message.partition("\n")[0]
    whole = "is not counted: " if len(broken) == len(record.results) else "is not counted in part: "
    return (
        f"{whole}{len(broken)} of {len(record.results)} cases had nothing to be compared with ({said}): that is this "
        "machine's fault, not Burn's; burn-verify doctor says what is missing"
    )


def _says_something(result: CaseResult) -> bool:
    """Tell whether a result is more than that this machine could not do the work."""
    return result.failure not in _BROKEN or result.stage not in (Stage.LOAD, Stage.REFERENCE)
