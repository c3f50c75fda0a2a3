"""The evaluations of a record's cases: as lines, as rows of a table, and with pictures. Pure: values in, text out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.text import counted
from burn_verify.report.views.evaluation import EVALUATION
from burn_verify.report.views.markdown import escape, table

HEAD: Final = ("model", "task", "data", "metric", "ONNX Runtime", "Burn", "difference", "tier", "flips")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The evaluation of a case.

    Attributes:
        rows: a row for each metric, in the order of `HEAD`.
        pictures: sample, and a JPEG in base64.
    """

    case_id: str
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[tuple[str, str], ...]


def told(results: Iterable[CaseResult]) -> tuple[Told, ...]:
    """Return the evaluations of all results that have one."""
    return tuple(
        Told(
            case_id=result.case_id,
            rows=tuple(_rows(result.case_id, said)),
            pictures=tuple((one["sample"], one["jpeg"]) for one in said.get("pictures", ())),
        )
        for result in results
        if (said := result.details.get(EVALUATION))
    )


def rows(results: Iterable[CaseResult]) -> list[Sequence[str]]:
    """Return the rows of all evaluations, in the order of `HEAD`."""
    return [row for one in told(results) for row in one.rows]


def as_markdown(results: Iterable[CaseResult], of: str = "") -> str:
    """Return a section with all evaluations; empty where there are none.

    Arguments:
        of: the target, where there are several.
    """
    found = rows(results)
    if not found:
        return ""
    lines = table(list(HEAD), [[escape(cell) for cell in row] for row in found])
    return f"## Tasks{escape(f': {of}' if of else '')}\n\n" + "\n".join(lines) + "\n"


def as_text(results: Iterable[CaseResult]) -> str:
    """Return a line for each evaluation, and one for samples that could not be used; empty where there are none."""
    found = ((result.case_id, result.details.get(EVALUATION)) for result in results)
    return "\n".join(line for case_id, said in found if said for line in _lines(case_id, said))


def _rows(case_id: str, said: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    compare = said["comparison"]
    flips = _flips(compare)
    for name, change in compare["metrics"].items():
        numbers = [_number(change[key]) for key in ("before", "after")]
        difference = _number(change["difference"], "+")
        yield case_id, said["task"], said["dataset"]["name"], name, *numbers, difference, change["tier"], flips


def _lines(case_id: str, said: Mapping[str, Any]) -> Iterator[str]:
    compare = said["comparison"]
    changes = compare["metrics"].items()
    metrics = ", ".join(f"{name} {_number(one['before'])} → {_number(one['after'])}" for name, one in changes)
    tier = compare["tier"] or compare["dataset_check"]
    rates = [one["samples_per_second"] for one in said["evaluations"]]
    speed = "" if None in rates else f"; {' and '.join(f'{rate:.3g}/s' for rate in rates)}"
    yield f"{case_id}: {said['task']} on {said['dataset']['name']}: {metrics}: {tier}; {_flips(compare)} flipped{speed}"
    notes = (*said["dataset"].get("doubts", ()), *compare.get("notes", ()))
    yield from (f"{case_id}: note: {line}" for line in notes)
    if broken := said["dataset"]["unreadable"]:
        yield f"{case_id}: {counted(broken, 'sample')} could not be used: {said['evaluations'][-1]['unreadable'][0]}"


def _flips(compare: Mapping[str, Any]) -> str:
    flips = compare["flips"]
    return "" if flips is None else f"{flips['count']} of {counted(compare['samples'] or 0, 'sample')}"


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.6f}"
