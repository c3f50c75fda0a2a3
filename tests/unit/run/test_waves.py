"""Pieces in batches, in the order in which they are judged."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.core.located import PieceKind
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.run.parts import parts_of, unfed
from burn_verify.run.values import Values
from burn_verify.run.waves import every_piece, in_turn, models_of, waves
from fakes import Faults
from handmade import model, value
from wrong import Engine

NODE, PAIR = PieceKind.NODE, PieceKind.PAIR


def chain():
    nodes = [helper.make_node("Neg", ["x"], ["a"]), helper.make_node("Abs", ["a"], ["y"])]
    return model(nodes, [value("x", shape=[3])], [value("y", shape=[3])])


def of_whole(stage, outcome=Outcome.FAILED):
    return CaseResult(case_id="c", corpus="file", stage=stage, outcome=outcome)


@pytest.mark.parametrize(
    ("whole", "kinds"),
    [
        (of_whole(Stage.CONVERT), [[NODE, NODE, PAIR]]),
        (of_whole(Stage.RUN), [[NODE, NODE], [PAIR]]),
        (of_whole(Stage.COMPARE), [[NODE, NODE], [PAIR]]),
        (of_whole(Stage.COMPARE, Outcome.PASSED), [[NODE, NODE]]),
    ],
)
def test_pairs_are_judged_if_nothing_smaller_fails(cache, whole, kinds):
    with Values(Engine(cache, 1.0, Faults())) as values:
        (wave,) = waves(every_piece(parts_of(chain(), [np.ones(3, np.float32)], values), None))
        assert [[piece.kind for _, _, piece in some] for some in in_turn(wave, whole)] == kinds
        assert [len(one.inputs) for one in models_of(wave)] == [1, 1, 1]


def test_without_values_inputs_are_drawn():
    (wave,) = waves(every_piece(unfed(chain()), {1}))
    assert {one.inputs for one in models_of(wave)} == {None}
    assert {piece.nodes[-1] for _, _, piece in wave} == {1}
