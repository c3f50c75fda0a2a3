"""What every program shares: one set of inputs is a list of one."""

from pathlib import Path

import numpy as np
import onnx

from burn_verify.burn.program import infer
from burn_verify.core.stage import ConvertedModel
from fakes import FakeProgram, Faults

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_one_set_of_inputs_has_one_answer():
    model = ConvertedModel(label="", module="", rust=ADD, weights=ADD, seconds=0.0)
    dims = onnx.load(ADD).graph.input[0].type.tensor_type.shape.dim
    x = np.ones([dim.dim_value for dim in dims], np.float32)
    faults = Faults()
    assert infer(FakeProgram(faults), model, [x], "flex").outputs[0].shape == x.shape
    assert faults.calls["run", "add"] == 1
