"""Which branches of If and which bodies of Loop no data set enters: nothing was seen of what is in them.

The conditions are read as further outputs of the model, in the engine that computes the reference.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import TensorProto, helper

from burn_verify.core.errors import OracleError
from burn_verify.graph import facts
from burn_verify.reference.engine import Engine, infer
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A value of the outer graph that decides what is entered.

    Attributes:
        names: of the values: the condition of an If; trip count and condition of a Loop, empty where left out.
    """

    node: onnx.NodeProto
    names: tuple[str, ...]


def never_entered(engine: Engine, model: onnx.ModelProto, sets: Iterable[Sequence[Array]]) -> tuple[str, ...]:
    """Return, in a sentence each, which branches and bodies of the outer graph no data set enters.

    Empty where the engine refuses the model with further outputs, or its weights are in other files.
    """
    asked = list(_asked(model))
    if not asked or any(tensor.external_data for tensor in facts.tensors(model)):
        return ()
    seen: dict[str, list[Array]] = {name: [] for one in asked for name in one.names if name}
    with TemporaryDirectory(prefix="burn-verify-") as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(_with_outputs(model, asked), path)
        for inputs in sets:
            with contextlib.suppress(OracleError):
                known = dict(zip((value.name for value in facts.runtime_inputs(model.graph)), inputs, strict=False))
                known |= dict(zip(_computed(model, asked), infer(engine, path, inputs), strict=False))
                for name, values in seen.items():
                    values += [known[name]] if name in known else []
    return tuple(text for one in asked for text in _missing(one, seen))


def _asked(model: onnx.ModelProto) -> Iterator[_Asked]:
    fixed = {tensor.name for tensor in model.graph.initializer}
    fixed |= {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
    for node in model.graph.node:
        if node.op_type == "If" and node.input[0] not in fixed:
            yield _Asked(node=node, names=(node.input[0],))
        elif node.op_type == "Loop":
            names = [*node.input, "", ""][:2]
            if any(name and name not in fixed for name in names):
                yield _Asked(node=node, names=tuple("" if name in fixed else name for name in names))


def _computed(model: onnx.ModelProto, asked: Sequence[_Asked]) -> list[str]:
    """Return the names of the values that are neither inputs nor left out, each once."""
    given = {value.name for value in model.graph.input}
    return list(dict.fromkeys(name for one in asked for name in one.names if name and name not in given))


def _with_outputs(model: onnx.ModelProto, asked: Sequence[_Asked]) -> onnx.ModelProto:
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    counts = {one.names[0] for one in asked if one.node.op_type == "Loop"}
    del copied.graph.output[:]
    for name in _computed(model, asked):
        kind = TensorProto.INT64 if name in counts else TensorProto.BOOL
        copied.graph.output.append(helper.make_tensor_value_info(name, kind, None))
    if not copied.graph.output:
        copied.graph.output.extend(model.graph.output)
    return copied


def _missing(one: _Asked, seen: dict[str, list[Array]]) -> Iterator[str]:
    called = f"{one.node.op_type} {one.node.name or one.node.output[0]}"
    if one.node.op_type == "If":
        found = {bool(np.asarray(value).reshape(-1)[0]) for value in seen[one.names[0]] if np.asarray(value).size}
        for taken, word in ((True, "then"), (False, "else")):
            if found and taken not in found:
                yield f"the {word} branch of {called} is never taken: feed what makes {one.names[0]!r} {taken}"
        return
    count, condition = one.names
    runs = [bool(np.asarray(value).reshape(-1)[0]) for name in (count, condition) if name for value in seen[name]]
    if runs and not any(runs):
        which = " and ".join(repr(name) for name in one.names if name)
        yield f"the body of {called} is never entered: feed what makes {which} positive or true"
