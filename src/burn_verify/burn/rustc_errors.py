"""Parse the messages of rustc and cargo about generated crates; find the module and ONNX node of each error.

Pure functions on JSON messages.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.burn.codegen import Group
from burn_verify.burn.reasons import location, rejection
from burn_verify.core.errors import CompileError
from burn_verify.core.stage import ConvertedModel

_BINDING: Final = re.compile(r"^\s*let (?:mut )?\(?(\w*?\d+)_out\d+\b")
_ALONE: Final = re.compile(r"^\s*let (?:mut )?(\w*\d)\b")
_FUNCTION: Final = re.compile(r"^\s*(?:pub )?fn ")
_FAILED: Final = re.compile(r"error: could not compile `([^`]+)`")
_UNIT: Final = re.compile(r"-([0-9a-f]{16})\b")
_FIELD: Final = re.compile(r"self\s*\.\s*(\w*\d)\b")


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
        rendered: the error as rustc prints it on a terminal.
        spots: all places that the error names, the most specific first.
    """

    code: str | None
    message: str
    rendered: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoMessage:
    """One relevant line of ``cargo --message-format=json``.

    Attributes:
        crate: the crate that the line is about.
        executable: path of a binary that was made.
        error: an error of rustc.
        units: hashes in the names of the files that were made; cargo gives different builds different hashes.
    """

    crate: str
    executable: str | None = None
    error: RustError | None = None
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The errors of a failed build by module.

    Attributes:
        errors: rustc's errors by module; every error names the module's file, or the line that binds it.
        suspects: crates that failed although no error names one of their modules.
    """

    errors: Mapping[str, Sequence[RustError]]
    suspects: tuple[Group, ...]


def parse(line: str) -> CargoMessage | None:
    """Parse a line; None where it is not relevant."""
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
        # A procedural macro may print arbitrary text.
        return None
    return None


def failed_crate(line: str) -> str | None:
    """Return the crate that a line of cargo's stderr reports as failed, with or without an error message."""
    found = _FAILED.match(line.strip())
    return found[1] if found else None


def attribute(groups: Sequence[Group], errors: Sequence[tuple[str, RustError]], failed: Collection[str]) -> Attribution:
    """Find the module of each error of rustc.

    Arguments:
        errors: crate and error, in the order in which rustc reports them.
        failed: crates that cargo reports as failed.
    """
    by_crate = {group.crate: group for group in groups}
    by_module: dict[str, list[RustError]] = {}
    for crate, error in errors:
        if crate in by_crate and (model := next(_named(error, by_crate[crate]), None)):
            by_module.setdefault(model.module, []).append(error)
    suspects = tuple(
        group
        for group in groups
        if group.modules.isdisjoint(by_module)
        and (group.crate in failed or any(crate == group.crate for crate, _ in errors))
    )
    return Attribution(errors=by_module, suspects=suspects)


def compile_error(model: ConvertedModel, generated: str, errors: Sequence[RustError]) -> CompileError:
    """Return the error of a module: rustc's messages, the codes, the first generated line and its node.

    Arguments:
        generated: text of the model's Rust file.
    """
    lines = generated.splitlines()
    first = next((spot for error in errors for spot in error.spots if spot.file == str(model.rust)), None)
    place = first.line if first and 0 < first.line <= len(lines) else None
    details = {
        "codes": sorted({error.code for error in errors if error.code}),
        "errors": len(errors),
        "line": first.line if first else None,
        "rust": lines[place - 1].strip() if place else None,
        "node": node_of(lines, place) if place else None,
        "file": f"{model.rust.parent.name}/{model.rust.name}",
    }
    message = "\n".join(error.rendered or error.message for error in errors[:5]).strip()
    # The record is read on other machines, where the folders of this machine mean nothing.
    message = location(message, model.rust.parent.parent)
    return CompileError(message, rejection([(error.code, error.message) for error in errors]), details)


def node_of(lines: Sequence[str], number: int) -> str | None:
    """Return burn-onnx's name of the node of a generated line, e.g. ``conv2d1``, where it can be determined.

    burn-onnx names a node by operator and number, and its outputs ``<node>_out<n>``. Names inside the block of a node
    are variables of the generated code.

    Arguments:
        number: of the line, from 1.
    """
    depth, alone = len(lines[number - 1]) + 1, None
    for text in reversed(lines[:number]):
        indent = len(text) - len(text.lstrip())
        if not text.strip() or indent >= depth:
            continue
        depth = indent
        if binding := _BINDING.match(text):
            return binding[1]
        if _FUNCTION.match(text):
            break
        # The fields that `new` creates are named like their node, without a suffix.
        alone = _ALONE.match(text) or alone
    found = alone or _FIELD.search(lines[number - 1])
    return found[1] if found else None


def _named(error: RustError, group: Group) -> Iterator[ConvertedModel]:
    files = {str(model.rust): model for model in group.models}
    for spot in error.spots:
        if spot.file in files:
            yield files[spot.file]
        elif spot.file.endswith(f"{group.crate}/src/lib.rs") and (model := group.model_at(spot.line)):
            yield model


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
    """Yield a span, then the macro calls from which it was expanded."""
    yield Spot(file=span.get("file_name", ""), line=span.get("line_start", 0))
    expansion = span.get("expansion")
    if expansion:
        yield from _unfold(expansion["span"])
