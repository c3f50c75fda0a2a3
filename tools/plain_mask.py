"""Write an encoder of sentences with its attention mask as exports of 2024 and before have it: (1 - mask) * lowest.

usage: python tools/plain_mask.py all-MiniLM-L6-v2.onnx minilm-plain-mask.onnx

Newer exports look every place of the mask up by GatherND, which burn-import 0.19.1 does not have. What the attention
adds is the same, and so are the answers, as long as a sentence has one token at least: ONNX Runtime is asked, too.
"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

MASK: Final = "attention_mask"
_NODES: Final[tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...]] = (
    ("Unsqueeze", (MASK, "plain_axes"), {}),
    ("Cast", ("plain_mask_0",), {"to": onnx.TensorProto.FLOAT}),
    ("Sub", ("plain_one", "plain_mask_1"), {}),
    ("Mul", ("plain_mask_2", "plain_lowest"), {}),
)


def with_plain_mask(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with another way to its one Where, of which nothing is left.

    Raises:
        ValueError: the model has no such mask, or several.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    chosen = [place for place, node in enumerate(graph.node) if node.op_type == "Where"]
    if len(chosen) != 1 or MASK not in {one.name for one in graph.input}:
        msg = f"{len(chosen)} nodes Where, 1 expected, and an input {MASK}"
        raise ValueError(msg)
    (place,) = chosen
    last = graph.node[place].output[0]
    names = [f"plain_mask_{number}" for number in range(len(_NODES) - 1)]
    nodes = [
        helper.make_node(kind, list(inputs), [output], **attributes)
        for (kind, inputs, attributes), output in zip(_NODES, (*names, last), strict=True)
    ]
    kept = _needed([*graph.node[:place], *nodes, *graph.node[place + 1 :]], {one.name for one in graph.output})
    constants: dict[str, np.ndarray[Any, Any]] = {
        "plain_axes": np.array([1, 2], np.int64),
        "plain_one": np.array(1, np.float32),
        "plain_lowest": np.array(np.finfo(np.float32).min),
    }
    read = {name for node in kept for name in node.input}
    stored = [one for one in graph.initializer if one.name in read]
    stored += [numpy_helper.from_array(value, name) for name, value in constants.items()]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(stored)
    onnx.checker.check_model(made)
    return made


def _needed(nodes: list[onnx.NodeProto], outputs: set[str]) -> list[onnx.NodeProto]:
    read, kept = set(outputs), []
    for node in reversed(nodes):
        if not read.isdisjoint(node.output):
            kept.append(node)
            read.update(node.input)
    return kept[::-1]


def difference(one: Path, two: Path) -> float:
    """Return the greatest difference of ONNX Runtime's answers, for two sentences of which one is padded."""
    drawn = np.random.default_rng(0)
    fed = {
        "input_ids": drawn.integers(0, 1000, (2, 9)),
        MASK: np.array([[1] * 9, [1] * 5 + [0] * 4]),
        "token_type_ids": np.zeros((2, 9), np.int64),
    }
    sessions = [onnxruntime.InferenceSession(path) for path in (one, two)]
    names = {one.name for one in sessions[0].get_inputs()}
    answers = [session.run(None, {name: fed[name] for name in names}) for session in sessions]
    return max(float(np.abs(a - b).max()) for a, b in zip(*answers, strict=True))


def main(source: str, made: str) -> None:
    """Write the model, and say how far ONNX Runtime's answers are from those to the model as it is."""
    onnx.save(with_plain_mask(onnx.load(source)), made)
    print(f"{made}: {difference(Path(source), Path(made)):.3g} apart in ONNX Runtime")


if __name__ == "__main__":
    main(*sys.argv[1:])
