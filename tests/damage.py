"""Models with damage of every kind, drawn by Hypothesis: bytes, types, names, opsets, cycles, functions."""

import functools

import onnx
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper

from burn_verify.cases.generated.build import model_of
from burn_verify.cases.generated.registry import operators, versions_of
from choices import choice_of

OPERATORS = ("Relu", "Conv", "Gather", "Resize", "If", "Loop", "LSTM", "Pad", "ConstantOfShape", "SequenceAt", "Cast")
"""Of each of them, one generated graph is damaged."""


@functools.cache
def whole():
    """Return the models that are damaged, serialised."""
    newest = {operator.name: versions_of(operator)[-1] for operator in operators()}
    return tuple(model_of(choice_of(name, newest[name])).SerializeToString() for name in OPERATORS)


def _untyped(model):
    for info in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        info.ClearField("type")


def _elem_types(model, number):
    for info in (*model.graph.input, *model.graph.output):
        info.type.tensor_type.elem_type = number
    for tensor in model.graph.initializer:
        tensor.data_type = number


def _sizes(model, number):
    for info in model.graph.input:
        for dim in info.type.tensor_type.shape.dim:
            dim.dim_value = number
    for tensor in model.graph.initializer:
        tensor.dims.extend([number, number])


def _opset(model, number):
    for entry in model.opset_import:
        entry.version = number


def _cycle(model):
    for node in model.graph.node:
        node.input.extend(node.output)


def _reversed(model):
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _nameless(model):
    for node in model.graph.node:
        node.op_type = ""
        del node.output[:]


def _attributes(model, kind):
    for node in model.graph.node:
        for attribute in node.attribute:
            attribute.type = kind
        node.attribute.append(AttributeProto(name="axis", type=kind))


def _function(model, calls):
    nodes = [helper.make_node("f", ["a"], [f"b{place}"], domain="mine") for place in range(calls)]
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    model.functions.append(helper.make_function("mine", "f", ["a"], ["b0"], nodes, imports))
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.graph.node.append(helper.make_node("f", ["none"], ["made"], domain="mine"))


def _data(model, content):
    for tensor in model.graph.initializer:
        tensor.raw_data = content


def _nested(model, depth):
    inner = helper.make_graph([], "g", [], [])
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model.graph.node.extend(inner.node)


_NUMBERS = st.sampled_from((-(2**63), -1, 0, 1, 2, 7, 999, 2**31 - 1, 2**62))
_KINDS = st.sampled_from(range(15))
_DAMAGE = st.one_of(
    st.sampled_from((_untyped, _cycle, _reversed, _nameless)),
    st.builds(lambda number: functools.partial(_elem_types, number=number), st.sampled_from((0, 1, 8, 17, 99))),
    st.builds(lambda number: functools.partial(_sizes, number=number), _NUMBERS),
    st.builds(lambda number: functools.partial(_opset, number=number), _NUMBERS),
    st.builds(lambda kind: functools.partial(_attributes, kind=kind), _KINDS),
    st.builds(lambda calls: functools.partial(_function, calls=calls), st.integers(1, 3)),
    st.builds(lambda content: functools.partial(_data, content=content), st.binary(max_size=9)),
    st.builds(lambda depth: functools.partial(_nested, depth=depth), st.integers(1, 6)),
)


@st.composite
def damaged(draw):
    """Draw the bytes of a damaged model."""
    model = onnx.ModelProto.FromString(draw(st.sampled_from(whole())))
    for damage in draw(st.lists(_DAMAGE, min_size=0, max_size=3)):
        damage(model)
    content = bytearray(model.SerializeToString())
    for place, byte in draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=3)):
        content[place] = byte
    return bytes(content[: draw(st.sampled_from((None, None, None, len(content) // 2)))])
