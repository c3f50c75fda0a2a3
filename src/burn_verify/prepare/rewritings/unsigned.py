"""Weights of quantised layers in unsigned 8 bits: the same numbers, on which ONNX Runtime saturates nowhere.

On processors without VNNI, ONNX Runtime adds two products of unsigned by signed 8 bits in 16 bits, with saturation. Of
unsigned by unsigned ones it computes the exact sum. So its answer to the same model changes, and Burn, which computes
exactly, agrees with the second one.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

from burn_verify.graph import facts
from burn_verify.graph.operators import canonical
from burn_verify.prepare.body import Names
from burn_verify.prepare.known import Array, copied, known
from burn_verify.prepare.prune import pruned

_PLACES: Final = {"QLinearConv": (3, 5), "QLinearMatMul": (3, 5), "ConvInteger": (1, 3), "MatMulInteger": (1, 3)}
"""The inputs with the weights and with their zero points, by operator."""
_HALF: Final = 128


def unsigned_weights(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Add 128 to constant weights and zero points in signed 8 bits; None where no layer has such weights.

    Differences of weights and zero points stay as they are, so every layer computes the same.
    """
    about, names = known(model), Names(model)
    changed = copied(model)
    made: dict[str, str] = {}

    def shifted(name: str, value: Array) -> str:
        if name not in made:
            made[name] = names.new(name)
            moved = (value.astype(np.int16) + _HALF).astype(np.uint8)
            changed.graph.initializer.append(numpy_helper.from_array(moved, made[name]))
        return made[name]

    for node in facts.nodes(changed):
        for place in _signed(node, {name: one for name in node.input if (one := about.constant(name)) is not None}):
            while len(node.input) <= place:
                node.input.append("")
            value = about.constant(node.input[place]) if node.input[place] else np.zeros((), np.int8)
            assert value is not None
            node.input[place] = shifted(node.input[place], value)
    return pruned(changed) if made else None


def _signed(node: onnx.NodeProto, constants: dict[str, Array]) -> Iterator[int]:
    """Yield the places of weights and zero points that are constants in signed 8 bits."""
    places = _PLACES.get(node.op_type, ()) if not canonical(node.domain) else ()
    given = [node.input[place] if place < len(node.input) else "" for place in places]
    values = [constants.get(name) for name in given]
    if not values or values[0] is None or values[0].dtype != np.int8:
        return
    # A zero point that is left out is 0; one that is computed has to stay, and the weights with it.
    if not given[1] or (values[1] is not None and values[1].dtype == np.int8):
        yield from places
