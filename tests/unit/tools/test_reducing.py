"""Failures joined with operators that have nothing to do with them, and what is said of their reductions."""

import random

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from handmade import model, value
from reduce_many import drawn, report
from reducing.joined import UNRELATED, joined
from wrong import answers


def one(op_type, elem_type=TensorProto.FLOAT):
    node = helper.make_node(op_type, ["x"], ["y"])
    return model([node], [value("x", elem_type, [2, 3])], [value("y", elem_type, [2, 3])])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("op_type", "elem_type"), [("Exp", TensorProto.FLOAT), ("Neg", TensorProto.INT64)])
def test_a_failing_model_is_among_ten_others_and_gets_its_values(op_type, elem_type, seed):
    made, beside = joined(one(op_type, elem_type), random.Random(seed))
    onnx.checker.check_model(made)
    assert len(made.graph.node) == 1 + UNRELATED
    fed = np.arange(6, dtype=helper.tensor_dtype_to_np_dtype(elem_type)).reshape(2, 3)
    watched = onnx.ModelProto()
    watched.CopyFrom(made)
    watched.graph.output.append(value("y", elem_type, [2, 3]))
    found = answers(watched, [fed, beside])
    np.testing.assert_allclose(found[-1], np.exp(fed) if op_type == "Exp" else -fed, rtol=1e-6)
    assert np.isfinite(found[1]).all()


def line(case_id, reason, stage="convert", **more):
    said = {"case_id": case_id, "corpus": case_id.partition("/")[0], "stage": stage, "outcome": "failed"}
    return {**said, "reason": reason, "op_types": [], "failure": "refused", **more}


def test_suites_come_in_turn_and_reasons_before_any_again():
    lines = [
        *(line(f"node/{place}", "often") for place in range(5)),
        line("node/rare", "rare"),
        line("zoo/a", "often"),
        line("pytorch-converted/b", "often"),
        line("node/none", "no Burn value", failure="no value"),
        line("node/other", "panic", stage="run"),
    ]
    found = list(drawn(lines, "convert", random.Random(0)))
    assert found[:2] == ["zoo/a", "pytorch-converted/b"]
    assert "node/rare" in found[2:4]
    assert sorted(found) == sorted({one["case_id"] for one in lines} - {"node/none", "node/other"})
    assert found == list(drawn(lines, "convert", random.Random(0)))


def test_the_page_counts_nodes_that_are_left():
    said = {"nodes": [11, 1], "elements": [9, 0], "left": ["Neg"], "same": True, "reduction": "reduced", "seconds": 2.0}
    text = report(
        [
            {"case": "node/a", "stage": "run", **said},
            {"case": "node/b", "stage": "run", **said, "nodes": [11, 4]},
            {"case": "node/c", "stage": "run", "left_out": "it passes"},
        ]
    )
    assert "Of 2, 2 fail" in text
    assert "is 2.5, the most 4" in text
    assert "- node/c: it passes" in text
