"""The data of the page's script: cases, operators and causes as compact JSON, and apart from it the evidence.

A text is stored once, and used by its place in a list. Decides nothing about results.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.text import one_line, plain
from burn_verify.record.codec import Record
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.ends import end_of, first_line, headroom_of, is_model, own_operator
from burn_verify.report.summary.error_lines import sections_of
from burn_verify.report.summary.findings import Findings, cell_json, writable
from burn_verify.report.summary.messages import message_and_rust
from burn_verify.report.summary.operator_rows import Row, support_of
from burn_verify.report.summary.states import OPERATOR_STATES, RANK, STATES, State, state_of
from burn_verify.report.summary.tiers import tally
from burn_verify.report.summary.trails import Trails
from burn_verify.report.views.latency import row_of as timed_row

_MESSAGE: Final = 4000
"""Characters of a message that the page shows; matrix.json has the whole message."""


_MOST: Final = 1e308
_NUMBERS: Final = ("mismatching", "elements", "max_abs", "max_ulp", "headroom")
_HAVE_COLUMNS: Final = ("data_set", "name", "dtype", "shape", *_NUMBERS, "bound", "ulps")


class Texts:
    """Texts by their place; the same text has the same place."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Return the place of a text, a new one where it is new."""
        return self._places.setdefault(text, len(self._places))

    @property
    def all(self) -> list[str]:
        """Every text, in the order of the places."""
        return list(self._places)


CHUNK: Final = 250
"""Cases whose evidence is one text: the page reads one of them when a case is opened."""


def as_script(findings: Findings) -> str:
    """Return what the tables show as JSON that may stand inside a ``script`` element."""
    texts = Texts()
    columns = findings.matrix.columns
    rows = {case_id: place for place, case_id in enumerate(findings.matrix.rows)}
    data = {
        "states": [_state(state) for state in STATES],
        "operatorStates": [_state(state) for state in OPERATOR_STATES.values()],
        "targets": [column.target.label for column in columns],
        "chunk": CHUNK,
        "runs": [trails.runs for trails in findings.trails],
        "cases": [_case(case_id, results, findings, texts) for case_id, results in findings.matrix.rows.items()],
        "operators": [_operators(column, rows, texts) for column in columns],
        "causes": [
            _causes(column.record, expected, rows, texts)
            for column, expected in zip(columns, findings.expected, strict=True)
        ],
        "texts": texts.all,
    }
    return _embedded(data)


def evidence(findings: Findings) -> list[str]:
    """Return the evidence of the cases, `CHUNK` of them at a time, as JSON like that of `as_script`."""
    columns = findings.matrix.columns
    rows = list(findings.matrix.rows.values())
    made = []
    for start in range(0, len(rows), CHUNK):
        texts = Texts()
        cells = [
            [
                _evidence(result, expected, column, texts)
                for result, expected, column in zip(results, findings.expected, columns, strict=True)
            ]
            for results in rows[start : start + CHUNK]
        ]
        made.append(_embedded({"cells": cells, "texts": texts.all}))
    return made


def _embedded(value: Any) -> str:
    # A text may hold "</script>"; ASCII also keeps lone surrogates writable.
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _state(state: State) -> dict[str, Any]:
    return {"key": state.key, "symbol": state.symbol, "word": state.word, "tone": state.tone.value}


def _case(case_id: str, results: Sequence[CaseResult | None], findings: Findings, texts: Texts) -> dict[str, Any]:
    """Return one row: the id, the operators, whether it is a model, and a cell a target."""
    first = next((result for result in results if result is not None), None)
    own = own_operator(first) if first else None
    trails = findings.trails or (Trails(),) * len(results)
    return {
        "id": case_id,
        "model": int(first is None or is_model(first)),
        "operators": [texts.place(name) for name in ((own,) if own else first.op_types if first else ())],
        "note": texts.place(first.note) if first and first.note else None,
        "cells": [
            _cell(result, expected, column, texts) | _trail(trail.states.get(case_id))
            for result, expected, column, trail in zip(
                results, findings.expected, findings.matrix.columns, trails, strict=True
            )
        ],
    }


def _trail(states: Sequence[State | None] | None) -> dict[str, Any]:
    return {"trail": [-1 if state is None else RANK[state] for state in states]} if states else {}


def _cell(result: CaseResult | None, expected: Mapping[str, str], column: Column, texts: Texts) -> dict[str, Any]:
    """Return what the tables show of a cell, without empty values."""
    made: dict[str, Any] = {"state": RANK[state_of(result, started=not column.failure)]}
    if result is None:
        return made
    if why := one_line(writable(result.reason)) or first_line(result):
        made["why"] = texts.place(writable(why))
    if result.case_id in expected:
        made["expected"] = texts.place(expected[result.case_id])
    if (used := headroom_of(result)) is not None:
        made["headroom"] = used if abs(used) < float("inf") else 1e308
    if is_model(result) and (bound := _bound(result)):
        made["bound"] = texts.place(bound)
    if (latency := result.latency) is not None:
        row = timed_row(result, latency)
        made["times"] = [texts.place(text) for text in row.speed[2:]]
        made["size"] = latency.cost.weights
    return made


