"""What of a model burn-onnx is known to stumble over, and how to say the same so that it does not.

Said beside a failure, never instead of it: a model with such a trait may well work. Takes a protobuf message and runs
nothing.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import onnx

from burn_verify.graph.dtypes import dtype_of
from burn_verify.graph.facts import graphs, runtime_inputs, text
from burn_verify.graph.validity import contradictions

_WORDS: Final = """\
abstract as async await become box break const continue crate do dyn else enum extern false final fn for
gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super
trait true try type typeof unsafe unsized use virtual where while yield
"""

KEYWORDS: Final = frozenset(_WORDS.split())
"""Rust's keywords, those that are only reserved included, lower-cased: https://doc.rust-lang.org/reference/keywords.html"""

_SHOWN: Final = 3
"""So many names of a kind are told; the others are alike."""


def advice(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return in a sentence each what may be the matter with a model.

    Raises:
        ValueError: the model is damaged.
    """
    return (
        *_invalid(model),
        *_sparse(model),
        *_functions(model),
        *_shapeless(model),
        *_no_tensors(model),
        *_keywords(model),
        *_alike(model),
    )


def _invalid(model: onnx.ModelProto) -> Iterator[str]:
    found = list(contradictions(model))
    if found:
        more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield f"the model is not valid ONNX, whatever becomes of it: {'; '.join(found[:_SHOWN])}{more}"


def _sparse(model: onnx.ModelProto) -> Iterator[str]:
    names = [text(one.values.name) for graph in graphs(model) for one in graph.sparse_initializer]
    if names:
        yield (
            f"sparse constants ({_some(f'`{name}`' for name in names)}) are none to burn-onnx, which reads dense ones: "
            "make them initializers"
        )


def without_tensor(model: onnx.ModelProto) -> str | None:
    """Return the kind of the first input or output that is no tensor, such as ``sequence``; None where all are."""
    return next((_kind(value.type) for value in _not_tensors(model)), None)


def _functions(model: onnx.ModelProto) -> Iterator[str]:
    names = [text(function.name) for function in model.functions]
    if names:
        yield (
            f"the model has local functions ({_some(map(repr, names))}), which burn-onnx takes for custom operators: "
            "onnx.inliner.inline_local_functions(model) makes them plain nodes"
        )


def _shapeless(model: onnx.ModelProto) -> Iterator[str]:
    names = [
        text(value.name)
        for value in runtime_inputs(model.graph)
        if value.type.WhichOneof("value") == "tensor_type" and not value.type.tensor_type.HasField("shape")
    ]
    if names:
        yield (
            f"{_inputs(names)} no shape, and burn-onnx takes what has none for a scalar: say at least its rank, "
            "unknown sizes by name"
        )


def _no_tensors(model: onnx.ModelProto) -> Iterator[str]:
    for value in _not_tensors(model):
        put = "output" if any(one is value for one in model.graph.output) else "input"
        remedy = (
            "exported with options={'zipmap': False} of skl2onnx, it is a tensor"
            if put == "output"
            and _kind(value.type) == "sequence"
            and _kind(value.type.sequence_type.elem_type) == "map"
            else f"take what makes a tensor {'of' if put == 'output' else 'from'} it into the graph, or leave it out"
        )
        yield f"{put} `{text(value.name)}` is {_type_text(value.type)}, and Burn has a value for tensors only: {remedy}"


def _not_tensors(model: onnx.ModelProto) -> Iterator[onnx.ValueInfoProto]:
    for value in (*runtime_inputs(model.graph), *model.graph.output):
        if _kind(value.type) not in ("", "tensor"):
            yield value


def _kind(kind: onnx.TypeProto) -> str:
    """Return what a type is made with, such as ``sequence``; empty where nothing is said."""
    return (kind.WhichOneof("value") or "").removesuffix("_type")


def _type_text(kind: onnx.TypeProto) -> str:
    """Return a type as part of a sentence: ``a sequence of (a map of int64 to (a tensor of float32))``."""
    match _kind(kind):
        case "tensor" | "sparse_tensor" as word:
            inner = kind.tensor_type if word == "tensor" else kind.sparse_tensor_type
            return f"a {word.replace('_', ' ')} of {dtype_of(inner.elem_type)}"
        case "sequence":
            return f"a sequence of ({_type_text(kind.sequence_type.elem_type)})"
        case "optional":
            return f"an optional ({_type_text(kind.optional_type.elem_type)})"
        case "map":
            return f"a map of {dtype_of(kind.map_type.key_type)} to ({_type_text(kind.map_type.value_type)})"
        case other:
            return other or "anything"


def _keywords(model: onnx.ModelProto) -> Iterator[str]:
    names = [text(value.name) for value in (*runtime_inputs(model.graph), *model.graph.output)]
    for name in dict.fromkeys(names):
        if name.lower() in KEYWORDS:
            kind = "input" if any(value.name == name for value in model.graph.input) else "output"
            yield f"{kind} `{name}` is a Rust keyword, and burn-onnx names a variable like it: call it something else"


def _alike(model: onnx.ModelProto) -> Iterator[str]:
    """Tell of values that burn-onnx may give one name, as it writes names in lower case and without punctuation."""
    names = dict.fromkeys(_values(model.graph))
    for how, key in (
        ("differ in case only", str.lower),
        ("differ in punctuation only", _levelled),
        ("are written alike", plain),
    ):
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(key(name), []).append(name)
        found = [group for group in groups.values() if len(group) > 1]
        for group in found:
            for name in group:
                names.pop(name, None)
        told = [" and ".join(f"`{name}`" for name in group[:_SHOWN]) for group in found]
        if told:
            yield f"{_some(told)} {how}, and burn-onnx may take one for the other: give them names of their own"


def _values(graph: onnx.GraphProto) -> Iterator[str]:
    yield from (text(value.name) for value in graph.input)
    yield from (text(tensor.name) for tensor in graph.initializer)
    yield from (text(name) for node in graph.node for name in node.output if name)


def _levelled(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name.lower())


def plain(name: str) -> str:
    """Return a name as burn-onnx writes it: `sanitize_name` of onnx-ir 0.22.

    In lower case, with an underscore before each word that began with a capital, and in place of all else than letters
    of ASCII and digits; without what comes last of these.
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    kept = words if re.match(r"[0-9A-Za-z_]", words) else words[1:]
    whole = re.sub(r"[^0-9A-Za-z]+", "_", kept).lower()
    stem = whole.rstrip("_") or whole
    return f"_{stem}" if stem[:1].isdigit() else stem


def _inputs(names: list[str]) -> str:
    return f"input `{names[0]}` has" if len(names) == 1 else f"inputs {_some(f'`{name}`' for name in names)} have"


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
