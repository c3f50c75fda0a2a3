"""Opset 18 for models of older ones, operator by operator, without onnx's version converter.

Takes operators whose meaning did not change, or changed in a way that is told here; declines any other. The converter
knows more operators, but asserts on many models, and changes the meaning of some without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import onnx

from burn_verify.graph.operators import canonical
from burn_verify.prepare.body import Body, Names
from burn_verify.prepare.known import copied, known, opset_of
from burn_verify.prepare.prune import copy_of, inside_out, pruned, set_nodes
from burn_verify.prepare.replace import Site

TARGET: Final = 18

_SINCE_7: Final = """\
Abs Acos Add And Asin Atan BatchNormalization Ceil Concat Constant Cos Div Elu Exp Floor Gemm GlobalAveragePool
GlobalMaxPool HardSigmoid Identity InstanceNormalization LeakyRelu Log LRN MatMul Mul Neg Not Or Pow PRelu Reciprocal
Relu Selu Shape Sigmoid Sin Softplus Softsign Sqrt Sub Sum Tan Tanh Tile Transpose Xor Conv ConvTranspose Flatten
Gather Reshape Size LSTM GRU RNN ArgMax ArgMin Equal Less Greater
"""
_SINCE_9: Final = """\
Acosh Asinh Atanh AveragePool Cast ConstantOfShape Cosh Erf EyeLike Expand IsNaN Max MaxPool Mean Min NonZero OneHot
Scatter Shrink Sign Sinh Where
"""
_SINCE_11: Final = """\
Clip BitShift Compress ConcatFromSequence ConvInteger CumSum DepthToSpace DequantizeLinear Det DynamicQuantizeLinear
GatherElements GatherND If IsInf Loop MatMulInteger Mod NonMaxSuppression Pad QLinearConv QLinearMatMul QuantizeLinear
Range Resize ReverseSequence RoiAlign Round Scan ScatterElements ScatterND Slice SpaceToDepth TopK Trilu Unique
"""
_KEPT: Final = {
    **dict.fromkeys(_SINCE_7.split(), 7),
    **dict.fromkeys(_SINCE_9.split(), 8),
    **dict.fromkeys(_SINCE_11.split(), 11),
}
"""Operators that mean the same from an opset on up to `TARGET`, at least where their models are valid."""

_REDUCTIONS: Final = """\
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
"""

_Change: TypeAlias = Callable[[Site, Body], "onnx.NodeProto | None"]
"""Returns the node of the new opset, None where it cannot be said; its inputs are added before."""


def uplifted(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return a model of opset `TARGET`; None where an operator does not allow it."""
    opset = opset_of(model)
    if not 7 <= opset < TARGET or model.functions:
        return None
    about, names, changed = known(model), Names(model), copied(model)
    for graph in inside_out(changed):
        body = Body(names)
        for node in graph.node:
            made = _node(Site(node=node, opset=opset, known=about), body)
            if made is None:
                return None
            body.nodes.append(made)
        set_nodes(graph, body.nodes)
        graph.initializer.extend(body.tensors)
    for entry in changed.opset_import:
        if not canonical(entry.domain):
            entry.version = TARGET
    changed.ir_version = max(8, changed.ir_version)
    return pruned(changed)


def _node(site: Site, body: Body) -> onnx.NodeProto | None:
    node = site.node
    if canonical(node.domain):
        return copy_of(node)
    change = _CHANGES.get(node.op_type)
    if change is not None:
        return change(site, body)
    return copy_of(node) if _KEPT.get(node.op_type, TARGET + 1) <= site.opset else None


def _with_inputs(site: Site, inputs: Sequence[str], *gone: str) -> onnx.NodeProto:
    """Return a node with other inputs, and without some attributes."""
    made = copy_of(site.node)
    made.input[:] = inputs
    kept = [attribute for attribute in site.node.attribute if attribute.name not in gone]
    del made.attribute[:]
    made.attribute.extend(kept)
    return made


