"""The nearest tested cell."""

from onnx import TensorProto

from burn_verify.forecast.cells import Cell, cells
from burn_verify.forecast.endings import Ending
from burn_verify.forecast.nearest import Difference, nearest, nearest_agreeing
from evidences import gather, relu, usual


def cell(made):
    return cells(made)[0].cell


def test_an_equal_cell_is_at_no_distance():
    found = nearest(cell(relu(shape=(9, 9))), Ending.AGREES, usual())

    assert (found.distance, found.differences, found.entry.ending) == (0.0, (), Ending.AGREES)


def test_what_differs_is_told_the_most_telling_first():
    found = nearest(cell(gather(axis=2)), None, usual())

    assert found.differences[0] == Difference(facet="axis", here="2", tested=found.differences[0].tested)
    assert found.distance > 0


def test_the_nearest_that_agrees_shows_what_to_change():
    found = nearest_agreeing(cell(gather(axis=1)), usual())

    assert found.entry.case_id == "op/gather-0"
    assert found.differences == (Difference(facet="axis", here="1", tested="0"),)


def test_a_value_that_decides_is_further_than_one_that_does_not():
    found = usual()
    ints = nearest_agreeing(cell(relu(TensorProto.INT64)), found)
    symbolic = nearest_agreeing(cell(relu(shape=("n", 3))), found)

    assert ints.distance > symbolic.distance


def test_of_an_operator_nobody_tried_nothing_is_near():
    assert nearest(Cell("Nothing", ()), Ending.AGREES, usual()) is None
    assert nearest_agreeing(Cell("Nothing", ()), usual()) is None
