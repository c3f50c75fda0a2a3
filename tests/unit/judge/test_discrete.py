"""Discrete results: ties and any order are legal where the standard leaves them open, nothing else is."""

import ml_dtypes
import numpy as np
import onnx.defs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from burn_verify.judge.discrete import DISCRETE, arg_extreme, top_k
from burn_verify.judge.facts import NodeFacts
from burn_verify.judge.task_metrics import least_cosine, least_iou, top_agreement

quick = settings(deadline=None, database=None, max_examples=50)
tied = hnp.arrays(np.float32, (3, 7), elements=st.sampled_from([-1.0, 0.0, 2.0]))


def node(op_type, **attributes):
    return NodeFacts(
        op_type=op_type, since_version=13, attributes=attributes, input_shapes=(), output_shapes=(), input_dtypes=()
    )


def rule(op_type, inputs, actual, desired, **attributes):
    found = DISCRETE[op_type](node(op_type, **attributes), inputs, actual, desired)
    return None if found is None else str(found)


def test_the_rules_are_of_operators_of_the_standard():
    for op_type in DISCRETE:
        assert onnx.defs.has(op_type)


# ArgMax and ArgMin.


@quick
@given(tied, st.sampled_from([0, 1]), st.booleans())
def test_any_of_the_greatest_will_do(data, axis, keep):
    first = data.argmax(axis)
    last = data.shape[axis] - 1 - np.flip(data, axis).argmax(axis)
    if keep:
        first, last = np.expand_dims(first, axis), np.expand_dims(last, axis)
    assert rule("ArgMax", [data], [last], [first], axis=axis, keepdims=int(keep)) is None


@quick
@given(hnp.arrays(np.float32, 9, elements=st.integers(-50, 50), unique=True))
def test_an_index_that_is_off_by_one_points_elsewhere(data):
    index = data.argmin(0, keepdims=True)
    text = rule("ArgMin", [data], [(index + 1) % 9], [index])
    assert text.startswith("1/1 elements differ, ")


def test_arg_max_says_what_it_points_at():
    data = np.array([[1.0, 5], [7, 3]], "f4")
    text = rule("ArgMax", [data], [np.array([[1], [1]])], [np.array([[1], [0]])], axis=1)
    assert text == "1/2 elements differ, 7 at [1,0] expected, 3 came"


@pytest.mark.parametrize(("index", "shown"), [(-1, "-1"), (2, "2")])
def test_indices_stay_in_range(index, shown):
    text = rule("ArgMax", [np.zeros(2, "f4")], [np.array([index])], [np.array([0])])
    assert text == f"index {shown} at [0] is not below 2"


def test_a_wrong_shape_is_said():
    assert rule("ArgMax", [np.zeros(2)], [np.array(0)], [np.array([0])]) == "shape [1] expected, [] came"


def test_a_near_tie_of_computed_values_needs_slack():
    data, left, right = np.array([1.0, 1.001]), [np.array([0])], [np.array([1])]
    assert arg_extreme(node("ArgMax"), [data], left, right) is not None
    assert arg_extreme(node("ArgMax"), [data], left, right, slack=0.01) is None


def test_without_data_there_is_no_rule():
    with pytest.raises(ValueError, match="input 0 is needed"):
        rule("ArgMax", [None], [np.array([0])], [np.array([0])])


# TopK.


def best(data, k, stable=True):
    """Values and indices of the k greatest along the last axis; with ties from the back where not `stable`."""
    base = data if stable else data[..., ::-1]
    order = np.argsort(-base, axis=-1, kind="stable")[..., :k]
    values = np.take_along_axis(base, order, -1)
    return [values, order if stable else data.shape[-1] - 1 - order]


@quick
@given(tied, st.integers(1, 7))
def test_top_k_ties_are_legal(data, k):
    assert rule("TopK", [data, None], best(data, k, stable=False), best(data, k)) is None


