"""Text format of the record: encode and decode one strict JSON object per line.

Accesses no file (see `store`) and imports neither onnx nor numpy: a pytest worker uses this module to pass a
result to its controller as one plain string.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from burn_verify.core import latency
from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult, Difference, Guilty, Mismatch, OutputMetrics, VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record import schema1
from burn_verify.record.targets import UNKNOWN, target_from_json, target_to_json

SCHEMA_VERSION = 2
"""Version of the written lines. It is incremented where a reader of the previous version would misinterpret them."""

READABLE = (1, SCHEMA_VERSION)
"""Versions of lines that can be read; any other version is rejected. A missing field has its default."""

KINDS = ("environment", "selection", "result", "phases", "target", "difference")
"""Every kind of line.

An ``environment`` line starts a new run. A ``selection`` line lists the cases of the run. A ``target`` line records a
target that could not be built or started. A ``difference`` line records two targets with different outputs.
"""


_LATER = (
    *("p99", "cosine", "headroom", "rounding_share", "bound", "reference", "oracle_headroom", "guilty", "override"),
    *("insensitive", "problem"),
)
# Optional fields of an output.


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One recorded run on one target; a run on several targets has one record per target.

    Attributes:
        environment: versions, machine and options of the run, as recorded.
        selection: ids of the selected cases; one without a result is missing. None where no selection was recorded.
        results: one entry per case, in the order of the file.
        phases: time spent per phase, as the run wrote it.
        target: the target of the results.
        failure: why the target could not be built or started, in one line; empty where it could.
        differences: differences between the outputs of this target and those of another target of the same run.
    """

    environment: Mapping[str, Any] = field(default_factory=dict)
    selection: tuple[str, ...] | None = None
    results: tuple[CaseResult, ...] = ()
    phases: Mapping[str, Any] = field(default_factory=dict)
    target: Target = UNKNOWN
    failure: str = ""
    differences: tuple[Difference, ...] = ()


def result_to_line(result: CaseResult, target: Target) -> str:
    """Encode a result as one line of strict JSON, without the newline.

    NaN and infinities become the strings ``nan``, ``inf`` and ``-inf``; `result_from_json` converts them back to
    numbers where the field is a number (metrics, durations) and leaves them as strings inside ``details``.
    """
    return _line(
        "result",
        {
            "case_id": result.case_id,
            "corpus": result.corpus,
            "op_types": result.op_types,
            "opset": result.opset,
            "subject": None if result.subject is None else _subject_to_json(result.subject),
            **target_to_json(target),
            "stage": result.stage,
            "outcome": result.outcome,
            "verdict": result.verdict,
            "failure": result.failure,
            "message": result.message,
            "reason": result.reason,
            "note": result.note,
            "metrics": [metrics_to_json(metrics) for metrics in result.metrics],
            "details": result.details,
            "durations": result.durations,
            **({} if result.latency is None else {"latency": latency.to_json(result.latency)}),
        },
    )


def environment_line(environment: Mapping[str, Any]) -> str:
    """Encode the line that starts a run."""
    return _line("environment", {"environment": environment})


def selection_line(case_ids: Iterable[str], by_target: Iterable[Iterable[str]] = ()) -> str:
    """Encode the line that lists the selected cases of a run.

    Arguments:
        by_target: the selected cases of each target, in the order of the targets in the environment; empty where all
            targets run all cases.
    """
    narrowed = [list(ids) for ids in by_target]
    return _line("selection", {"selection": {"cases": list(case_ids), **({"by_target": narrowed} if narrowed else {})}})


def failure_line(target: Target, why: str) -> str:
    """Encode the line of a target that could not be built or started, with the reason."""
    return _line("target", {"target": {**target_to_json(target), "failure": why}})


def difference_line(difference: Difference) -> str:
    """Encode the line of two targets whose outputs differ."""
    sides = {side: target_to_json(getattr(difference, side)) for side in ("before", "after")}
    plain = {name: getattr(difference, name) for name in Difference.__slots__ if name not in sides}
    return _line("difference", {"difference": {**plain, **sides}})


def difference_from_json(data: Mapping[str, Any]) -> Difference:
    """Decode the content of a line of kind ``difference``.

    Raises:
        ValueError: a field is missing.
    """
    try:
        return Difference(
            case_id=str(data["case_id"]),
            part=str(data["part"]),
            before=target_from_json(data["before"]),
            after=target_from_json(data["after"]),
            nearer=str(data["nearer"]),
            message=str(data["message"]),
        )
    except (KeyError, AttributeError) as error:
        message = f"a difference without {error}"
        raise ValueError(message) from None


def phases_line(phases: Mapping[str, Any]) -> str:
    """Encode the line with the time that a run spent per phase."""
    return _line("phases", {"phases": phases})


def result_and_target(line: str) -> tuple[CaseResult, Target]:
    """Decode a line made by `result_to_line`, and its target, as in `recorded`.

    Raises:
        ValueError: the line is not a result.
    """
    data = json.loads(line)
    return result_from_json(data), target_from_json(data)


