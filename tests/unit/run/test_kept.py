"""A reduced model as files."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from burn_verify.core.options import Settings
from burn_verify.core.stage import Stage
from burn_verify.graph.shrink import Draft
from burn_verify.run.kept import write_draft
from burn_verify.run.search import Search
from handmade import model, value
from wrong import seams

X = np.array([1, 2], np.float32)


def test_values_are_stored_where_the_failure_depends_on_them(cache, tmp_path):
    proto = model([helper.make_node("Neg", ["x"], ["y"])], [value("x", shape=[2])], [value("y", shape=[2])])
    search = Search(settings=Settings(), cache=cache, seams=seams())
    write_draft(tmp_path / "a.onnx", Draft(model=proto, inputs=(X,)), search, Stage.CONVERT)
    assert [path.name for path in tmp_path.glob("a*")] == ["a.onnx"]
    write_draft(tmp_path / "b.onnx", Draft(model=proto, inputs=(X,)), search, Stage.COMPARE)
    folder = tmp_path / "b" / "test_data_set_0"
    np.testing.assert_array_equal(numpy_helper.to_array(onnx.load_tensor(folder / "output_0.pb")), -X)
    np.testing.assert_array_equal(numpy_helper.to_array(onnx.load_tensor(folder / "input_0.pb")), X)
