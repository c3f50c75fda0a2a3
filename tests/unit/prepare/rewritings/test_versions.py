"""Opsets go up, never down, but for engines that do not know the newest."""

import pytest
from onnx import helper

from burn_verify.prepare.known import opset_of
from burn_verify.prepare.rewritings.versions import lowered_unchanged, raised, stamped
from handmade import model, value
from rewriting import TOOLS


def of(op_type, opset):
    return model(
        [helper.make_node(op_type, ["x"], ["y"])], [value("x", shape=[2])], [value("y", shape=[2])], opset=opset
    )


class Converter:
    def lifted(self, model, opset):
        return stamped(model, opset)


def test_an_operator_that_did_not_change_only_needs_the_number():
    assert opset_of(raised(of("Sin", 9), TOOLS)) == 18


def test_others_go_through_the_converter():
    assert raised(of("Nonsense", 11), TOOLS) is None
    assert opset_of(raised(of("Nonsense", 11), Converter())) == 18


def test_known_changes_need_no_converter():
    assert opset_of(raised(of("Softmax", 11), TOOLS)) == 18


@pytest.mark.parametrize("opset", [18, 23])
def test_a_new_model_stays(opset):
    assert raised(of("Softmax", opset), Converter()) is None


def test_an_engine_is_shown_an_older_opset_only_where_nothing_changed():
    assert opset_of(lowered_unchanged(of("Sin", 28), 26)) == 26
    assert lowered_unchanged(of("Celu", 28), 26) is None
