"""Every file that a record can be turned into, by name: which ones depends on what the record speaks of.

Writes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from burn_verify.cases.generated import CORPUS
from burn_verify.codec import Record
from burn_verify.report import errors, latency, markdown, supported_ops
from burn_verify.report.evidence import is_model
from burn_verify.types import CaseResult


def artefacts(record: Record, expected: Mapping[str, str]) -> dict[str, str]:
    """Return text by file name: the matrix where the record has models, the tables of operators where it has cases."""
    models = tuple(filter(is_model, record.results))
    made = {}
    if models or not record.results:
        made["compatibility-matrix.md"] = markdown.render(replace(record, results=models), expected) + _timed(models)
    if others := [result for result in record.results if not is_model(result)]:
        made["SUPPORTED-OPS.md"] = supported_ops.render(record, expected) + _timed(others)
        made["supported-ops.json"] = json_text(supported_ops.as_json(record, expected))
        made["errors.md"] = errors.render(record, expected)
        made["errors.json"] = json_text(errors.as_json(record, expected))
    if any(result.corpus == CORPUS for result in record.results):
        from burn_verify.report import generated

        made |= generated.pages(record)
    return made


def _timed(results: Sequence[CaseResult]) -> str:
    text = latency.as_markdown(results)
    return f"\n## Latency\n\n{text}\n" if text else ""


def json_text(value: Mapping[str, Any]) -> str:
    """Return JSON that Git can show line by line."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
