"""The verdict by evidence: who is believed, what is allowed, and who is guilty."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.case import Tolerance
from burn_verify.core.result import JudgeMode, Verdict
from burn_verify.judge import Judge, Question, insensitive, merge
from burn_verify.judge.allowance import STRUCTURE
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.facts import LoneNode, NodeFacts
from burn_verify.judge.overrides import Override
from burn_verify.judge.policy import used_overrides
from burn_verify.judge.weigh import weigh

quick = settings(deadline=None, database=None)
QUESTION = Question(case_id="op/Div-14/float32", tolerance=Tolerance(rtol=1e-3, atol=1e-7))
RIGHT = np.linspace(0.5, 2.0, 12).reshape(3, 4)
F32 = RIGHT.astype(np.float32)
U = 2.0**-24


def lone(op_type="Div", *, outputs=((3, 4),), gives=(0,), feeds=(0, 1), dtype="float32", values=None, **attributes):
    facts = NodeFacts(
        op_type=op_type,
        since_version=13,
        attributes=attributes,
        input_shapes=((3, 4),) * len(feeds),
        output_shapes=outputs,
        input_dtypes=(dtype,) * len(feeds),
        input_values=values or {},
    )
    return LoneNode(facts=facts, feeds=feeds, gives=gives)


DIV = lone()


def known(runtime=F32, stored=None, wide=RIGHT, node=DIV, optimised=None, scale=None, inputs=(F32, F32)):
    measured = Measured(
        wide={} if wide is None else {0: wide},
        scale={} if scale is None else {0: scale},
        optimised=None if optimised is None else [optimised],
        evaluator="onnxruntime",
        lone=node,
    )
    return Evidence(
        inputs=inputs,
        stored=None if stored is None else [stored],
        runtime=None if runtime is None else [runtime],
        measured=measured,
    )


def verdict(actual, evidence, question=QUESTION, **how):
    return Judge(**how).verdict(question, ["Y"], [actual], evidence, "seeded")


def off(factor, array=F32, place=(1, 2)):
    """Move one element by a multiple of float32's roundoff, relative."""
    changed = array.astype(np.float64)
    changed[place] *= 1 + factor * U
    return changed.astype(array.dtype)


# Who is believed, and who is guilty.


def test_what_is_inside_of_the_bound_agrees():
    answer = verdict(off(1), known())
    assert (answer.name, answer.message, answer.guilty) == ("agrees", "", "")
    (entry,) = answer.metrics
    assert entry.reference == "float64 (onnxruntime)"
    assert entry.bound == "2 u·S (Div: 2)"
    assert 0 < entry.headroom < 1
    assert entry.oracle_headroom < 1
    assert (entry.mismatching, entry.first_bad) == (0, None)


def test_what_is_outside_is_burns_fault():
    answer = verdict(off(9), known())
    assert (answer.name, answer.guilty, answer.reason) == ("disagrees", "burn", "wrong values")
    assert answer.message.startswith("Y: float32[3,4] 1/12 elements differ, max_abs=")
    assert "at [1,2]" in answer.message
    assert "ULP, bound 2 u·S (Div: 2), headroom 3" in answer.message
    assert answer.message.endswith("against float64 (onnxruntime), disagrees, guilty: burn [op/Div-14/float32]")
    # What is left for two answers of which neither is the right one.
    assert answer.message.startswith(f"{answer.difference}, headroom 3")
    assert answer.difference.endswith("ULP, bound 2 u·S (Div: 2)")
    assert answer.metrics[0].first_bad == (1, 2)
    assert answer.metrics[0].headroom > 2.5


def test_a_planted_oracle_bug_is_not_burns_fault():
    wrong = off(1e6)
    answer = verdict(F32, known(runtime=wrong))
    assert (answer.name, answer.guilty) == ("oracle_disagrees", "onnxruntime")
    assert answer.passes
    assert "oracle_disagrees, guilty: onnxruntime" in answer.message


