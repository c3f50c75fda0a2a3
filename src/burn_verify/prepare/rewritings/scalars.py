"""Values of rank 0 as values of one element, where the arithmetic stays the same.

burn-onnx makes native Rust numbers of rank 0, and mixes them with tensors in ways that rustc refuses.
"""

from typing import Final

import onnx
from onnx import TensorProto

from burn_verify.graph.operators import canonical
from burn_verify.prepare.body import Body, Names
from burn_verify.prepare.known import Known, copied, known
from burn_verify.prepare.prune import copy_of, inside_out, pruned, set_nodes
from burn_verify.prepare.rewriting import Tools

_OPERATORS: Final = """\
Abs Acos Acosh Add And Asin Asinh Atan Atanh BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Ceil Cos Cosh Div Elu
Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual
Log Max Mean Min Mish Mod Mul Neg Not Or Pow PRelu Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign
Sqrt Sub Sum Tan Tanh ThresholdedRelu Where Xor
"""
_ELEMENTWISE: Final = frozenset(_OPERATORS.split())
_PER_TENSOR: Final = frozenset({"QuantizeLinear", "DequantizeLinear"})
"""Operators whose scale and zero point may have one element instead of rank 0."""

_NARROW: Final = frozenset({TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16})


def constants_of_one_element(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Give constants of rank 0 the shape [1] where they are combined with tensors; None where there are none."""
    del tools
    return _rewritten(model, values=False)


def values_of_one_element(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """The same for constants, inputs and computed values of rank 0, also among themselves."""
    del tools
    return _rewritten(model, values=True)


class _Shadows:
    """The values of shape [1] that stand for those of rank 0."""

    def __init__(self, about: Known, body: Body, *, values: bool) -> None:
        self._about = about
        self._body = body
        self.values = values
        self.made: dict[str, str] = {}

    def of(self, name: str) -> str | None:
        """Return the shadow of a value; None where it is not of rank 0, or has to stay."""
        if name in self.made:
            return self.made[name]
        found = self._about.type_of(name)
        if not name or found.shape != ():
            return None
        constant = self._about.constant(name)
        if constant is not None:
            self.made[name] = self._body.const(constant, found.elem_type)
        elif self.values:
            self.made[name] = self._body("Expand", name, self._body.const([1]))
        return self.made.get(name)


def _rewritten(model: onnx.ModelProto, *, values: bool) -> onnx.ModelProto | None:
    about, names = known(model), Names(model)
    changed = copied(model)
    found = False
    for graph in inside_out(changed):
        body = Body(names)
        shadows = _Shadows(about, body, values=values)
        for node in graph.node:
            made = _shadowed(node, about, shadows, body)
            found = found or made is not None
            body.nodes.append(made or copy_of(node))
            _give_back(node, made, body, shadows)
        set_nodes(graph, body.nodes)
        graph.initializer.extend(body.tensors)
    return pruned(changed) if found else None


def _shadowed(node: onnx.NodeProto, about: Known, shadows: _Shadows, body: Body) -> onnx.NodeProto | None:
    """Return a node that reads shadows, None where it stays; what makes a shadow is added before."""
    if canonical(node.domain) or node.op_type not in _ELEMENTWISE | _PER_TENSOR:
        return None
    places = range(len(node.input)) if node.op_type in _ELEMENTWISE else range(1, len(node.input))
    scalars = [place for place in places if about.type_of(node.input[place]).shape == ()]
    whole = len(scalars) == len([name for name in node.input if name])
    if not scalars or (whole and not (shadows.values and node.op_type in _ELEMENTWISE)):
        return None
    read = {place: shadows.of(node.input[place]) for place in scalars}
    if whole and None in read.values():
        return None
    made = copy_of(node)
    for place, name in read.items():
        made.input[place] = name or made.input[place]
    return made if list(made.input) != list(node.input) else None


def _give_back(node: onnx.NodeProto, made: onnx.NodeProto | None, body: Body, shadows: _Shadows) -> None:
    """Where a node of scalars gives a shadow now, add the value of rank 0 for those that need it."""
    if made is None or any(name not in shadows.made for name in node.input if name):
        return
    shadow = body("Identity", "")
    body.nodes.pop()
    made.output[0] = shadow
    shadows.made[node.output[0]] = shadow
    body.nodes.append(onnx.helper.make_node("Squeeze", [shadow, body.const([0])], [node.output[0]]))
