"""What rounding explains of a graph's output: near at each element, and in root mean square; never infinitely much."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from burn_verify.core.result import JudgeMode
from burn_verify.judge import Judge, Question, bound, judge
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.noise import DEVIATIONS, LEAST_SHARE, deviations, explained, luck
from burn_verify.judge.weigh import weigh

quick = settings(deadline=None, database=None)
U = 2.0**-24
finite = st.floats(-1e6, 1e6, allow_nan=False)
special = st.sampled_from([np.nan, np.inf, -np.inf])


def known(reference, sigma=None, runtime=None, optimised=None, *, wide=True, dtype=np.float32, stored=None):
    """Return what is known of a graph with one output; ONNX Runtime answers with the rounded reference."""
    runtime = reference.astype(dtype) if runtime is None else runtime
    measured = Measured(
        wide={0: reference} if wide else {},
        sigma={} if sigma is None else {0: sigma},
        optimised=None if optimised is None else [optimised],
        evaluator="onnxruntime",
    )
    return Evidence(inputs=[runtime], stored=None if stored is None else [stored], runtime=[runtime], measured=measured)


def verdict(actual, evidence, mode=JudgeMode.DEFAULT):
    return Judge(mode=mode).verdict(Question(case_id="file/graph"), ["Y"], [actual], evidence, "seeded")


REFERENCE = np.random.default_rng(0).normal(size=(8, 50))
SIGMA = np.full(REFERENCE.shape, 3e-7)


@quick
@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0), elements=finite | special),
    st.floats(0, 1e3),
)
def test_a_bound_is_finite_and_covers_what_noise_did(reference, sigma):
    found = explained(reference, np.full(reference.shape, sigma), "float32")
    assert found.limit.shape == reference.shape
    assert np.isfinite(found.limit).all()
    assert np.isfinite(found.mean)
    there = np.isfinite(reference)
    assert (found.limit[there] >= DEVIATIONS * max(sigma, LEAST_SHARE * found.deviation) * (1 - 1e-12)).all()
    assert (found.limit[~there] == 0).all()


@quick
@given(st.floats(1e-25, 1e25), st.floats(1e-10, 1e-3))
def test_a_bound_scales_with_the_output(size, relative):
    one, other = (explained(REFERENCE * by, relative * by * np.abs(REFERENCE), "float32") for by in (1.0, size))
    np.testing.assert_allclose(other.limit, one.limit * size, rtol=1e-9)
    assert other.mean == pytest.approx(one.mean * size)


@quick
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_what_rounding_explains_agrees(seed, part):
    noise = np.random.default_rng(seed).normal(size=REFERENCE.shape).clip(-3, 3)
    came = (REFERENCE + part * SIGMA * noise).astype(np.float32)
    assert verdict(came, known(REFERENCE, SIGMA)).name == "agrees"


@pytest.mark.parametrize("factor", [1.001, 1.0001, 1.00001])
def test_a_small_factor_is_caught(factor):
    said = verdict((REFERENCE * factor).astype(np.float32), known(REFERENCE, SIGMA))
    assert (said.name, said.guilty) == ("disagrees", "burn")
    assert said.metrics[0].headroom > 1
    assert said.metrics[0].mismatching > 0


def test_a_small_error_of_all_elements_is_caught_although_each_is_near():
    said = verdict((REFERENCE + 2 * SIGMA).astype(np.float32), known(REFERENCE, SIGMA))
    assert said.name == "disagrees"
    assert "rms" in said.message
    assert 1 < said.metrics[0].headroom < 3


def test_without_what_rounding_explains_the_tolerance_by_dtype_counts():
    came = (REFERENCE * 1.00001).astype(np.float32)
    assert verdict(came, known(REFERENCE)).name == "agrees"
    assert verdict(came, known(REFERENCE)).metrics[0].rounding_share is None


def test_every_output_says_how_much_rounding_explains():
    came = (REFERENCE + 0.25 * SIGMA).astype(np.float32)
    assert verdict(came, known(REFERENCE, SIGMA)).metrics[0].rounding_share == pytest.approx(0.25, rel=0.05)


def test_the_references_own_error_is_allowed_twice():
    off = (REFERENCE + 20 * SIGMA).astype(np.float32)
    evidence = known(REFERENCE, SIGMA, runtime=off)
    said = verdict((REFERENCE + 35 * SIGMA).astype(np.float32), evidence)
    assert said.name == "agrees"
    assert said.metrics[0].headroom < 1
    assert said.metrics[0].rounding_share == pytest.approx(35, rel=0.05)
    assert verdict((REFERENCE + 45 * SIGMA).astype(np.float32), evidence).name == "disagrees"


def test_two_rounded_answers_are_allowed_twice_as_much():
    evidence = known(REFERENCE, SIGMA, wide=False)
    assert verdict((REFERENCE + 1.8 * SIGMA).astype(np.float32), evidence).name == "agrees"
    assert verdict((REFERENCE + 2.4 * SIGMA).astype(np.float32), evidence).name == "disagrees"


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_normal_errors_of_few_elements_are_not_accused_of_luck(seed, elements):
    generator = np.random.default_rng(seed)
    errors = generator.normal(size=(200, elements))
    alarms = np.sqrt(np.mean(errors**2, axis=1)) > luck(elements)
    assert np.mean(alarms) < 0.05


def test_a_deviation_of_another_shape_is_not_looked_at():
    assert weigh(0, REFERENCE.astype("f4"), known(REFERENCE, SIGMA[:1])).yardstick.bound.mean is None


def test_half_precision_is_not_loose_beside_noise():
    sigma = np.full(REFERENCE.shape, 2e-3)
    evidence = known(REFERENCE, sigma, dtype=np.float16)
    assert verdict((REFERENCE * 1.0005).astype(np.float16), evidence).name == "agrees"
    assert verdict((REFERENCE * 1.01).astype(np.float16), evidence).name == "disagrees"


# Scale: neither small outputs nor nearly constant ones are judged by what is meant for magnitude 1.


@quick
@given(st.floats(1e-30, 1e-3))
def test_small_outputs_are_judged_by_their_own_scale(size):
    reference = REFERENCE * size
    assert verdict(reference.astype("f4"), known(reference)).name == "agrees"
    assert verdict((reference * 1.01).astype("f4"), known(reference)).name == "disagrees"
    assert not judge(["Y"], [(reference * 1.01).astype("f4")], [reference.astype("f4")], "seeded", "c").passes


def test_nearly_one_hot_scores_are_judged_by_their_own_scale():
    wanted = np.full(1000, 1e-9)
    wanted[3] = 1 - 1e-6
    came = wanted.copy()
    came[7:] = 1e-5
    assert verdict(came.astype("f4"), known(wanted)).name == "disagrees"


def test_onnx_runtime_is_not_called_wrong_for_parts_of_very_small_numbers():
    reference = np.abs(REFERENCE) * 1e-6
    evidence = known(reference, reference * 1e-7, runtime=(reference * 1.02).astype("f4"))
    assert verdict(reference.astype("f4"), evidence).name == "agrees"
    assert verdict((reference * 1.001).astype("f4"), evidence).name == "disagrees"


def test_zeros_have_to_be_zero():
    zeros = np.zeros((2, 3))
    assert verdict(zeros.astype("f4"), known(zeros)).name == "agrees"
    assert verdict(zeros.astype("f4"), known(zeros, zeros)).name == "agrees"
    assert verdict((zeros + 1e-6).astype("f4"), known(zeros)).name == "disagrees"
    assert verdict((zeros + 1e-6).astype("f4"), known(zeros, zeros)).name == "disagrees"


@quick
@given(hnp.arrays(np.float32, st.integers(0, 6), elements=st.floats(-1e3, 1e3, width=32) | special))
def test_the_tolerance_is_never_more_than_the_size_of_the_output(desired):
    limit = bound(desired).limit
    assert np.isfinite(limit).all()
    there = np.abs(desired[np.isfinite(desired)].astype(np.float64))
    assert (limit[np.isfinite(desired)] <= 2e-3 * there.max(initial=0.0) + 1e-40).all()


# What is not finite is equal or wrong, in every path.

WAYS = {
    "float64": lambda wanted: known(wanted),
    "noise": lambda wanted: known(wanted, np.full(wanted.shape, 1e-7)),
    "ONNX Runtime": lambda wanted: known(wanted, wide=False),
    "stored": lambda wanted: known(wanted, wide=False, stored=wanted.astype("f4")),
    "noise around what is stored": lambda wanted: known(
        wanted, np.full(wanted.shape, 1e-7), wide=False, stored=wanted.astype("f4")
    ),
    "loose": lambda wanted: known(wanted, runtime=(wanted * np.float32(1.0009)).astype("f4")),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", JudgeMode)
@pytest.mark.parametrize("wanted", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("came", [0.0, 1.0, 3e38, np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_equal_or_wrong(way, mode, wanted, came):
    reference = np.array([1.0, wanted, 2.0])
    actual = np.array([1.0, came, 2.0], np.float32)
    evidence = WAYS[way](reference)
    said = verdict(actual, evidence, mode)
    assert said.passes == (np.array_equal(actual[1:2], reference[1:2], equal_nan=True))
    swapped = replace(evidence, runtime=[actual], stored=None, measured=replace(evidence.measured, wide={}))
    assert verdict(reference.astype("f4"), swapped, mode).passes == said.passes


@pytest.mark.parametrize("came", [np.inf, -np.inf, np.nan])
def test_a_number_that_is_expected_is_not_infinite(came):
    for way in WAYS.values():
        assert not verdict(np.array([1.0, came, 2.0], "f4"), way(np.array([1.0, 1.5, 2.0]))).passes


def test_of_many_elements_one_may_be_further_away():
    # The eighth power of Student's tail: as many elements exceed the bound of a million as that of 16,000.
    assert deviations(1) == deviations(16_000) == DEVIATIONS
    assert deviations(1_000_000) == pytest.approx(DEVIATIONS * 62.5**0.125)
    rng = np.random.default_rng(0)
    estimated = np.sqrt(np.mean(np.square(rng.standard_normal((8, 200_000))), axis=0))
    beyond = [np.count_nonzero(np.abs(0.3 * rng.standard_normal(200_000)) > most * estimated) for most in (2.0, 4.0)]
    assert beyond[1] < beyond[0] / 2**6
