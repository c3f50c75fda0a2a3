"""Extract short, normalised reasons from long messages, so that equal causes can be counted.

Pure functions on text. The whole message is always stored with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burn_verify.core.result import RefusalKind
from burn_verify.core.text import first_sentence, sentences, shortened

_LENGTH: Final = 160
_CUSTOM_OP: Final = re.compile(r"^  - (\S+) used by \d+ node", re.MULTILINE)
# burn-onnx has two wordings: one while it parses, one while it writes Rust.
_MISSING: Final = re.compile(r"(?:Unsupported ONNX operation\(s\): |, )(\w+) \(node '")
_LISTED: Final = re.compile(r"^Unsupported ops: \[(.*)\]", re.MULTILINE)
"""The wording of burn-import."""
_NODE_TYPE: Final = re.compile(r"Unsupported node type for inputs: (\w+)")
_UNSUPPORTED: Final = re.compile(r"not (?:currently |yet )?support", re.IGNORECASE)
_STATED: Final = re.compile(r"src/(?:import|onnx)/model_gen\.rs")
"""Source file in which burn-onnx, or burn-import, reports errors that it handles; a panic anywhere else is an unhandled
error."""
_TELLING_NUMBERS: Final = re.compile(r"\b(node|slice) ?\w*\d+ has steps=\S+|(?<=type_id=)\d+|(?<=dtype: )\d+")
_CAUSE: Final = re.compile(r"^Caused by:\n\s+(\S[^\n]*)", re.MULTILINE)
_SHADER: Final = re.compile(r"^Shader '[^']*' (?:parsing|validation) error: ([^\n]+)", re.MULTILINE)
_CHECK: Final = re.compile(r"=== Tensor Operation Error ===\s+Operation: '([^']*)'\s+Reason:\s+1\. ([^\n]*)")
_NODE: Final = re.compile(r"[Nn]ode '[^']*' \((\w+)\): ")
_HEAD: Final = re.compile(r"(\w+): ")
_PREFIX: Final = re.compile(r"^(Failed to parse ONNX file '.*?': |Type inference failed: |Processing error: )+")
_REGISTRY: Final = re.compile(r"\S*/registry/src/[^/]+/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal of burn-onnx.

    Attributes:
        reason: the message without the path, names and counts of one model.
        unsupported: the operators that burn-onnx does not support, as ``OpType`` or ``domain::OpType``.
        operator: operator of the refused node, or the prefix of burn-onnx's node name; empty where the message names
            none.
    """

    reason: str
    kind: RefusalKind
    unsupported: tuple[str, ...] = ()
    operator: str = ""

    @property
    def named(self) -> Mapping[str, Any]:
        """Fields that a record stores besides reason and kind; empty fields are left out."""
        found = {"unsupported": list(self.unsupported), "operator": self.operator}
        return {key: value for key, value in found.items() if value}


def refusal(message: str, where: str | None = None) -> Refusal:
    """Parse the message of a refusal of burn-onnx.

    Arguments:
        where: location of the panic; burn-onnx panics on every model that it refuses.
    """
    reason = _reason(message)
    unsupported = tuple(_unsupported(message))
    head = None if unsupported else _HEAD.match(reason)
    return Refusal(
        reason=reason,
        kind=_kind(message, where),
        unsupported=unsupported,
        operator=head[1] if head else "",
    )


def _reason(message: str) -> str:
    if operators := _unsupported(message):
        return shortened(f"unsupported operators: {', '.join(operators)}", _LENGTH)
    first = message.strip().partition("\n")[0]
    nodes = list(_NODE.finditer(first))
    if nodes:
        # burn-onnx refused the innermost node; the nodes around it are control flow.
        op_type, said = nodes[-1][1], first[nodes[-1].end() :]
        return sentences(f"{op_type}: {_TELLING_NUMBERS.sub('…', said.removeprefix(f'{op_type}: '))}", _LENGTH)
    return sentences(_PREFIX.sub("", first), _LENGTH)


def _kind(message: str, where: str | None) -> RefusalKind:
    if _unsupported(message):
        return RefusalKind.UNSUPPORTED_OPERATOR
    stated = where is None or _STATED.search(where) or _UNSUPPORTED.search(message)
    return RefusalKind.UNSUPPORTED_ATTRIBUTE if stated else RefusalKind.INTERNAL_PANIC


def _unsupported(message: str) -> list[str]:
    """Return the operators that the message lists as unsupported, each once."""
    if listed := _LISTED.search(message):
        return list(dict.fromkeys(listed[1].split(", ")))
    found = _CUSTOM_OP.findall(message) or _MISSING.findall(message) or _NODE_TYPE.findall(message)
    return list(dict.fromkeys(found))


def rejection(errors: Sequence[tuple[str | None, str]]) -> str:
    """Return rustc's errors (code, message) as one reason: the first error and the number of the others."""
    code, message = errors[0]
    more = f" (+{len(errors) - 1} more)" if len(errors) > 1 else ""
    return sentences(f"{code}: {message}" if code else message, _LENGTH) + more


def panic(message: str) -> str:
    """Return the cause of a panic in one line.

    This is the error of the shader compiler, or the first reason of one of Burn's own checks, or the innermost of
    several causes, else the first line.
    """
    if shader := _SHADER.search(message):
        return sentences(f"shader: {shader[1]}", _LENGTH)
    if check := _CHECK.search(message):
        return sentences(f"{check[1]}: {' '.join(first_sentence(check[2]).split())}", _LENGTH)
    causes = _CAUSE.findall(message)
    return sentences(causes[-1] if causes else message.strip().partition("\n")[0], _LENGTH)


def location(text: str, *folders: Path) -> str:
    """Return a text with source locations, without the folders of this machine: cargo's registry, and the given ones.

    Arguments:
        folders: what lies in them is named relative to them.
    """
    for folder in folders:
        text = text.replace(f"{folder}/", "")
    return _REGISTRY.sub("", text)
