"""Models of one node, and the comparison of a model with what a rewriting made of it, by ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.core.errors import OracleError
from burn_verify.graph.operators import qualified
from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced


class EvaluatorTools:
    """The tools of rewritings, with ONNX Runtime in this process as the engine, and no version converter."""

    def run(self, model, inputs):
        """Run a model."""
        try:
            return answers(model, inputs)
        except Exception as error:  # the exceptions of ONNX Runtime have no common class
            raise OracleError(str(error)) from error

    def lifted(self, model, opset):
        """Know no newer opset."""
        return None


TOOLS = EvaluatorTools()


def answers(model, inputs=()):
    """Return what ONNX Runtime answers, or onnx's evaluator where ONNX Runtime has no kernel."""
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:  # its exceptions have no common class
        evaluator = ReferenceEvaluator(model)
        found = evaluator.run(None, dict(zip(evaluator.input_names, inputs, strict=True)))
    else:
        names = [value.name for value in session.get_inputs()]
        found = session.run(None, dict(zip(names, inputs, strict=True)))
    return [np.asarray(one) for one in found]


def typed(name, array):
    """Return the declaration of a value like an array."""
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def node_model(op_type, inputs, *, constants=(), outputs=1, opset=20, domain="", version=1, **attributes):
    """Return a model of one node, with the types that its answers have, and the arrays that it is fed.

    Arguments:
        inputs: arrays by place; None where one is left out.
        constants: the places of those that are constants.
        version: of the domain, where it is not the default one.
    """
    names = ["" if one is None else f"in{place}" for place, one in enumerate(inputs)]
    results = [f"out{place}" for place in range(outputs)]
    node = helper.make_node(op_type, names, results, domain=domain, **attributes)
    tensors = [numpy_helper.from_array(inputs[place], names[place]) for place in constants]
    fed = [place for place, one in enumerate(inputs) if one is not None and place not in constants]
    values = [typed(names[place], inputs[place]) for place in fed]
    empty = [onnx.ValueInfoProto(name=name) for name in results]
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, version)] if domain else [])]
    graph = helper.make_graph([node], "g", values, empty, tensors)
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    arrays = [inputs[place] for place in fed]
    declared = [typed(name, one) for name, one in zip(results, answers(model, arrays), strict=True)]
    del model.graph.output[:]
    model.graph.output.extend(declared)
    return model, arrays


def put_differently(op_type, inputs, *, tolerance=1e-5, precise=False, **given):
    """Return a model of one node without that operator, after checking that it answers the same.

    Arguments:
        precise: whether the evaluator answers in float64, against the standard.
    """
    model, arrays = node_model(op_type, inputs, **given)
    name = qualified(op_type, given.get("domain", ""))
    made = replaced(model, {name: DECOMPOSITIONS[name].decomposer}, DECOMPOSITIONS[name].oldest)
    assert made is not None, "it was declined"
    assert op_type not in {node.op_type for node in made.graph.node}
    for came, wanted in zip(answers(made, arrays), answers(model, arrays), strict=True):
        assert came.dtype == wanted.dtype or precise
        np.testing.assert_allclose(came, wanted, rtol=1e-5, atol=tolerance)
    return made


def operators(model):
    """Return the operators of a model's main graph, in order."""
    return [node.op_type for node in model.graph.node]