def test_an_oracle_that_is_only_a_little_off_is_no_news():
    assert verdict(F32, known(runtime=off(9))).name == "agrees"


def test_stored_answers_confirm_float64_against_onnx_runtime():
    answer = verdict(F32, known(runtime=off(1e6), stored=F32))
    assert (answer.name, answer.guilty) == ("oracle_disagrees", "onnxruntime")


def test_both_are_guilty_where_what_is_stored_is_with_float64():
    answer = verdict(off(1e6), known(runtime=off(1e6), stored=F32))
    assert (answer.name, answer.guilty) == ("disagrees", "both")


def test_float64_that_nobody_confirms_is_not_believed():
    answer = verdict(F32, known(wide=RIGHT + 1))
    assert answer.name == "agrees"
    assert answer.metrics[0].reference == "onnxruntime"


@pytest.mark.parametrize("wide", [RIGHT[:2], RIGHT.astype(np.float32) * np.nan, None])
def test_float64_of_another_structure_is_not_believed(wide):
    answer = verdict(F32, known(wide=wide, stored=F32))
    assert answer.name == "agrees"
    assert answer.metrics[0].reference == "stored"


def test_two_answers_and_nobody_else_leave_the_guilt_open():
    answer = verdict(off(1e6), known(wide=None))
    assert (answer.name, answer.guilty) == ("disagrees", "unknown")


def test_float64_beside_burn_against_what_is_stored_leaves_the_guilt_open():
    answer = verdict(F32, known(runtime=None, stored=off(1e6)))
    assert (answer.name, answer.guilty) == ("disagrees", "unknown")


@pytest.mark.parametrize(("runtime", "guilty"), [(None, "burn"), (F32, "burn"), (off(1e6), "both")])
def test_without_float64_what_is_stored_decides(runtime, guilty):
    answer = verdict(off(2e6), known(runtime=runtime, stored=F32, wide=None))
    assert (answer.name, answer.guilty) == ("disagrees", guilty)


def test_a_wrong_shape_names_the_guilty():
    assert verdict(F32[:2], known(stored=F32)).guilty == "burn"
    assert verdict(F32[:2], known(stored=F32, runtime=F32[:1])).guilty == "both"
    assert verdict(F32[:2], known(stored=F32)).reason == "wrong shape"


# What is allowed.


def test_outside_of_the_bound_in_proportion_to_the_oracle_is_loose():
    # The oracle is off by 0.8 of the bound of 3 u at one place, and what came by a bit more than the whole.
    wide = F32.astype(np.float64)
    wide[0, 0] *= 1 + 2.4 * U
    actual = F32.copy()
    actual[0, 0] = np.nextafter(actual[0, 0], np.float32(0))
    evidence = known(wide=wide)
    answer = verdict(actual, evidence)
    assert answer.name == "loose"
    assert answer.passes
    assert verdict(actual, evidence, mode=JudgeMode.STRICT).name == "disagrees"


def test_the_corpus_own_tolerance_on_request():
    actual = off(9000)
    assert verdict(actual, known()).name == "disagrees"
    assert verdict(actual, known(), mode=JudgeMode.ONNX).name == "agrees"
    assert verdict(off(90000), known(), mode=JudgeMode.ONNX).name == "disagrees"


def graph(**how):
    return known(node=None, **how)


def test_a_graph_is_judged_by_the_oracles_own_error():
    assert verdict(off(100), graph()).name == "agrees"
    shifted = (RIGHT * (1 + 5e-4)).astype(np.float32)
    answer = verdict(shifted, graph())
    assert (answer.name, answer.guilty) == ("disagrees", "burn")
    assert "12/12 elements differ" in answer.message
    assert "rms" in answer.message
    coarse = (RIGHT * (1 - 5e-4)).astype(np.float32)
    assert verdict(shifted, graph(runtime=coarse)).name == "agrees"


