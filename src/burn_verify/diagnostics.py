"""rustc's and cargo's JSON messages: which file an error names, what it says, which ONNX node the line came from.

Pure: values in, values out. Which model a file belongs to is `build`'s business.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_BINDING: Final = re.compile(r"^\s*let (?:mut )?\(?(\w+?)(?:_out\d+)?\b")
_FAILED: Final = re.compile(r"error: could not compile `([^`]+)`")
_UNIT: Final = re.compile(r"-([0-9a-f]{16})\b")
_FIELD: Final = re.compile(r"self\s*\.\s*(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in a file: `line` counts from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RustError:
    """One error of rustc.

    Attributes:
        code: e.g. ``E0308``, None for errors without one.
        rendered: the error as rustc shows it to a person.
        spots: every place it names, the most specific first.
    """

    code: str | None
    message: str
    rendered: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoMessage:
    """One line of ``cargo --message-format=json`` that matters here.

    Attributes:
        crate: the crate it is about.
        executable: path of a binary that was made.
        error: an error of rustc.
        units: hashes in the names of the files that were made: what cargo keeps side by side where it differs.
    """

    crate: str
    executable: str | None = None
    error: RustError | None = None
    units: tuple[str, ...] = ()


def parse(line: str) -> CargoMessage | None:
    """Return what a line says, None where it says nothing of interest."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
        crate = (value.get("target") or {}).get("name", "")
        message = value.get("message") or {}
        if value.get("reason") == "compiler-artifact":
            names = tuple(_UNIT.findall(" ".join(value.get("filenames", ()))))
            return CargoMessage(crate=crate, executable=value.get("executable"), units=names)
        if value.get("reason") == "build-script-executed":
            return CargoMessage(crate="", units=tuple(_UNIT.findall(value.get("out_dir", ""))))
        if value.get("reason") == "compiler-message" and message.get("level", "").startswith("error"):
            return CargoMessage(crate=crate, error=_rust_error(message))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        # A procedural macro may print anything at all.
        return None
    return None


def failed_crate(line: str) -> str | None:
    """Return the crate that a line of cargo's stderr says could not be compiled, with or without a reason."""
    found = _FAILED.match(line.strip())
    return found[1] if found else None


def node_of(source_line: str) -> str | None:
    """Return burn-onnx's name of the node that a generated line computes, e.g. ``conv2d1``, where it can be told.

    burn-onnx names a node by operator and number, and its outputs ``<node>_out<n>``.
    """
    if binding := _BINDING.match(source_line):
        return binding[1]
    if field := _FIELD.search(source_line):
        return field[1]
    return None


def _rust_error(message: Mapping[str, Any]) -> RustError:
    code = message.get("code") or {}
    return RustError(
        code=code.get("code"),
        message=message.get("message", ""),
        rendered=message.get("rendered") or "",
        spots=tuple(_spots(message)),
    )


def _spots(message: Mapping[str, Any]) -> Iterator[Spot]:
    for span in sorted(message.get("spans", ()), key=lambda span: not span.get("is_primary", False)):
        yield from _unfold(span)
    for child in message.get("children", ()):
        yield from _spots(child)


def _unfold(span: Mapping[str, Any]) -> Iterator[Spot]:
    """Yield a span, then the macro calls it came from."""
    yield Spot(file=span.get("file_name", ""), line=span.get("line_start", 0))
    expansion = span.get("expansion")
    if expansion:
        yield from _unfold(expansion["span"])