def _bound(result: CaseResult) -> str:
    """Return the tolerance of the output that uses most of it."""
    known = [output for output in result.metrics if output.headroom is not None]
    return max(known, key=lambda output: output.headroom or 0.0).bound if known else ""


def _evidence(result: CaseResult | None, expected: Mapping[str, str], column: Column, texts: Texts) -> dict[str, Any]:
    """Return what the dialog of a cell shows, without empty values."""
    if result is None:
        return {}
    found = cell_json(result, expected, column)
    made: dict[str, Any] = {"stage": texts.place(found["stage"])}
    for name in ("reason", "message", "advice", "fed", "rust", "onnxruntime", "reproduce"):
        if text := found[name]:
            made[name] = texts.place(str(text) if len(str(text)) <= _MESSAGE else f"{str(text)[:_MESSAGE]}…")
    if found["rust_line"] is not None:
        made["line"] = found["rust_line"]
    if found["metrics"]:
        made["metrics"] = [_metrics(output, texts) for output in found["metrics"]]
    if located := result.details.get("located"):
        made["located"] = texts.place(str(located["line"]))
        made["strip"] = _strip(located, texts)
    if ulps := [[texts.place(output.name), output.ulps] for output in result.metrics if output.ulps]:
        made["ulps"] = ulps
    return made


def _strip(located: Mapping[str, Any], texts: Texts) -> list[list[Any]]:
    """Return name, operator, tone and error of each node of a model whose wrong node was looked for."""
    return [
        [
            texts.place(state["name"]),
            texts.place(state["op_type"]),
            "wrong" if state["fails"] else "good" if state["known"] else "neutral",
            state["headroom"] if state["headroom"] is None or isfinite(state["headroom"]) else _MOST,
        ]
        for state in located.get("states") or ()
    ]


def _metrics(output: Mapping[str, Any], texts: Texts) -> list[Any]:
    """Return the metrics of one output in the order of the columns of their table; the last tells all the others."""
    shape = ",".join(map(str, output["shape"]))
    named = [texts.place(output["data_set"]), texts.place(output["name"]), texts.place(f"{output['dtype']}[{shape}]")]
    more = [
        f"{name.replace('_', ' ')} {_shown(value)}"
        for name, value in output.items()
        if name not in _HAVE_COLUMNS and value not in (None, "")
    ]
    return [
        *named,
        *(output[name] for name in _NUMBERS),
        texts.place(str(output["bound"])),
        texts.place(", ".join(more)),
    ]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else plain(value)


def _operators(column: Column, places: Mapping[str, int], texts: Texts) -> list[dict[str, Any]]:
    """Return the operators that a case is about, with a cell a version and a cell a dtype."""
    own: dict[str, list[CaseResult]] = defaultdict(list)
    for result in column.record.results:
        if name := own_operator(result):
            own[name].append(result)
    return [_operator(row, own[row.name], places, texts) for row in support_of(column.record).rows]


def _operator(row: Row, own: Sequence[CaseResult], places: Mapping[str, int], texts: Texts) -> dict[str, Any]:
    versions: dict[Any, list[CaseResult]] = {version: [] for version in row.operator.versions}
    dtypes: dict[Any, list[CaseResult]] = defaultdict(list)
    for result in own:
        if result.subject:
            versions.setdefault(result.subject.since_version, []).append(result)
            dtypes[result.subject.dtype or "none"].append(result)
    return {
        "name": row.name,
        "status": _place_of(row.status),
        "ordinary": [_place_of(row.ordinary.status), row.ordinary.agree, row.ordinary.total],
        "counts": [row.agree, row.attempted, row.total],
        "versions": [_group(version, results, places) for version, results in sorted(versions.items())],
        "dtypes": [_group(dtype, results, places) for dtype, results in sorted(dtypes.items())],
        "untested": sorted(set(row.operator.dtypes) - dtypes.keys()),
        "problem": texts.place(row.problems[0].reason) if row.problems else None,
    }


def _group(name: Any, results: Sequence[CaseResult], places: Mapping[str, int]) -> list[Any]:
    found = tally(map(end_of, results))
    return [str(name), _place_of(found.status), [places[result.case_id] for result in results], found.agree]


def _place_of(status: Any) -> int:
    return list(OPERATOR_STATES).index(status)


def _causes(
    record: Record, expected: Mapping[str, str], places: Mapping[str, int], texts: Texts
) -> list[dict[str, Any]]:
    """Return the causes of failures, those of most cases first."""
    made = [
        {
            "stage": texts.place(section.stage.value),
            "kind": texts.place(section.kind),
            "reason": texts.place(one_line(line.title)),
            "said": texts.place("; ".join(filter(None, message_and_rust(line.example, line.key)))),
            "expected": line.expected,
            "operators": [[texts.place(operator.name), operator.count] for operator in line.operators],
            "example": places[line.example.case_id],
            "cases": _places(line.cases, places),
        }
        for section in sections_of(record.results, expected)
        for line in section.lines
    ]
    return sorted(made, key=lambda cause: -len(cause["cases"]))


def _places(results: Iterable[CaseResult], places: Mapping[str, int]) -> list[int]:
    return [places[result.case_id] for result in results]