@quick
@given(tied, st.integers(2, 7), st.randoms(use_true_random=False))
def test_unsorted_top_k_comes_in_any_order(data, k, random):
    values, indices = best(data, k)
    order = list(range(k))
    random.shuffle(order)
    shuffled = [values[:, order], indices[:, order]]
    assert rule("TopK", [data], shuffled, [values, indices], sorted=0) is None
    if not np.array_equal(shuffled[0], values):
        assert rule("TopK", [data], shuffled, [values, indices]) is not None


def test_top_k_refuses_what_is_not_the_top():
    data = np.array([4.0, 9, 9, 1], "f4")
    wanted = best(data, 2)
    assert rule("TopK", [data], [wanted[0], np.array([1, 1])], wanted) == "an index occurs twice"
    assert "do not point at the values" in rule("TopK", [data], [wanted[0], np.array([1, 0])], wanted)
    assert "9 at [1] expected, 4 came" in rule("TopK", [data], [np.float32([9, 4]), np.array([1, 0])], wanted)
    assert rule("TopK", [data], [wanted[0], np.array([1, 4])], wanted) == "index 4 at [1] is not below 4"
    assert rule("TopK", [data], best(data, 3), wanted) == "shape [2] expected, [3] came"
    near = [np.float32([9, 4]), np.array([1, 0])]
    assert top_k(node("TopK"), [data], near, wanted, slack=5.0) is None


def test_top_k_of_nan():
    data = np.array([np.nan, 1.0], "f4")
    wanted = [data[:1], np.array([0])]
    assert rule("TopK", [data], wanted, wanted) is None


# NonMaxSuppression.

SCORES = np.zeros((1, 2, 6), "f4")
ROWS = np.array([[0, 0, 3], [0, 0, 1], [0, 1, 5]])


def boxes(came):
    return rule("NonMaxSuppression", [None, SCORES], [np.asarray(came).reshape(-1, 3)], [ROWS])


@given(st.permutations(range(3)))
def test_rows_come_in_any_order(order):
    assert boxes(ROWS[order]) is None


def test_rows_are_all_there_and_no_others():
    assert boxes(ROWS[:2]) == "1 of 3 rows missing, 0 too many: [0,1,5] is missing"
    assert boxes([*ROWS, [0, 1, 2]]) == "0 of 3 rows missing, 1 too many: [0,1,2] is too many"
    assert boxes([*ROWS, ROWS[0]]) == "a row occurs twice"
    assert boxes([[0, 2, 0]]) == "2 at [0,1] is out of range"
    assert boxes([]).startswith("3 of 3 rows missing")
    assert "rows of 3" in rule("NonMaxSuppression", [None, SCORES], [ROWS.T[:, :2]], [ROWS])


# Quantised.


@pytest.mark.parametrize("op_type", ["QuantizeLinear", "QLinearConv", "QLinearMatMul"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, ml_dtypes.int4, ml_dtypes.uint4])
def test_one_step_is_allowed_and_two_are_not(op_type, dtype):
    info = ml_dtypes.iinfo(dtype)
    wanted = np.array([int(info.min), 3, int(info.max)]).astype(dtype)
    one = np.array([int(info.min) + 1, 2, int(info.max) - 1]).astype(dtype)
    two = np.array([int(info.min), 1, int(info.max)]).astype(dtype)
    wrapped = wanted[::-1].copy()
    assert rule(op_type, [], [one], [wanted]) is None
    assert rule(op_type, [], [two], [wanted]) == "1/3 elements differ by more than 1 step, 3 at [1] expected, 1 came"
    assert rule(op_type, [], [wrapped], [wanted]) is not None


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2])
def test_a_step_of_a_float_is_the_next_number(dtype):
    numbers = np.arange(0x70, dtype=np.uint8).view(dtype)
    assert rule("QuantizeLinear", [], [numbers[1:]], [numbers[:-1]]) is None
    far = rule("QuantizeLinear", [], [numbers[4:]], [numbers[:-4]])
    assert far.startswith(f"{len(numbers) - 4}/{len(numbers) - 4} elements differ")


