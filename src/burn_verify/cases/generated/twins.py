"""Metamorphic twins: another graph, or the same graph on parts of its inputs, that has to answer the same.

A twin needs no reference: where the two differ, one of them is wrong. Makes graphs and splits arrays; runs nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.cases.generated.build import Choice, Space
from burn_verify.core.case import TensorSpec

BATCH: Final = "N"
"""The name of a size along which an operator treats every part alone; operator specs use it for nothing else."""


def at_run_time(space: Space, choice: Choice) -> Choice | None:
    """Return the same graph with every drawn operand as an input instead of a constant; None where there is none."""
    constant = {
        name
        for name, kind in choice.kinds.items()
        if kind in ("init", "const") and (operand := choice.call.inputs[name]) is not None and operand.fixed is None
    }
    if not constant or set(choice.kinds.values()) & {"shape", "gathered"}:
        return None
    axes = {space.kind_axis(name): "run" for name in constant}
    twin = space.choice({**choice.row, **axes})
    return (
        twin if twin is not None and twin.id != choice.id and twin.call.inputs.keys() == choice.kinds.keys() else None
    )


def expanded(choice: Choice, model: Any) -> Any | None:
    """Return the model with the operator replaced by the function that defines it; None where it has no such function.

    Arguments:
        model: of the choice, with all types that shape inference infers.
    """
    from onnx.inliner import inline_selected_functions

    spec, schema = choice.point.spec, choice.point.schema
    if not (schema.has_function or schema.has_context_dependent_function) or choice.call.nodes:
        return None
    try:
        twin = inline_selected_functions(model, [(spec.domain, spec.op_type)], inline_schema_functions=True)
    except RuntimeError:
        # The inliner does not know the types of all operands.
        return None
    names = {node.op_type for node in twin.graph.node}
    return None if spec.op_type in names else twin


def halves(
    specs: Sequence[TensorSpec], inputs: Sequence[npt.NDArray[Any]]
) -> tuple[list[npt.NDArray[Any]], list[npt.NDArray[Any]]] | None:
    """Return inputs with the batch split in two, the first part of one element; None where there is no batch of two."""
    batched = [bool(spec.shape) and spec.shape[0] == BATCH for spec in specs]
    sizes = {array.shape[0] for array, parted in zip(inputs, batched, strict=True) if parted}
    if len(sizes) != 1 or min(sizes) < 2:
        return None
    pairs = [
        (array[:1], array[1:]) if parted else (array, array) for array, parted in zip(inputs, batched, strict=True)
    ]
    return [np.ascontiguousarray(one) for one, _ in pairs], [np.ascontiguousarray(other) for _, other in pairs]


def joined(one: Sequence[npt.NDArray[Any]], other: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Return the answers to two halves as answers to the whole; these must have the batch as first axis, too."""
    return [np.concatenate([first, second]) for first, second in zip(one, other, strict=True)]
