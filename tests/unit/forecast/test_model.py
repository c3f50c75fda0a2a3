"""The forecast of a model."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from burn_verify.forecast.cells import cells
from burn_verify.forecast.endings import Ending, State
from burn_verify.forecast.model import expected, forecast, forecast_of, grouped, likely_endings, together
from burn_verify.forecast.typed import typed
from evidences import evidence, example, gather, relu, usual
from handmade import model, value


def of(made, found=None):
    return forecast(cells(typed(made)), found or usual())


def test_what_was_verified_should_agree():
    found = of(relu(shape=(5, 5)))

    assert found.ending is Ending.AGREES
    assert [told.state for _, told in found.cells] == [State.VERIFIED] * 3


def test_what_never_compiled_will_not():
    found = of(relu(TensorProto.INT64, (9, 9)))
    ((placed, told),) = found.obstacles

    assert (found.ending, told.state, placed.name) == (Ending.DOES_NOT_COMPILE, State.DOES_NOT_COMPILE, "r")
    assert told.telling is not None
    assert "int64" in told.telling[1]


def test_an_operator_that_burn_onnx_does_not_have_is_refused():
    node = helper.make_node("Gather", ["x"], ["y"], domain="com.microsoft")
    found = of(model([node], [value("x", shape=(2, 3))], [value("y", shape=(2, 3))]))

    assert found.ending is Ending.REFUSED
    assert found.obstacles[0][1].why == "burn-onnx 0.22.0 has no com.microsoft.Gather"


def test_an_operator_that_nobody_tried_is_untested():
    found = of(gather(), evidence(example("a", relu())))

    assert found.ending is None
    assert "Gather" in {told.cell.operator for _, told in found.untested}


def test_a_case_that_proves_no_numbers_only_runs():
    ran = evidence(example("a", relu(), verdict="insensitive"))

    assert {told.state for _, told in of(relu(), ran).cells} == {State.RUNS}


def test_the_earliest_stage_decides():
    fails = np.array([[0.1, 0.9, 0, 0, 0], [0.1, 0, 0, 0, 0.9]])

    shares = together(fails)

    assert shares.argmax() == 1
    assert shares.sum() == pytest.approx(1.0)


def test_probabilities_of_what_was_never_tried_are_alike():
    cell = cells(gather())[0].cell

    assert set(likely_endings(cell, evidence(example("a", relu())))) == {0.2}


def test_what_is_expected_is_the_likeliest_ending():
    found = [placed.cell for placed in cells(typed(relu()))]

    ending, sure = expected(found, usual())

    assert ending is Ending.AGREES
    assert sure > 0.85


def test_alike_nodes_are_told_of_once():
    nodes = [helper.make_node("Relu", ["x"], ["t"]), helper.make_node("Relu", ["t"], ["y"])]
    made = model(nodes, [value("x", shape=(2, 3))], [value("y", shape=(2, 3))])

    assert sum(len(places) for _, places in grouped(of(made).cells)) == len(of(made).cells)


def test_a_file_that_is_no_model_is_an_error(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\xff\xff\xff")

    with pytest.raises(ValueError, match="cannot be read"):
        forecast_of(tmp_path / "bad.onnx", usual())