def _axes(site: Site, body: Body) -> onnx.NodeProto:
    """Make axes an input; those that are one already stay."""
    axes = site.attribute("axes")
    inputs = [name for name in site.node.input if name]
    return _with_inputs(site, inputs if axes is None else [inputs[0], body.const(list(axes))], "axes")


def _split(site: Site, body: Body) -> onnx.NodeProto:
    parts = site.attribute("split")
    if parts is not None:
        return _with_inputs(site, [site.input(0), body.const(list(parts))], "split")
    made = _with_inputs(site, [name for name in site.node.input if name])
    if len(made.input) == 1:
        made.attribute.append(onnx.helper.make_attribute("num_outputs", len(site.node.output)))
    return made


def _softmax(site: Site, body: Body) -> onnx.NodeProto | None:
    """Keep a Softmax over the last axis; before opset 13 others flatten all axes behind theirs."""
    del body
    if site.opset >= 13:
        return copy_of(site.node)
    rank, axis = site.rank(0), site.attribute("axis", 1)
    if axis != -1 and (rank is None or axis % rank != rank - 1):
        return None
    made = _with_inputs(site, [site.input(0)], "axis")
    made.attribute.append(onnx.helper.make_attribute("axis", -1))
    return made


def _clip(site: Site, body: Body) -> onnx.NodeProto:
    if site.opset >= 11:
        return copy_of(site.node)
    dtype = site.elem_type(0) or onnx.TensorProto.FLOAT
    ends = ["" if site.attribute(name) is None else body.scalar(site.attribute(name), dtype) for name in ("min", "max")]
    return _with_inputs(site, [site.input(0), *ends] if ends[1] else [site.input(0), *filter(None, ends)], "min", "max")


def _pad(site: Site, body: Body) -> onnx.NodeProto:
    if site.opset >= 11:
        return copy_of(site.node)
    value = body.scalar(site.attribute("value", 0.0), site.elem_type(0) or onnx.TensorProto.FLOAT)
    return _with_inputs(site, [site.input(0), body.const(list(site.attribute("pads"))), value], "pads", "value")


def _slice(site: Site, body: Body) -> onnx.NodeProto:
    if site.opset >= 10:
        return copy_of(site.node)
    starts, ends, axes = (site.attribute(name) for name in ("starts", "ends", "axes"))
    given = [starts, ends, axes or list(range(len(starts)))]
    return _with_inputs(site, [site.input(0), *(body.const(list(one)) for one in given)], "starts", "ends", "axes")


def _top_k(site: Site, body: Body) -> onnx.NodeProto:
    count = site.attribute("k")
    return copy_of(site.node) if count is None else _with_inputs(site, [site.input(0), body.const([count])], "k")


def _dropout(site: Site, body: Body) -> onnx.NodeProto | None:
    """Keep only a Dropout without a mask: from opset 7 on it hands on its input when nothing is trained."""
    del body
    if site.wants(1) or site.input(2):
        return None
    return onnx.helper.make_node("Identity", [site.input(0)], [site.node.output[0]])


def _upsample(site: Site, body: Body) -> onnx.NodeProto:
    """Make a Resize of an Upsample, whose places are asymmetric and rounded down."""
    scales = site.attribute("scales")
    given = site.input(1) if scales is None else body.const(list(scales), onnx.TensorProto.FLOAT)
    nearest = {"nearest_mode": "floor"} if site.attribute("mode", "nearest") == "nearest" else {}
    return onnx.helper.make_node(
        "Resize",
        [site.input(0), "", given],
        list(site.node.output),
        mode=site.attribute("mode", "nearest"),
        coordinate_transformation_mode="asymmetric",
        **nearest,
    )


_CHANGES: Final[Mapping[str, _Change]] = {
    **dict.fromkeys(["Squeeze", "Unsqueeze", *_REDUCTIONS.split()], _axes),
    "Clip": _clip,
    "Dropout": _dropout,
    "Hardmax": _softmax,
    "LogSoftmax": _softmax,
    "Pad": _pad,
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _split,
    "TopK": _top_k,
    "Upsample": _upsample,
}
