"""The opsets of each operator that the sources of burn-onnx declare as supported.

Reads packaged data, written by ``tools/refresh_declared.py``; knows no results.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The opsets of one operator that its node processor accepts; `max_opset` None is no upper limit."""

    min_opset: int
    max_opset: int | None

    def covers(self, opset: int) -> bool:
        """Return whether a model of this opset may use the operator."""
        return self.min_opset <= opset and (self.max_opset is None or opset <= self.max_opset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """The declarations of a version of burn-onnx.

    Attributes:
        readme_opsets: the range of opsets that onnx-ir's README names for all operators, where it names one.
        operators: by name; an operator of another domain than ``ai.onnx`` is ``domain.op_type``.
    """

    burn_onnx: str
    onnx_ir: str
    readme_opsets: tuple[int, int] | None
    operators: Mapping[str, Declaration]


def parse(text: str) -> Declarations:
    """Read the JSON of a file of declarations.

    Raises:
        ValueError: the text is not such a file.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        span = data["readme_opsets"]
        return Declarations(
            burn_onnx=str(data["burn_onnx"]),
            onnx_ir=str(data["onnx_ir"]),
            readme_opsets=None if span is None else (int(span[0]), int(span[1])),
            operators={
                name: Declaration(min_opset=int(entry["min_opset"]), max_opset=entry["max_opset"])
                for name, entry in data["operators"].items()
            },
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        message = f"not a file of declarations: {error!r}"
        raise ValueError(message) from error


def load_packaged(burn_onnx_version: str) -> Declarations | None:
    """Read the declarations of a version of burn-onnx, None where there is no file."""
    folder = resources.files("burn_verify") / "data" / "declared"
    # Compared by name: the version comes from a record, and must not be used as a path.
    file = next((file for file in folder.iterdir() if file.name == f"{burn_onnx_version}.json"), None)
    return parse(file.read_text(encoding="utf-8")) if file else None