def test_what_onnx_runtime_is_off_by_itself_counts_as_its_error():
    shifted = (RIGHT * (1 + 5e-4)).astype(np.float32)
    assert verdict(shifted, graph(wide=None)).name == "disagrees"
    assert verdict(shifted, graph(wide=None, optimised=shifted)).name == "agrees"


@quick
@given(st.integers(0, 11), st.sampled_from([-1, 1]), st.booleans())
def test_four_bounds_at_one_element_are_caught(place, sign, single):
    evidence = known() if single else graph()
    weighed = weigh(0, F32, evidence)
    actual = F32.copy().reshape(-1)
    actual[place] = weighed.yardstick.reference.flat[place] + sign * 4.1 * weighed.yardstick.bound.limit.flat[place]
    assert verdict(actual.reshape(F32.shape), evidence).name == "disagrees"


def test_half_precision_is_judged_by_its_own_roundoff():
    half = RIGHT.astype(np.float16)
    evidence = known(runtime=half, node=lone(dtype="float16"), inputs=(half, half))
    assert verdict(np.nextafter(half, np.float16(0)), evidence).name == "agrees"
    assert verdict(half * np.float16(1.01), evidence).name == "disagrees"


def test_a_graph_of_half_precision_may_round_every_sum():
    half = RIGHT.astype(np.float16)
    evidence = known(runtime=half, node=None, inputs=(half, half))
    coarse = (half * np.float16(1.01)).astype(np.float16)
    assert verdict(half, evidence).name == "agrees"
    assert verdict(coarse, evidence).name == "loose"
    assert verdict(coarse, evidence, mode=JudgeMode.STRICT).name == "disagrees"
    assert verdict((half * np.float16(1.05)).astype(np.float16), evidence).name == "disagrees"
    # In float32 ONNX Runtime's error is one of the same arithmetic.
    assert verdict((F32 * np.float32(1 + 5e-4)).astype(np.float32), graph()).name == "disagrees"


def test_an_answer_of_a_narrower_dtype_is_no_finer_than_that():
    wide = RIGHT * (1 + 1e-8)
    narrow = RIGHT.astype(np.float32).astype(np.float64)
    evidence = known(runtime=narrow, wide=None, node=lone(dtype="float64"), inputs=(wide, wide))
    assert verdict(wide, evidence).name == "disagrees"
    coarse = replace(evidence, coarse=Tolerance(rtol=1e-4, atol=1e-5))
    assert verdict(wide, coarse).name == "agrees"
    assert verdict(wide * 1.001, coarse).name == "disagrees"


def test_the_sign_of_zero_counts_where_elements_are_moved_only():
    zeros = np.zeros((3, 4), np.float32)
    moved = known(runtime=zeros, wide=None, node=lone("Transpose", feeds=(0,)), inputs=(zeros,))
    assert verdict(zeros, moved).name == "agrees"
    assert verdict(-zeros, moved).name == "disagrees"
    chosen = known(runtime=zeros, wide=None, node=lone("Relu", feeds=(0,)), inputs=(zeros,))
    assert verdict(-zeros, chosen).name == "agrees"


def test_the_sign_of_zero_is_not_taken_from_who_adds_zeros():
    zeros = np.zeros((3, 4), np.float32)
    where = lone("Where", feeds=(0,))
    assert verdict(-zeros, known(runtime=zeros, wide=None, node=where, inputs=(zeros,))).name == "agrees"
    stored = known(stored=zeros, runtime=None, wide=None, node=where, inputs=(zeros,))
    assert verdict(-zeros, stored).name == "disagrees"


def test_nan_is_no_matter_of_degree():
    actual = F32.copy()
    actual[0, 0] = np.nan
    for evidence in (known(), graph(), graph(runtime=off(1e5))):
        answer = verdict(actual, evidence)
        assert answer.name == "disagrees"
    assert "NaN came" in verdict(actual, known()).message


