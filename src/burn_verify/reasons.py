"""Short, normalised reasons from long messages, so that equal causes can be counted.

Pure text in, text out. The whole message is always kept beside the reason.
"""

import re
from collections.abc import Sequence
from typing import Final

_LENGTH: Final = 160
_CUSTOM_OP: Final = re.compile(r"^  - (\S+) used by \d+ node", re.MULTILINE)
# Both wordings of burn-onnx: while parsing, and while writing Rust.
_NODE: Final = re.compile(r"[Nn]ode '[^']*' \((\w+)\): ")
_PREFIX: Final = re.compile(r"^(Failed to parse ONNX file '.*?': |Type inference failed: |Processing error: )+")
_REGISTRY: Final = re.compile(r"\S*/registry/src/[^/]+/")


def refusal(message: str) -> str:
    """Return burn-onnx's refusal without the path, names and counts of one model."""
    if operators := _CUSTOM_OP.findall(message):
        return _short(f"unsupported operators: {', '.join(operators)}")
    first = message.strip().partition("\n")[0]
    nodes = list(_NODE.finditer(first))
    if nodes:
        # The innermost node is the one that was refused; those around it are control flow.
        return _short(f"{nodes[-1][1]}: {first[nodes[-1].end() :]}")
    return _short(_PREFIX.sub("", first))


def rejection(errors: Sequence[tuple[str | None, str]]) -> str:
    """Return rustc's errors (code, message) as one reason: the first, and how many more there are."""
    code, message = errors[0]
    more = f" (+{len(errors) - 1} more)" if len(errors) > 1 else ""
    return _short(f"{code}: {message}" if code else message) + more


def panic(message: str) -> str:
    """Return a panic's first line without numbers that belong to one input."""
    return _short(message.strip().partition("\n")[0])


def location(text: str | None) -> str | None:
    """Return a source location without the folder that cargo's registry happens to have on this machine."""
    return None if text is None else _REGISTRY.sub("", text)


def _short(text: str) -> str:
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
