"""Execute If, Loop and Scan: which inner graph runs, how often, and on which values.

The caller provides the function that runs an inner graph. Conditions and trip counts are taken from the values without
noise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import onnx
from onnx import helper

from burn_verify.reference.noisy_value import ABSENT, Scope, Value, sliced, stacked

Run: TypeAlias = Callable[[onnx.GraphProto, Scope], list[Value]]
"""Runs an inner graph in its own scope, which contains the values of the outer graph, and returns its outputs."""


def branch(node: onnx.NodeProto, scope: Scope, run: Run) -> list[Value]:
    """Return the outputs of If: those of the branch that the condition without noise selects."""
    condition = scope[node.input[0]]
    outputs = run(_graph_of(node, "then_branch" if _is_true(condition) else "else_branch"), dict(scope))
    return [replace(output, flips=output.flips or condition.flips) for output in outputs]


def loop(node: onnx.NodeProto, scope: Scope, run: Run) -> list[Value]:
    """Return the outputs of Loop.

    Raises:
        NotImplementedError: there is no iteration, and the shape of an output is not known without one.
    """
    body = _graph_of(node, "body")
    names = [*node.input, *[""] * (2 - len(node.input))]
    count, condition, *carried = [scope[name] if name else ABSENT for name in names]
    most = np.iinfo(np.int64).max if count.clean is None else int(np.asarray(count.clean).reshape(-1)[0])
    scanned: list[list[Value]] = [[] for _ in body.output[1 + len(carried) :]]
    flips, turn = count.flips or condition.flips, 0
    while turn < most and (condition.clean is None or _is_true(condition)):
        here = Value(clean=np.asarray(turn, np.int64), dtype="int64")
        goes_on = Value(clean=np.asarray(True), dtype="bool") if condition.clean is None else condition
        outputs = run(body, _with(scope, body, [here, goes_on, *carried]))
        # If the initial condition is omitted, the condition that the body returns is ignored.
        condition = condition if condition.clean is None else outputs[0]
        flips |= outputs[0].flips
        carried = outputs[1 : 1 + len(carried)]
        for gathered, value in zip(scanned, outputs[1 + len(carried) :], strict=True):
            gathered.append(value)
        turn += 1
    values = [*carried, *(stacked(gathered) for gathered in scanned)]
    return [replace(value, flips=value.flips or flips) for value in values]


def scan(node: onnx.NodeProto, scope: Scope, run: Run) -> list[Value]:
    """Return the outputs of Scan, of version 9 or later.

    Raises:
        NotImplementedError: there is no iteration.
    """
    body = _graph_of(node, "body")
    said: Mapping[str, Sequence[int]] = MappingProxyType(
        {one.name: helper.get_attribute_value(one) for one in node.attribute if one.name.startswith("scan_")}
    )
    count = next(attribute.i for attribute in node.attribute if attribute.name == "num_scan_inputs")
    values = [scope[name] for name in node.input]
    carried, fed = values[: len(values) - count], values[len(values) - count :]
    axes = said.get("scan_input_axes") or [0] * count
    backwards = said.get("scan_input_directions") or [0] * count
    turns = fed[0].clean.shape[axes[0]]
    given = len(body.output) - len(carried)
    scanned: list[list[Value]] = [[] for _ in range(given)]
    for turn in range(turns):
        slices = [
            sliced(value, turns - 1 - turn if back else turn, axis)
            for value, axis, back in zip(fed, axes, backwards, strict=True)
        ]
        outputs = run(body, _with(scope, body, [*carried, *slices]))
        carried = outputs[: len(carried)]
        for gathered, value in zip(scanned, outputs[len(carried) :], strict=True):
            gathered.append(value)
    reversed_ = said.get("scan_output_directions") or [0] * given
    onto = said.get("scan_output_axes") or [0] * given
    ordered = [gathered[::-1] if back else gathered for gathered, back in zip(scanned, reversed_, strict=True)]
    return [*carried, *(stacked(gathered, axis) for gathered, axis in zip(ordered, onto, strict=True))]


CONTROL: Final[Mapping[str, Callable[[onnx.NodeProto, Scope, Run], list[Value]]]] = MappingProxyType(
    {"If": branch, "Loop": loop, "Scan": scan}
)
"""Functions that execute control flow, by operator."""


def _with(scope: Scope, body: onnx.GraphProto, values: Sequence[Value]) -> Scope:
    return {**scope, **dict(zip((value.name for value in body.input), values, strict=True))}


def _is_true(value: Value) -> bool:
    return bool(np.asarray(value.clean).reshape(-1)[0])


def _graph_of(node: onnx.NodeProto, name: str) -> onnx.GraphProto:
    return next(attribute.g for attribute in node.attribute if attribute.name == name)