def test_an_overflow_is_legal_where_the_reference_does_not_fit():
    large = np.full((3, 4), 3.5e38)
    evidence = known(runtime=np.full((3, 4), np.inf, np.float32), wide=large)
    assert verdict(np.full((3, 4), np.float32(np.finfo(np.float32).max)), evidence).name == "agrees"
    assert verdict(np.full((3, 4), np.nan, np.float32), evidence).name == "disagrees"


def test_integers_are_exact():
    numbers = np.arange(12).reshape(3, 4)
    evidence = known(runtime=numbers, wide=None, node=lone("Add", dtype="int64"), inputs=(numbers, numbers))
    assert verdict(numbers, evidence).name == "agrees"
    answer = verdict(numbers + (numbers == 5), evidence)
    assert answer.name == "disagrees"
    assert "int64[3,4] 1/12 elements differ, max_abs=1 at [1,1], bound exact" in answer.message


# Results that are no matter of distance.


def test_ties_are_legal():
    data = np.array([[1.0, 3.0, 3.0, 0.0]] * 3, np.float32)
    node = lone("ArgMax", feeds=(0,), outputs=((3, 1),), axis=1)
    first, second = np.full((3, 1), 1), np.full((3, 1), 2)
    evidence = known(runtime=first, stored=first, wide=None, node=node, inputs=(data,))
    assert verdict(second, evidence).name == "agrees"
    answer = verdict(np.full((3, 1), 3), evidence)
    assert (answer.name, answer.guilty) == ("disagrees", "burn")
    assert "3 at [0,0] expected, 0 came" in answer.message


def test_an_oracle_that_points_elsewhere_is_named():
    data = np.array([[1.0, 3.0, 2.0, 0.0]] * 3, np.float32)
    node = lone("ArgMax", feeds=(0,), outputs=((3, 1),), axis=1)
    right, wrong = np.full((3, 1), 1), np.full((3, 1), 2)
    evidence = known(runtime=wrong, stored=right, wide=None, node=node, inputs=(data,))
    assert verdict(right, evidence).name == "oracle_disagrees"
    assert verdict(wrong, evidence).guilty == "both"


def test_what_is_drawn_is_checked_as_a_sample():
    node = lone("RandomUniform", feeds=(), low=0.0, high=1.0)
    random = replace(QUESTION, random=True)
    evidence = known(runtime=None, stored=F32, wide=None, node=node, inputs=())
    drawn = np.random.default_rng(0).random((3, 4), dtype=np.float32)
    assert verdict(drawn, evidence, random).name == "nondeterministic"
    answer = verdict(drawn + 2, evidence, random)
    assert (answer.name, answer.guilty) == ("disagrees", "burn")
    assert "is not from 0 to 1" in answer.message


def test_a_graph_that_draws_is_compared_by_structure():
    random = replace(QUESTION, random=True)
    assert verdict(F32 + 5, graph(wide=None), random).name == "nondeterministic"
    assert verdict(F32[:1], graph(wide=None), random).name == "disagrees"


@pytest.mark.parametrize("mode", ["default", "onnx"])
def test_what_is_not_random_in_a_graph_that_draws_is_judged(mode):
    both = replace(QUESTION, random=True, steady=("b",))
    evidence = replace(graph(wide=None), runtime=None, stored=(F32, F32))
    judged = Judge(mode=JudgeMode(mode))
    assert judged.verdict(both, ["a", "b"], [F32 + 5, F32], evidence, "seeded").name == "nondeterministic"
    answer = judged.verdict(both, ["a", "b"], [F32 + 5, F32 * 1.01], evidence, "seeded")
    assert (answer.name, answer.reason) == ("disagrees", "wrong values")
    assert answer.message.startswith("b: ")
    assert len(answer.metrics) == 2


def test_what_is_not_random_is_allowed_what_rounding_explains():
    both = replace(QUESTION, random=True, steady=("b",))
    evidence = replace(graph(wide=None), runtime=None, stored=(F32, F32))
    loose, sharp = Judge().allowances(both, ["a", "b"], [F32 + 5, F32], evidence)
    assert loose.kind == STRUCTURE != sharp.kind