def result_from_json(data: Mapping[str, Any]) -> CaseResult:
    """Decode a line of kind ``result``, after `json.loads`.

    Unknown keys are ignored. A line of an earlier version is upgraded to the current version.

    Raises:
        ValueError: a field is missing or has an invalid value; the message names it.
    """
    try:
        if data.get("schema_version") == 1:
            data = schema1.upgraded(data)
        return CaseResult(
            case_id=str(data["case_id"]),
            corpus=str(data["corpus"]),
            stage=Stage(data["stage"]),
            outcome=Outcome(data["outcome"]),
            op_types=tuple(str(op_type) for op_type in data.get("op_types", ())),
            opset=int(data.get("opset", 0)),
            subject=_subject_from_json(data.get("subject")),
            verdict=None if data.get("verdict") is None else VerdictName(data["verdict"]),
            failure=None if data.get("failure") is None else FailureKind(data["failure"]),
            message=str(data.get("message", "")),
            reason=str(data.get("reason", "")),
            note=data.get("note"),
            metrics=tuple(metrics_from_json(metrics) for metrics in data.get("metrics", ())),
            details=dict(data.get("details", {})),
            durations={stage: _number(seconds) for stage, seconds in data.get("durations", {}).items()},
            latency=latency.from_json(data["latency"]) if data.get("latency") else None,
        )
    except KeyError as error:
        message = f"a result without {error}"
        raise ValueError(message) from None
    except (TypeError, AttributeError, OverflowError) as error:
        message = f"not a result: {error}"
        raise ValueError(message) from error


def metrics_to_json(metrics: OutputMetrics) -> dict[str, Any]:
    """Return what `metrics_from_json` reads; `plain` makes strict JSON of it."""
    return {
        "data_set": metrics.data_set,
        "name": metrics.name,
        "dtype": metrics.dtype,
        "shape": metrics.shape,
        "elements": metrics.elements,
        "mismatching": metrics.mismatching,
        "fraction": metrics.fraction,
        "max_abs": metrics.max_abs,
        "max_ulp": metrics.max_ulp,
        "first_bad": metrics.first_bad,
        # Empty fields are omitted to keep lines short: most outputs of a record are bitwise equal.
        **{key: value for key in _LATER if (value := getattr(metrics, key)) not in (None, "")},
        **({"ulps": metrics.ulps} if metrics.ulps else {}),
        **({"metrics": metrics.metrics} if metrics.metrics else {}),
    }


def metrics_from_json(data: Mapping[str, Any]) -> OutputMetrics:
    """Decode the metrics of an output, after `json.loads`.

    Raises:
        KeyError, TypeError, ValueError: a field is missing or has an invalid value.
    """
    max_abs, max_ulp, first_bad = (data.get(key) for key in ("max_abs", "max_ulp", "first_bad"))
    return OutputMetrics(
        data_set=str(data["data_set"]),
        name=str(data["name"]),
        dtype=str(data["dtype"]),
        shape=tuple(int(size) for size in data["shape"]),
        elements=int(data["elements"]),
        mismatching=int(data["mismatching"]),
        max_abs=_number_or_none(max_abs),
        max_ulp=None if max_ulp is None else int(max_ulp),
        first_bad=None if first_bad is None else tuple(int(index) for index in first_bad),
        p99=_number_or_none(data.get("p99")),
        cosine=_number_or_none(data.get("cosine")),
        headroom=_number_or_none(data.get("headroom")),
        rounding_share=_number_or_none(data.get("rounding_share")),
        bound=str(data.get("bound", "")),
        reference=str(data.get("reference", "")),
        oracle_headroom=_number_or_none(data.get("oracle_headroom")),
        guilty=Guilty(data.get("guilty", "")),
        override=str(data.get("override", "")),
        metrics={str(name): _number(value) for name, value in data.get("metrics", {}).items()},
        insensitive=str(data.get("insensitive", "")),
        problem=Mismatch(data["problem"]) if data.get("problem") else None,
        ulps=tuple(int(count) for count in data.get("ulps", ())),
    )


def _subject_to_json(subject: Subject) -> dict[str, Any]:
    named = asdict(subject)
    # Only generated graphs have axes, so an empty value is omitted.
    return {key: value for key, value in named.items() if key != "axes" or value}


def _subject_from_json(data: Mapping[str, Any] | None) -> Subject | None:
    if data is None:
        return None
    return Subject(
        op_type=str(data["op_type"]),
        domain=str(data["domain"]),
        since_version=int(data["since_version"]),
        dtype=str(data["dtype"]),
        axes=tuple((str(axis), str(value)) for axis, value in data.get("axes", ())),
    )


def _number(value: Any) -> float:
    """Read a number, or one of the strings ``nan``, ``inf`` and ``-inf``, which JSON has no numbers for."""
    number = float(value)
    # Always the same NaN object: containers compare by identity first, so values that contain it compare equal.
    return math.nan if math.isnan(number) else number


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _line(kind: str, content: Mapping[str, Any]) -> str:
    # ASCII only: lone surrogates in a message cannot be encoded as UTF-8.
    return json.dumps({"schema_version": SCHEMA_VERSION, "kind": kind, **plain(content)}, allow_nan=False)


def plain(value: Any) -> Any:
    """Convert a value to JSON types; accepts enum members, NumPy scalars and arrays, paths and sets."""
    match value:
        case None | bool():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return str(value)
        case int():
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case bytes() | bytearray():
            return bytes(value).decode("utf-8", errors="replace")
        case Sequence():
            return [plain(item) for item in value]
        case Set():
            return sorted((plain(item) for item in value), key=repr)
    return _plain_foreign(value)


def _plain_foreign(value: Any) -> Any:
    """Convert a NumPy or ml_dtypes array or scalar to its Python value, and anything else to text."""
    if not hasattr(value, "tolist"):
        return str(value)
    python_value = value.tolist()
    # For some extension types, `tolist` returns a value of the same type.
    return plain(float(python_value) if type(python_value) is type(value) else python_value)
