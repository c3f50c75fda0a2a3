"""Small models written by hand, of float32 where nothing else is given."""

from onnx import TensorProto, helper


def value(name, elem_type=TensorProto.FLOAT, shape=None):
    """Return a graph input or output."""
    return helper.make_tensor_value_info(name, elem_type, shape)


def model(nodes, inputs, outputs, initializers=(), functions=(), opset=18):
    """Return a model of these nodes."""
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(initializers))
    imports = [helper.make_opsetid("", opset)]
    if functions:
        imports.append(helper.make_opsetid("mine", 1))
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=9)
