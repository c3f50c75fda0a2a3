"""Newer opsets: what burn-onnx knows of an operator often begins at a later version."""

from typing import Final

import onnx
from onnx import defs

from burn_verify.graph import facts
from burn_verify.graph.operators import canonical, since_version
from burn_verify.prepare.known import copied, opset_of
from burn_verify.prepare.rewriting import Tools
from burn_verify.prepare.rewritings.uplift import TARGET, uplifted

_WANTED: Final = TARGET
"""Below it reductions, Split and Pad hold as attributes what are inputs now."""


def raised(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Return a model of a newer opset, never of an older one; None where it is new enough or cannot be raised."""
    opset = opset_of(model)
    if not 0 < opset < _WANTED:
        return None
    if _alike(model, opset, _WANTED):
        return stamped(model, _WANTED)
    return uplifted(model) or tools.lifted(model, _WANTED)


def lowered_unchanged(model: onnx.ModelProto, opset: int) -> onnx.ModelProto | None:
    """Return a model of an older opset in which each operator means the same; None where one does not.

    For engines that do not know the newest opset yet.
    """
    return stamped(model, opset) if _alike(model, opset, opset_of(model)) else None


def stamped(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return a model that says another opset."""
    changed = copied(model)
    for entry in changed.opset_import:
        if not canonical(entry.domain):
            entry.version = opset
    changed.ir_version = max(4, changed.ir_version)
    return changed


def _alike(model: onnx.ModelProto, old: int, new: int) -> bool:
    """Return whether every operator of a model has the same version in two opsets."""
    if model.functions or new > defs.onnx_opset_version():
        return False
    names = {node.op_type for node in facts.nodes(model) if not canonical(node.domain)}
    return all(since_version(name, "", old) == since_version(name, "", new) is not None for name in names)
