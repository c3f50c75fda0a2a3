"""Every file that a record can be turned into, by name: which ones depends on what the record speaks of.

Writes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from burn_verify.cases.conformance import COLLECTED
from burn_verify.codec import Record
from burn_verify.report import errors, markdown, supported_ops

GENERATED: Final = "op"
"""The corpus of generated graphs."""


def artefacts(record: Record, expected: Mapping[str, str]) -> dict[str, str]:
    """Return text by file name: the matrix where the record has models, the tables of operators where it has cases."""
    models = tuple(result for result in record.results if result.corpus not in (*COLLECTED, GENERATED))
    made = {}
    if models or not record.results:
        made["compatibility-matrix.md"] = markdown.render(replace(record, results=models), expected)
    if len(models) < len(record.results):
        made["SUPPORTED-OPS.md"] = supported_ops.render(record, expected)
        made["supported-ops.json"] = _json(supported_ops.as_json(record, expected))
        made["errors.md"] = errors.render(record, expected)
        made["errors.json"] = _json(errors.as_json(record, expected))
    if any(result.corpus == GENERATED for result in record.results):
        from burn_verify.report import generated

        made |= generated.pages(record)
    return made


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
