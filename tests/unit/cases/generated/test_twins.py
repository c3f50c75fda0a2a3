"""Twins: runtime inputs for constants, the function of an operator, halves of a batch."""

import numpy as np
import onnx

from burn_verify.cases.generated.build import Space, model_of, value_of
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.generated.twins import at_run_time, expanded, halves, joined
from burn_verify.core.case import TensorSpec


def choice_of(name, version, **row):
    space = Space(operator_specs()[name], version)
    return space.choice({**space.default, **row})


def test_the_twin_of_a_graph_takes_its_constants_at_run_time():
    space = Space(operator_specs()["Add"], 14)
    choice = space.choice({**space.default, "B": "init"})
    twin = at_run_time(space, choice)
    assert set(twin.kinds.values()) == {"run"}
    assert at_run_time(space, twin) is None
    np.testing.assert_array_equal(value_of(choice, "B"), value_of(twin, "B"))


def test_an_operator_becomes_the_function_that_defines_it():
    choice = choice_of("Gelu", 20)
    twin = expanded(choice, onnx.shape_inference.infer_shapes(model_of(choice)))
    assert "Gelu" not in {node.op_type for node in twin.graph.node}
    assert expanded(choice_of("Cos", 7), model_of(choice_of("Cos", 7))) is None


def test_a_batch_is_parted_and_joined():
    specs = [TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in (("X", ("N", 2)), ("W", (2,)))]
    inputs = [np.arange(6, dtype=np.float32).reshape(3, 2), np.ones(2, dtype=np.float32)]
    one, other = halves(specs, inputs)
    assert [array.shape for array in (*one, *other)] == [(1, 2), (2,), (2, 2), (2,)]
    (whole,) = joined(one[:1], other[:1])
    np.testing.assert_array_equal(whole, inputs[0])
    assert halves(specs[1:], inputs[1:]) is None
    assert halves(specs, [inputs[0][:1], inputs[1]]) is None
