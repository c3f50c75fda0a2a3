"""What of a model burn-onnx is known to stumble over, and how to say the same so that it does not.

Said beside a failure, never instead of it: a model with such a trait may well work. Takes a protobuf message and runs
nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import onnx

from burn_verify.graph.facts import runtime_inputs, text

_KEYWORDS: Final = """\
abstract as async await become box break const continue crate do dyn else enum extern false final fn for
gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super
trait true try type typeof unsafe unsized use virtual where while yield
"""
"""Rust's keywords, those that are only reserved included, lower-cased: https://doc.rust-lang.org/reference/keywords.html"""

_SHOWN: Final = 3
"""So many names of a kind are told; the others are alike."""


def advice(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return in a sentence each what may be the matter with a model.

    Raises:
        ValueError: the model is damaged.
    """
    return (*_functions(model), *_shapeless(model), *_keywords(model), *_alike(model))


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


def _keywords(model: onnx.ModelProto) -> Iterator[str]:
    names = [text(value.name) for value in (*runtime_inputs(model.graph), *model.graph.output)]
    for name in dict.fromkeys(names):
        if name.lower() in _KEYWORDS.split():
            kind = "input" if any(value.name == name for value in model.graph.input) else "output"
            yield f"{kind} `{name}` is a Rust keyword, and burn-onnx names a variable like it: call it something else"


def _alike(model: onnx.ModelProto) -> Iterator[str]:
    """Tell of values that burn-onnx may give one name, as it writes names in lower case and without punctuation."""
    names = dict.fromkeys(_values(model.graph))
    for how, key in (("differ in case only", str.lower), ("differ in punctuation only", _plain)):
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


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name.lower())


def _inputs(names: list[str]) -> str:
    return f"input `{names[0]}` has" if len(names) == 1 else f"inputs {_some(f'`{name}`' for name in names)} have"


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
