"""What the results of pieces say about the whole."""

import numpy as np
import onnx
import pytest

from burn_verify.core.located import Finding, Located, Node, PieceKind
from burn_verify.core.result import CaseResult, Mismatch, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.cut import Cut
from burn_verify.graph.pieces import Piece
from burn_verify.run.results import Verified
from burn_verify.run.suspects import Tried, fails, finding, in_no_piece, judged, suspect

DTYPE = OutputMetrics(
    data_set="given", name="y", dtype="int32", shape=(1,), elements=1, mismatching=1, problem=Mismatch.DTYPE
)


def result(stage=Stage.COMPARE, outcome=Outcome.FAILED, reason="wrong values", metrics=()):
    return CaseResult(case_id="c", corpus="file", stage=stage, outcome=outcome, reason=reason, metrics=metrics)


def tried(*names, stage=Stage.COMPARE, outcome=Outcome.FAILED, reason="wrong values", inside=(), **more):
    """Return a piece of nodes that are named after their places."""
    nodes = tuple(Node(name=str(name), op_type="Neg", cell="Neg-13/float32", inputs=(), outputs=()) for name in names)
    cut = Cut(model=onnx.ModelProto(), feeds=(), gives=())
    piece = Piece(kind=PieceKind.NODE, nodes=names, cut=cut, tells_shapes=more.get("tells_shapes", False))
    verified = Verified(result=result(stage, outcome, reason, more.get("metrics", ())), outputs=more.get("outputs", {}))
    return Tried(
        piece=piece, nodes=nodes, place=names[-1], cut_off=frozenset(names), verified=verified, inside=inside,
        desired=more.get("desired", ()),
    )  # fmt: skip


def names_of(some):
    return [[node.name for node in one.nodes] for one in some]


def test_the_earliest_is_first_and_of_nested_pieces_the_smallest():
    found = judged(result(), [tried(3), tried(2, 3), tried(0, 1), tried(1)])
    assert names_of(found.suspects) == [["1"], ["3"]]


def test_a_piece_that_ends_earlier_than_the_whole_is_set_aside():
    found = judged(result(), [tried(0, stage=Stage.CONVERT), tried(1, stage=Stage.RUN), tried(2)])
    assert (names_of(found.suspects), found.aside) == ([["2"]], 2)


def test_the_reason_of_a_refusal_comes_before_its_place():
    whole = result(Stage.CONVERT, reason="no LSTM")
    found = judged(
        whole, [tried(0, stage=Stage.CONVERT, reason="cut"), tried(5, stage=Stage.CONVERT, reason="no LSTM")]
    )
    assert names_of(found.suspects) == [["5"], ["0"]]
    assert [suspect(one, whole).same_reason for one in found.suspects] == [True, False]


def test_later_obstacles_are_those_of_other_nodes():
    some = [tried(0, stage=Stage.CONVERT), tried(0, 1, stage=Stage.RUN), tried(2, stage=Stage.REFERENCE)]
    found = judged(result(Stage.CONVERT), some)
    assert (names_of(found.suspects), names_of(found.later), found.aside) == ([["0"]], [["0", "1"]], 1)


def test_a_piece_of_a_body_is_part_of_the_loop():
    found = judged(result(), [tried(4), tried(7, inside=("4",))])
    assert names_of(found.suspects) == [["7"]]


def test_nothing_is_guilty_of_a_whole_that_passes():
    found = judged(result(outcome=Outcome.PASSED), [tried(1), tried(2)])
    assert (found.suspects, found.aside) == ((), 2)


@pytest.mark.parametrize(("number", "wrong"), [(3, False), (4, True)])
def test_shapes_of_another_dtype_count_by_their_numbers(number, wrong):
    outputs, desired = {"given": [np.array([number])]}, (np.array([3], np.int32),)
    assert fails(tried(1, tells_shapes=True, metrics=(DTYPE,), outputs=outputs, desired=desired)) is wrong
    assert fails(tried(1, metrics=(DTYPE,), outputs=outputs, desired=desired))


def test_nodes_that_no_piece_tells_about():
    some = [tried(0), tried(1, outcome=Outcome.PASSED), tried(2, stage=Stage.REFERENCE, outcome=Outcome.SKIPPED)]
    assert in_no_piece(["0", "1", "2", "3"], some) == ("2", "3")


@pytest.mark.parametrize(
    ("whole", "suspects", "unknown", "expected"),
    [
        (result(outcome=Outcome.PASSED), (), ("a",), Finding.NOTHING_WRONG),
        (result(), (suspect(tried(0), result()),), (), Finding.NODE),
        (result(), (), (), Finding.AMPLIFIED),
        (result(metrics=(DTYPE,)), (), (), Finding.UNKNOWN),
        (result(), (), ("a",), Finding.UNKNOWN),
        (result(Stage.RUN), (), (), Finding.UNKNOWN),
    ],
)
def test_what_the_answer_amounts_to(whole, suspects, unknown, expected):
    located = Located(model="m", target="t", finding=Finding.UNKNOWN, suspects=suspects, unknown=unknown)
    assert finding(located, whole) is expected
