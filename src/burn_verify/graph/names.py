"""The nodes of a model by the names that burn-onnx gives them: operator and number, e.g. ``conv2d1``.

Takes a protobuf message; runs nothing.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import onnx

from burn_verify.graph.facts import text

_QUOTED: Final = re.compile(r"[Nn]ode '(\w*\d)'")
_SHOWN: Final = 3


def named_in(message: str) -> Iterator[str]:
    """Yield the names of nodes that a message of burn-onnx holds: ``Node 'maxroipool1' (MaxRoiPool): …``."""
    yield from _QUOTED.findall(message)


def in_the_model(model: onnx.ModelProto, names: Iterable[str]) -> tuple[str, ...]:
    """Return in a sentence each which nodes of a model these are, as far as it can be told, a few at most.

    burn-onnx numbers the nodes of an operator in the order of the graph, without those that it made constants before.
    """
    told = (_told(model, name) for name in dict.fromkeys(names))
    return tuple(sentence for sentence in told if sentence)[:_SHOWN]


def _told(model: onnx.ModelProto, name: str) -> str | None:
    fitting = [
        (op_type, int(found[1]))
        for op_type in {text(node.op_type) for node in model.graph.node}
        if (found := re.fullmatch(rf"{re.escape(op_type)}(?:[123]d)?(\d+)", name, re.IGNORECASE))
    ]
    # The longest: reducel11 is the first ReduceL1.
    op_type, number = max(fitting, key=lambda pair: len(pair[0]), default=("", 0))
    nodes = [node for node in model.graph.node if node.op_type == op_type]
    if not 0 < number <= len(nodes):
        return None
    node = nodes[number - 1]
    sure = "is" if len(nodes) == 1 else "is most likely"
    called = f"`{text(node.name)}`, " if node.name else ""
    gives = " and ".join(f"`{text(output)}`" for output in node.output if output)
    return f"burn-onnx's `{name}` {sure} the {op_type} {called}that gives {gives}"
