"""Which cells of a case its failure is about."""

import dataclasses

import pytest

from burn_verify.core.stage import FailureKind
from burn_verify.forecast.attribution import blamed, operators_named
from burn_verify.forecast.cells import cells
from evidences import gather, relu, result


def unique(made):
    return tuple(dict.fromkeys(placed.cell for placed in cells(made)))


def operators(found):
    return {cell.operator for cell in found}


def test_the_operator_that_is_named_is_blamed():
    refused = result("a", "refused", "Gather", details={"operator": "Constant"})

    assert operators(blamed(refused, unique(gather()), ())) == {"Constant"}


@pytest.mark.parametrize("name", ["Relu", "relu1", "Relu1d", "ai.onnx::Relu"])
def test_names_of_burn_onnx_lead_to_the_operator(name):
    refused = result("a", "refused", "Add", details={"unsupported": [name]})

    assert operators_named(refused, {"Relu", "Add"}) == {"Relu"}


def test_without_a_name_the_operator_of_the_case_is_blamed():
    assert operators(blamed(result("a", "wrong numbers"), unique(relu()), ())) == {"Relu"}


def test_a_variable_of_the_generated_rust_names_the_node():
    failed = result("a", "does not compile", "Add", details={"rust": "let y = relu(relu1_out1);"})

    assert operators(blamed(failed, unique(relu()), ())) == {"Relu"}


def test_a_dtype_that_burn_does_not_hold_is_the_fault_of_the_interface():
    failed = dataclasses.replace(result("a", "fails at run time"), failure=FailureKind.NO_VALUE)

    assert operators(blamed(failed, unique(relu()), ())) == {"graph interface"}


def test_a_cell_that_agrees_elsewhere_is_not_blamed_where_another_can_be():
    one, other = unique(gather(axis=0)), unique(gather(axis=1))
    refused = result("a", "refused", "Gather")

    assert blamed(refused, {*one, *other}, set(one)) == {cell for cell in other if cell.operator == "Gather"}