def test_scores_of_classes_are_ranked():
    scores = np.linspace(0, 1, 20).reshape(2, 10)
    evidence = graph(runtime=scores.astype(np.float32), wide=scores)
    (entry,) = verdict(scores.astype(np.float32), evidence).metrics
    assert entry.metrics == {"top1": 1.0, "top5": 1.0}
    (entry,) = verdict(scores[:, ::-1].astype(np.float32), evidence).metrics
    assert entry.metrics == {"top1": 0.0, "top5": 0.0}
    assert entry.cosine < 1


# Exceptions, emptiness, several data sets.


def exception(**fields):
    return Override(name="mine", factor=10.0, reason="why", link="https://example.org", **fields)


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"op_type": "Div"}, True),
        ({"op_type": "Mul"}, False),
        ({"case": "op/Div*"}, True),
        ({"case": "zoo/*"}, False),
        ({"op_type": "Div", "output": "Z"}, False),
        ({"op_type": "Div", "dtype": "float16"}, False),
        ({"op_type": "Div", "burn_backend": "wgpu"}, False),
        ({"op_type": "Div", "output": "Y", "dtype": "float32", "burn_backend": "flex"}, True),
    ],
)
def test_an_exception_widens_what_it_is_about(fields, fits):
    answer = verdict(off(9), known(), overrides=(exception(**fields),), burn_backend="flex")
    assert answer.name == ("agrees" if fits else "disagrees")
    assert ("(override mine)" in answer.metrics[0].bound) == fits
    assert used_overrides(answer.metrics, [exception()]) == (["mine"] if fits else [])


def test_what_is_insensitive_passes_and_agrees_not():
    answer = insensitive(verdict(F32, known()), "the output is all zero")
    assert (answer.name, answer.passes, answer.agrees) == ("insensitive", True, False)
    wrong = verdict(off(1e6), known())
    assert insensitive(wrong, "the output is all zero") is wrong
    assert insensitive(answer, "") is answer


def test_the_worst_of_several_data_sets_speaks():
    names = ["agrees", "loose", "nondeterministic", "oracle_disagrees", "disagrees"]
    verdicts = [Verdict(name=name, message=name, metrics=()) for name in names]
    for count in range(1, len(names) + 1):
        assert merge(verdicts[:count]).name == names[count - 1]


def test_what_is_stored_is_not_overruled_by_two_who_share_a_mistake():
    mistaken = off(1e6)
    evidence = known(runtime=mistaken, stored=F32, wide=mistaken.astype(np.float64))
    assert verdict(F32, evidence).name == "oracle_disagrees"
    answer = verdict(mistaken, evidence)
    assert (answer.name, answer.guilty) == ("disagrees", "unknown")


def test_boxes_overlap():
    boxes = np.array([[[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 4.0]]])
    evidence = graph(runtime=boxes.astype(np.float32), wide=boxes)
    answer = Judge().verdict(QUESTION, ["pred_boxes"], [boxes.astype(np.float32)], evidence, "seeded")
    assert answer.metrics[0].metrics == {"iou": 1.0}


def test_integers_of_a_widened_model_name_the_guilty():
    numbers = np.arange(12).reshape(3, 4)
    wrong = numbers + (numbers == 5)
    assert verdict(wrong, graph(runtime=numbers, wide=numbers)).guilty == "burn"
    assert verdict(numbers, graph(runtime=wrong, wide=numbers)).name == "oracle_disagrees"
    assert verdict(wrong, graph(runtime=numbers, wide=None)).guilty == "unknown"


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_or_an_infinity_in_the_place_of_a_number_leaves_no_headroom(special):
    wrong = F32.copy()
    wrong[1, 2] = special
    for evidence in (known(), graph()):
        answer = verdict(wrong, evidence)
        assert (answer.name, answer.metrics[0].headroom) == ("disagrees", np.inf)
