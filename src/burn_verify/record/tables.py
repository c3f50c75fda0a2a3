"""Results as rows of three tables. What a model answered is apart from when, where and how fast it did.

`results` and `outputs` are the same for the same models, whatever machine verified them in what order; `runs` is not.
Pure; `parquet` writes them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.target import Target
from burn_verify.record.codec import Record

Row: TypeAlias = dict[str, Any]

MISSING: Final = "missing"
"""The outcome of a selected case without a result: neither passed nor failed."""

_KEY: Final = {"case_id": "VARCHAR", "target": "VARCHAR"}
_STAGES: Final = ("load", "convert", "reference", "run", "compare")

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "results": {
        **_KEY,
        **dict.fromkeys(("burn", "burn_onnx", "backend", "corpus", "outcome", "stage", "verdict"), "VARCHAR"),
        **dict.fromkeys(("failure", "reason"), "VARCHAR"),
        "opset": "INTEGER",
        "operators": "VARCHAR[]",
        **dict.fromkeys(("outputs", "outputs_agreeing"), "INTEGER"),
        "max_abs": "DOUBLE",
        "max_ulp": "HUGEINT",
        "headroom": "DOUBLE",
    },
    "outputs": {
        **_KEY,
        **dict.fromkeys(("data_set", "output", "dtype", "shape"), "VARCHAR"),
        **dict.fromkeys(("elements", "mismatching"), "BIGINT"),
        "max_abs": "DOUBLE",
        "max_ulp": "HUGEINT",
        "headroom": "DOUBLE",
        **dict.fromkeys(("bound", "reference", "problem"), "VARCHAR"),
    },
    "runs": {**_KEY, **dict.fromkeys((f"{stage}_seconds" for stage in _STAGES), "DOUBLE"), "message": "VARCHAR"},
}
"""The columns of each table, with DuckDB's types."""


def rows(records: Iterable[Record]) -> dict[str, list[Row]]:
    """Return the rows of each table, sorted by case and target; a case without a result is a row that says so."""
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for record in records:
        ids = {result.case_id for result in record.results}
        for case_id in record.selection or ():
            if case_id not in ids:
                tables["results"].append(_about(case_id, record.target) | {"outcome": MISSING})
        for result in record.results:
            tables["results"].append(_result(result, record.target))
            tables["outputs"] += _outputs(result, record.target)
            tables["runs"].append(_run(result, record.target))
    return {name: sorted(some, key=_order) for name, some in tables.items()}


def _order(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in ("case_id", "target", "data_set", "output"))


def _about(case_id: str, target: Target) -> Row:
    names = {"burn": target.burn, "burn_onnx": target.burn_onnx, "backend": target.backend}
    return {"case_id": case_id, "target": target.name, **names}


def _result(result: CaseResult, target: Target) -> Row:
    return {
        **_about(result.case_id, target),
        "corpus": result.corpus,
        "outcome": result.outcome.value,
        "stage": result.stage.value,
        "verdict": None if result.verdict is None else result.verdict.value,
        "failure": None if result.failure is None else result.failure.value,
        "reason": result.reason or None,
        "opset": result.opset,
        "operators": list(result.op_types),
        "outputs": len(result.metrics),
        "outputs_agreeing": sum(one.fits for one in result.metrics),
        **{name: _worst(result.metrics, name) for name in ("max_abs", "max_ulp", "headroom")},
    }


def _worst(metrics: Sequence[OutputMetrics], name: str) -> float | int | str | None:
    """Return the greatest value of a field; NaN is greater than all."""
    known = [value for one in metrics if (value := getattr(one, name)) is not None]
    return _plain(max(known, key=lambda value: (value != value, value), default=None))


def _outputs(result: CaseResult, target: Target) -> Iterator[Row]:
    for one in result.metrics:
        yield {
            "case_id": result.case_id,
            "target": target.name,
            "data_set": one.data_set,
            "output": one.name,
            "dtype": one.dtype,
            "shape": ",".join(map(str, one.shape)),
            "elements": one.elements,
            "mismatching": one.mismatching,
            **{name: _plain(getattr(one, name)) for name in ("max_abs", "max_ulp", "headroom")},
            "bound": one.bound or None,
            "reference": one.reference or None,
            "problem": None if one.problem is None else one.problem.value,
        }


def _run(result: CaseResult, target: Target) -> Row:
    spent = {f"{stage}_seconds": _plain(result.durations.get(stage)) for stage in _STAGES}
    return {"case_id": result.case_id, "target": target.name, **spent, "message": result.message or None}


def _plain(value: float | int | None) -> float | int | str | None:
    """Return a number as JSON has it; NaN and infinities are text, which DuckDB reads as numbers."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value
