"""The typed face of a generated model: inputs and outputs as Rust structs, named after those of the graph.

Pure: text in, text out. The types are those that burn-onnx wrote; nothing is inferred from the graph.
"""

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.burn.codegen import rust_string
from burn_verify.core.case import Shape, TensorSpec
from burn_verify.core.errors import ConvertError

_FORWARD: Final = re.compile(
    r"^impl Model \{.*?pub fn forward\(\s*&self,?\s*(?P<takes>[^)]*?),?\s*\)\s*(?:->\s*(?P<gives>[^{]*?))?\s*\{",
    re.DOTALL | re.MULTILINE,
)
_DEFAULT: Final = re.compile(r"^impl Default for Model \{\n.*?^\}\n+", re.DOTALL | re.MULTILINE)
_ORIGIN: Final = re.compile(r"\A// Generated from ONNX .*\n")
RUST_WORDS: Final = frozenset(
    [
        *(
            "abstract",
            "as",
            "async",
            "await",
            "become",
            "box",
            "break",
            "const",
            "continue",
            "crate",
            "do",
            "dyn",
            "else",
            "enum",
            "extern",
            "false",
            "final",
            "fn",
        ),
        *(
            "for",
            "gen",
            "if",
            "impl",
            "in",
            "let",
            "loop",
            "macro",
            "match",
            "mod",
            "move",
            "mut",
            "override",
            "priv",
            "pub",
            "ref",
            "return",
            "self",
            "static",
            "struct",
        ),
        *(
            "super",
            "trait",
            "true",
            "try",
            "type",
            "typeof",
            "unsafe",
            "unsized",
            "use",
            "virtual",
            "where",
            "while",
            "yield",
        ),
    ]
)
"""Keywords, reserved ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input or an output.

    Attributes:
        field: a Rust identifier, unique among the inputs or the outputs.
        kind: the Rust type, as burn-onnx wrote it.
        name: in the graph.
    """

    field: str
    kind: str
    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The inputs and outputs of a model, in the order of the graph."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def face_of(generated: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Face:
    """Return the face of generated code.

    Raises:
        ConvertError: the code has no `forward` with as many inputs and outputs as the graph.
    """
    found = _FORWARD.search(generated)
    takes = [part.partition(":")[2].strip() for part in _split(found["takes"])] if found else []
    gives = _gives(found["gives"] or "") if found else []
    if found is None or (len(takes), len(gives)) != (len(inputs), len(outputs)):
        message = (
            f"the generated code takes {len(takes)} values and gives {len(gives)}, "
            f"the model takes {len(inputs)} and gives {len(outputs)}"
        )
        raise ConvertError(message, "generated code does not fit the model")
    return Face(inputs=_ports(takes, inputs), outputs=_ports(gives, outputs))


def portable(generated: str) -> str:
    """Return generated code without what names this machine: where it came from, and `Default`, which names a path."""
    return _DEFAULT.sub("", _ORIGIN.sub("", generated))


def identifiers(names: Sequence[str]) -> tuple[str, ...]:
    """Return a Rust identifier for each name: unique, and as near to the name as Rust allows."""
    taken: set[str] = set()
    found = []
    for name in names:
        plain = re.sub(r"_+", "_", re.sub(r"[^0-9a-z_]", "_", _snake(name))).strip("_") or "value"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        plain = f"{plain}_" if plain in RUST_WORDS or keyword.iskeyword(plain) else plain
        unique = next(one for one in _numbered(plain) if one not in taken)
        taken.add(unique)
        found.append(unique)
    return tuple(found)


def port_table(title: str, ports: Sequence[Port]) -> str:
    """Return a constant with names, dtypes and shapes; a dimension that is free is ``None``."""
    rows = "".join(
        f"    Port {{ name: {rust_string(port.name)}, dtype: {rust_string(port.dtype)}, shape: &[{_dims(port)}] }},\n"
        for port in ports
    )
    return f"pub const {title}: [Port; {len(ports)}] = [\n{rows}];\n"


def struct(title: str, doc: str, ports: Sequence[Port]) -> str:
    """Return a struct with a documented field for each port."""
    fields = "".join(f"    /// {described(port)}\n    pub {port.field}: {port.kind},\n" for port in ports)
    return f"/// {doc}\npub struct {title} {{\n{fields}}}\n"


def described(port: Port) -> str:
    """Return a port in words, in one line: name, dtype and shape."""
    dims = ", ".join("?" if dim is None else str(dim) for dim in port.shape)
    return " ".join(f"`{port.name}`: {port.dtype}[{dims}]".split())


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _numbered(plain: str) -> Iterator[str]:
    yield plain
    number = 2
    while True:
        yield f"{plain}_{number}"
        number += 1


def _dims(port: Port) -> str:
    return ", ".join(f"Some({dim})" if isinstance(dim, int) else "None" for dim in port.shape)


def _ports(kinds: Sequence[str], specs: Sequence[TensorSpec]) -> tuple[Port, ...]:
    fields = identifiers([spec.name for spec in specs])
    return tuple(
        Port(field=field, kind=" ".join(kind.split()), name=spec.name, dtype=spec.dtype, shape=spec.shape)
        for field, kind, spec in zip(fields, kinds, specs, strict=True)
    )


def _gives(text: str) -> list[str]:
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        return _split(text[1:-1])
    return [text] if text else []


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += (char in "<[(") - (char in ">])")
        if char == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]