def test_text_has_no_steps():
    with pytest.raises(ValueError, match="has no steps"):
        rule("QuantizeLinear", [], [np.array(["a"])], [np.array(["a"])])


def test_dynamic_quantisation_may_move_by_its_zero_point():
    y, scale, zero = np.array([0, 100, 255], "u1"), np.array(0.1, "f4"), np.array(7, "u1")
    moved = np.array([1, 102, 255], "u1")

    def check(*actual):
        return rule("DynamicQuantizeLinear", [], list(actual), [y, scale, zero])

    assert check(y, scale, zero) is None
    assert check(moved, scale, np.array(8, "u1")) is None
    assert check(moved, scale, zero).startswith("1/3 elements differ by more than 1 step")
    assert check(y, scale * np.float32(1.001), zero).startswith("scale: ")
    assert check(y, scale, np.array(9, "u1")).startswith("zero point: ")


# Whole models.


def test_top_1_and_top_5():
    desired = np.array([[9.0, 8, 7, 6, 5, 4], [1, 1, 0, 0, 0, 0]])
    assert top_agreement(desired, desired, 1) == top_agreement(desired, desired, 5) == 1.0
    swapped = desired[:, [1, 0, 2, 3, 4, 5]]
    # The second row is a tie: either class is the best.
    assert top_agreement(swapped, desired, 1) == 0.5
    assert top_agreement(swapped, desired, 2) == 1.0
    assert top_agreement(-desired[:1], desired[:1], 5) == 0.8
    assert top_agreement(np.full((1, 6), np.nan), desired[:1], 1) == 1.0
    assert top_agreement(np.zeros((0, 3)), np.zeros((0, 3)), 1) == 1.0


@pytest.mark.parametrize(("actual", "desired", "k"), [((2,), (3,), 1), ((), (), 1), ((2,), (2,), 0)])
def test_no_ranking(actual, desired, k):
    with pytest.raises(ValueError, match=f"no top-{k}"):
        top_agreement(np.zeros(actual), np.zeros(desired), k)


@quick
@given(hnp.arrays(np.float64, (2, 5), elements=st.floats(-10, 10)), st.floats(1e-300, 1e300))
def test_the_cosine_of_a_row_and_its_multiple_is_one(rows, factor):
    rows[:, 0] = 1
    assert least_cosine(rows * factor, rows) == pytest.approx(1)
    assert least_cosine(-rows, rows) == pytest.approx(-1)


def test_cosines_of_zeros_and_of_the_worst_row():
    zero, one = np.zeros((1, 2)), np.ones((1, 2))
    assert least_cosine(zero, zero) == 1
    assert least_cosine(zero, one) == 0
    assert least_cosine(np.array([[1.0, 0], [1, 0]]), np.array([[1.0, 0], [1, 1]])) == pytest.approx(0.5**0.5)
    assert np.isnan(least_cosine(one * np.nan, one))
    assert least_cosine(np.zeros((0, 2)), np.zeros((0, 2))) == 1
    with pytest.raises(ValueError, match="no cosine"):
        least_cosine(zero, np.zeros(2))


def test_intersection_over_union():
    left = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [5, 5, 5, 5]], "f4")
    right = np.array([[2, 2, 0, 0], [1, 0, 3, 2], [5, 5, 5, 5]], "f4")
    assert least_iou(left, right) == pytest.approx(1 / 3)
    assert least_iou(left[[0, 2]], right[[0, 2]]) == 1.0
    assert least_iou(left + 10, right) == 0.0
    assert least_iou(left[None, :0], right[None, :0]) == 1.0
    with pytest.raises(ValueError, match="no boxes"):
        least_iou(left[:, :3], right[:, :3])
