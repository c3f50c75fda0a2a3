"""Sketches: nodes and values written down one by one."""

from random import Random

import numpy as np
import onnx

from burn_verify.reference.inputs import SEEDED
from burn_verify.several.sketch import Sketch
from burn_verify.several.woven import OTHER, SIZES


def test_a_sketch_is_a_model_with_values() -> None:
    sketch = Sketch(Random(0))
    x, k = sketch.input((("n", 2), 3)), sketch.input((), "int64")
    first, second = sketch.op("TopK", x, sketch.op("Reshape", k, sketch.constant([1], "int64")), outputs=2)
    sketch.output(sketch.op("Add", first, sketch.drawn((1,))), second, second)
    drawn = sketch.woven("kind")
    graph = drawn.model.graph
    assert [info.type.tensor_type.shape.dim[0].dim_param for info in graph.input[:1]] == ["n"]
    assert [info.name for info in graph.output] == ["v2", second]
    assert drawn.operators == ("Reshape", "TopK", "Add")
    assert {name: fed["x0"].shape for name, fed in drawn.sets.items()} == {SEEDED: (2, 3), OTHER: (2, 3), SIZES: (3, 3)}
    assert drawn.sets[SEEDED]["x1"].dtype == np.int64
    assert drawn.sets[SEEDED]["x0"].tobytes() != drawn.sets[OTHER]["x0"].tobytes()


def test_known_sizes_need_no_third_set() -> None:
    sketch = Sketch(Random(0))
    sketch.output(sketch.op("Not", sketch.input((2,), "bool")))
    assert list(sketch.woven("kind").sets) == [SEEDED, OTHER]


def test_a_constant_may_be_a_node() -> None:
    sketch = Sketch(Random(0))
    names = [sketch.constant(1.0), sketch.constant(2.0, node=True)]
    sketch.output(sketch.op("Add", *names))
    drawn = sketch.woven("kind")
    assert [node.op_type for node in drawn.model.graph.node] == ["Constant", "Add"]
    assert drawn.operators == ("Add",)
    onnx.checker.check_model(onnx.shape_inference.infer_shapes(drawn.model))
