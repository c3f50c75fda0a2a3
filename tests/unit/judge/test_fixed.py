"""The judge: what agrees must agree, what was tampered with must not, and the words must be right."""

import time

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from burn_verify.core.result import Mismatch, Verdict
from burn_verify.graph.dtypes import ELEM_TYPES, dtype_name, numpy_dtype
from burn_verify.judge import judge, merge
from burn_verify.judge.metrics import first_index, max_abs, max_ulp, mismatches, quantile
from burn_verify.judge.tolerance import TOLERANCES, Bound, bound, within

quick = settings(deadline=None, database=None)

FLOATS = ["float64", "float32", "float16", "bfloat16"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"]
BITS = {"float64": np.uint64, "float32": np.uint32, "float16": np.uint16, "bfloat16": np.uint16}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
FILLED = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)


@st.composite
def floats(draw, shapes=SHAPES, dtypes=FLOATS):
    """Floats of any bit pattern: NaN with any payload, infinities, denormals, both zeros."""
    name = draw(st.sampled_from(dtypes))
    shape = draw(shapes)
    special = [0, 1, 0x7C00, 0xFC00, 0x8000, 0x7F80, 0xFF80, 0x7FC0, 0x7F81, 0x7C01]
    if BITS[name] is not np.uint16:
        special = [number << (8 * np.dtype(BITS[name]).itemsize - 16) for number in special]
    pattern = st.sampled_from(special) | hnp.from_dtype(np.dtype(BITS[name]))
    return draw(hnp.arrays(BITS[name], shape, elements=pattern)).view(numpy_dtype(name))


def numbers(shapes=SHAPES):
    names = st.sampled_from([*INTEGERS, "bool"])
    return names.flatmap(lambda name: hnp.arrays(np.dtype(name), shapes))


def texts(shapes=SHAPES):
    return hnp.arrays(object, shapes, elements=st.text(max_size=3), fill=st.nothing())


anything = st.one_of(floats(), numbers(), texts())


def verdict(actual, desired, data_set="seeded"):
    """Judge one output named Y."""
    return judge(["Y"], [actual], [desired], data_set, "op/Conv-22/float32")


def message(actual, desired, data_set="seeded"):
    return verdict(actual, desired, data_set).message


def f32(*values):
    return np.array(values, dtype=np.float32)


# What agrees.


@quick
@given(anything)
def test_anything_agrees_with_itself(array):
    answer = verdict(array.copy(), array)
    assert answer.agrees
    assert answer.message == ""
    (entry,) = answer.metrics
    assert (entry.data_set, entry.name) == ("seeded", "Y")
    assert (entry.dtype, entry.shape) == (dtype_name(array.dtype), array.shape)
    assert (entry.elements, entry.mismatching, entry.first_bad) == (array.size, 0, None)
    assert entry.max_abs in (None, 0.0)
    assert entry.max_ulp in (None, 0)


@pytest.mark.parametrize("name", sorted(ELEM_TYPES.values()))
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_every_dtype_agrees_with_itself(name, shape):
    array = np.ones(shape).astype(numpy_dtype(name))
    answer = verdict(array.copy(), array)
    assert answer.agrees
    assert answer.metrics[0].elements == array.size


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", *FLOATS])
def test_nan_agrees_with_nan_and_one_zero_with_the_other(name):
    desired = np.array([np.nan, 0.0, -0.0, 1.0]).astype(numpy_dtype(name))
    actual = np.array([np.nan, -0.0, 0.0, 1.0]).astype(numpy_dtype(name))
    assert verdict(actual, desired).agrees


def test_no_output_agrees_with_no_output():
    assert judge([], [], [], "seeded", "c") == Verdict(name="agrees", message="", metrics=())


def test_byte_order_and_layout_do_not_matter():
    desired = np.arange(6, dtype=np.float32).reshape(2, 3)
    answer = verdict(np.asfortranarray(desired).astype(">f4"), desired)
    assert answer.agrees
    assert answer.metrics[0].max_ulp == 0


def test_text_may_have_a_fixed_width():
    assert verdict(np.array(["a", "bc"]), np.array(["a", "bc"], dtype=object)).agrees


@quick
@given(floats(), st.data())
def test_half_the_tolerance_agrees(desired, data):
    with np.errstate(all="ignore"):
        # Infinities have an infinite limit and stay as they are.
        step = np.where(np.isfinite(desired), bound(desired).limit, 0) * data.draw(st.sampled_from([-0.5, 0.5]))
        actual = (desired.astype(np.float64) + step).astype(desired.dtype)
        assume(np.array_equal(np.isfinite(actual), np.isfinite(desired)))
    assert verdict(actual, desired).agrees


# What was tampered with.


@quick
@given(floats(FILLED), st.data())
def test_one_element_beyond_tolerance_disagrees(desired, data):
    with np.errstate(all="ignore"):
        desired = np.where(np.isfinite(desired), desired, np.asarray(1).astype(desired.dtype))
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in desired.shape)))
    rule = TOLERANCES[desired.dtype.name]
    with np.errstate(all="ignore"):
        step = 3 * (rule.atol + rule.rtol * abs(float(desired[index])))
        actual = desired.copy()
        actual[index] = float(desired[index]) + step * data.draw(st.sampled_from([-1, 1]))
    assume(np.isfinite(actual[index]))
    answer = verdict(actual, desired)
    assert not answer.agrees
    assert answer.metrics[0].first_bad == index
    assert answer.metrics[0].mismatching == 1
    assert f"at [{','.join(map(str, index))}]" in answer.message
    assert f"1/{desired.size} elements differ" in answer.message


@quick
@given(st.one_of(numbers(FILLED), texts(FILLED)), st.data())
def test_one_exact_element_changed_disagrees(desired, data):
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in desired.shape)))
    actual = desired.copy()
    if desired.dtype == object:
        actual[index] = desired[index] + "!"
    elif desired.dtype == bool:
        actual[index] = not desired[index]
    else:
        actual[index] = desired[index] ^ 1
    answer = verdict(actual, desired)
    assert not answer.agrees
    assert answer.metrics[0].first_bad == index
    assert answer.metrics[0].mismatching == 1


@quick
@given(anything, st.sampled_from(sorted(ELEM_TYPES.values())))
def test_another_dtype_disagrees(desired, name):
    assume(name != dtype_name(desired.dtype))
    answer = verdict(np.ones(desired.shape).astype(numpy_dtype(name)), desired)
    assert answer.message == f"Y: dtype {dtype_name(desired.dtype)} expected, {name} came [op/Conv-22/float32]"
    assert [(entry.problem, entry.fits) for entry in answer.metrics] == [("wrong dtype", False)]


@quick
@given(anything, SHAPES)
def test_another_shape_disagrees(desired, shape):
    assume(shape != desired.shape)
    answer = verdict(np.ones(shape).astype(desired.dtype), desired)
    assert not answer.agrees
    assert answer.message.startswith("Y: shape [")
    assert [(entry.problem, entry.fits) for entry in answer.metrics] == [("wrong shape", False)]


@quick
@given(floats(FILLED), st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
def test_a_finite_element_turned_special_disagrees_both_ways(array, special, data):
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in array.shape)))
    finite = array.copy()
    finite[index] = 3.5
    tampered = finite.copy()
    tampered[index] = special
    word = "NaN" if np.isnan(special) else f"{special:g}"
    place = f"[{','.join(map(str, index))}]"
    assert message(finite, tampered) == f"Y: {word} at {place} expected, 3.5 came [op/Conv-22/float32]"
    assert message(tampered, finite) == f"Y: 3.5 at {place} expected, {word} came [op/Conv-22/float32]"
    assert verdict(tampered, finite).metrics[0].first_bad == index


# The words.


def test_elements_differ():
    desired = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    actual = desired.copy()
    actual[0, 2] = 3.0078125
    actual[1, 0] = 4.0078125
    assert message(actual, desired) == (
        "Y: float32[2,3] 2/6 elements differ, max_abs=7.8e-03 at [0,2], 32768 ULP, rtol 1e-03 atol 1e-04"
        " [op/Conv-22/float32]"
    )


def test_the_message_speaks_of_differing_elements_and_the_metrics_of_all():
    answer = verdict(f32(1e6, 0.001), f32(1e6 + 100, 0))
    assert "max_abs=1.0e-03 at [1]" in answer.message
    assert answer.metrics[0].max_abs == 100
    assert answer.metrics[0].first_bad == (1,)
    assert answer.metrics[0].fraction == 0.5


def test_the_message_names_the_worst_element_and_the_metrics_the_first():
    answer = verdict(f32(1, 2, 3), f32(1.5, 2, 4))
    assert "max_abs=1.0e+00 at [2]" in answer.message
    assert answer.metrics[0].first_bad == (0,)


@pytest.mark.parametrize(
    ("actual", "desired", "text"),
    [
        (np.ones((3, 2), "f4"), np.ones((2, 3), "f4"), "shape [2,3] expected, [3,2] came"),
        (np.ones((), "f4"), np.ones((1,), "f4"), "shape [1] expected, [] came"),
        (np.ones(1, "f2"), np.ones(1, "f4"), "dtype float32 expected, float16 came"),
        (f32(-np.inf), f32(np.inf), "inf at [0] expected, -inf came"),
        (f32(1, np.nan), f32(np.nan, 1), "NaN at [0] expected, 1 came"),
        (f32(np.inf, np.nan), f32(-np.inf, 1), "1 at [1] expected, NaN came"),
        (np.array([1, 5]), np.array([1, 2]), "int64[2] 1/2 elements differ, max_abs=3 at [1], exact"),
        (np.array(True), np.array(False), "bool[] 1/1 elements differ, False at [] expected, True came"),
        (np.array(["a", "b"]), np.array(["a", "c"]), "string[2] 1/2 elements differ, 'c' at [1] expected, 'b' came"),
    ],
)
def test_structural_words(actual, desired, text):
    assert message(actual, desired) == f"Y: {text} [op/Conv-22/float32]"


def test_long_text_is_cut():
    assert len(message(np.array(["a" * 999]), np.array(["b" * 999]))) < 200


@pytest.mark.parametrize(
    ("came", "text"),
    [
        (1, "2 outputs expected, 1 came [c]"),
        (0, "2 outputs expected, 0 came [c]"),
        (3, "2 outputs expected, 3 came [c]"),
    ],
)
def test_another_number_of_outputs_disagrees(came, text):
    answer = judge(["Y", "Z"], [f32(1)] * came, [f32(1)] * 2, "seeded", "c")
    kind = Mismatch.COUNT
    assert (answer.name, answer.message, answer.mismatch) == ("disagrees", text, kind)
    assert (answer.reason, answer.difference) == (kind.value, f"2 outputs before, {came} after")
    assert [(entry.name, entry.problem) for entry in answer.metrics] == [(name, kind) for name in "YZ"]


def test_one_output_is_singular():
    assert judge(["Y"], [], [f32(1)], "seeded", "c").message == "1 output expected, 0 came [c]"


def test_the_data_set_is_named_unless_it_is_the_seeded_one():
    assert message(f32(1), f32(2), "test_data_set_0").endswith("[op/Conv-22/float32, test_data_set_0]")


def test_the_first_disagreement_speaks_and_every_output_is_measured():
    answer = judge(
        ["A", "B", "C"], [f32(1), f32(5), f32(1)], [f32(1), np.ones(1, "f8"), f32(2)], "test_data_set_0", "c"
    )
    assert answer.message == "B: dtype float64 expected, float32 came [c, test_data_set_0]"
    assert [(entry.name, entry.mismatching, entry.data_set) for entry in answer.metrics] == [
        ("A", 0, "test_data_set_0"),
        ("B", 1, "test_data_set_0"),
        ("C", 1, "test_data_set_0"),
    ]


def test_names_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="1 names for 2 desired outputs"):
        judge(["Y"], [f32(1)] * 2, [f32(1)] * 2, "seeded", "c")


def test_metrics_hold_plain_python_values():
    entry = verdict(f32(1, np.nan), f32(1.5, 0)).metrics[0]
    assert type(entry.max_abs) is float
    assert {type(entry.max_ulp), type(entry.mismatching), type(entry.elements)} == {int}
    assert {type(part) for part in (*entry.shape, *entry.first_bad)} == {int}


# Merging.


def test_merge_keeps_all_metrics_and_the_first_disagreement():
    parts = [verdict(f32(value), f32(1), f"set_{number}") for number, value in enumerate([1, 2, 3])]
    merged = merge(parts)
    assert (merged.name, merged.message) == ("disagrees", parts[1].message)
    assert [entry.data_set for entry in merged.metrics] == ["set_0", "set_1", "set_2"]


def test_merge_of_agreements_agrees():
    assert merge(iter([verdict(f32(1), f32(1))] * 2)).agrees


def test_merge_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no verdict"):
        merge([])


# Another rule for what is allowed.


def test_a_bound_rule_replaces_the_tolerance():
    def rule(desired):
        return Bound(limit=np.full(desired.shape, 0.6), text="bound 6.0e-01")

    close, far = f32(1, 2), f32(1.5, 3)
    assert "1/2 elements differ" in judge(["Y"], [far], [close], "seeded", "c", bound_rule=rule).message
    assert judge(["Y"], [far], [close], "seeded", "c", bound_rule=rule).message.endswith("bound 6.0e-01 [c]")
    assert judge(["Y"], [f32(1.5)], [f32(1)], "seeded", "c", bound_rule=rule).agrees


def test_a_bound_rule_may_allow_integers_a_step_and_ask_floats_to_be_equal():
    step = judge(
        ["Y"], [np.int8([1])], [np.int8([2])], "seeded", "c", bound_rule=lambda _: Bound(limit=np.ones(1), text="")
    )
    equal = judge(
        ["Y"], [f32(1)], [f32(1.0000001)], "seeded", "c", bound_rule=lambda _: Bound(limit=None, text="exact")
    )
    assert step.agrees
    assert "1/1 elements differ" in equal.message


def test_tolerances_grow_with_the_unit_roundoff():
    rules = [TOLERANCES[name] for name in FLOATS]
    assert [rule.rtol for rule in rules] == sorted(rule.rtol for rule in rules)
    for name in FLOATS:
        assert TOLERANCES[name].rtol > ml_dtypes.finfo(numpy_dtype(name)).eps


# The numbers.


@pytest.mark.parametrize("name", FLOATS)
def test_neighbours_are_one_ulp_apart(name):
    """Over every finite number for 16 bits, over a spread of them for more."""
    bits = BITS[name]
    width = np.dtype(bits).itemsize * 8
    infinity = int(np.array(np.inf).astype(numpy_dtype(name)).view(bits))
    patterns = np.unique(np.linspace(0, infinity - 2, min(infinity, 70_000)).astype(bits))
    low, high = patterns.view(numpy_dtype(name)), (patterns + bits(1)).view(numpy_dtype(name))
    sign = bits(1 << (width - 1))
    assert max_ulp(low, high) == max_ulp(high, low) == 1
    negative = (patterns | sign).view(numpy_dtype(name)), ((patterns + bits(1)) | sign).view(numpy_dtype(name))
    assert max_ulp(*negative) == 1
    assert min(max_ulp(low[i : i + 1], high[i : i + 1]) for i in range(0, len(low), 997)) == 1


@quick
@given(hnp.arrays(np.float32, 1), hnp.arrays(np.float32, 1))
def test_ulp_is_the_number_of_steps(left, right):
    assume(np.isfinite(left).all() and np.isfinite(right).all())

    def ordered(value):
        pattern = int(value.view(np.uint32)[0])
        return pattern if pattern < 2**31 else 2**31 - pattern

    assert max_ulp(left, right) == abs(ordered(left) - ordered(right))


@pytest.mark.parametrize("name", FLOATS)
def test_ulp_across_zero_and_between_the_ends(name):
    dtype = numpy_dtype(name)
    info = ml_dtypes.finfo(dtype)
    tiny = np.array([info.smallest_subnormal], dtype)
    zero = np.zeros(1, dtype)
    assert max_ulp(zero, -zero) == 0
    assert max_ulp(tiny, -zero) == 1
    assert max_ulp(tiny, -tiny) == 2
    top = np.array([info.max], dtype)
    assert max_ulp(top, -top) == 2 * (int(np.array(np.inf).astype(dtype).view(BITS[name])) - 1)


def test_ulp_and_abs_leave_out_what_is_not_finite():
    left, right = f32(1, np.nan, np.inf, 2, 3), f32(1, np.nan, np.inf, np.nan, 3.5)
    assert max_abs(left, right) == 0.5
    assert max_ulp(left, right) == 2**21
    assert max_abs(left[1:4], right[1:4]) is None
    assert max_ulp(left[1:4], right[1:4]) is None


@pytest.mark.parametrize("name", ["int64", "bool", "string", "float8_e5m2", "complex64"])
def test_no_ulp_without_a_float_of_16_bits_or_more(name):
    array = np.ones(2).astype(numpy_dtype(name))
    assert max_ulp(array, array) is None


def test_the_greatest_difference_of_floats_is_a_finite_number():
    top = np.array([np.finfo(np.float64).max])
    assert max_abs(top, -top) == np.finfo(np.float64).max
    assert "max_abs=1.8e+308 at [0]" in message(top, -top)


@pytest.mark.parametrize("name", [*INTEGERS, "int4", "uint4", "int2", "uint2"])
@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
def test_the_ends_of_integers_do_not_overflow(name, shape):
    info = ml_dtypes.iinfo(numpy_dtype(name))
    low = np.full(shape, info.min).astype(numpy_dtype(name))
    high = np.full(shape, int(info.max), dtype=np.uint64).astype(numpy_dtype(name))
    span = float(int(info.max) - int(info.min))
    assert max_abs(low, high) == max_abs(high, low) == span
    answer = verdict(low, high)
    assert answer.metrics[0].mismatching == high.size
    assert f"max_abs={span:g}" in answer.message


def test_integers_that_one_float64_stands_for_differ():
    desired = np.array([2**63 - 1, 2**62])
    answer = verdict(desired - 1, desired)
    assert answer.metrics[0].mismatching == 2
    assert answer.metrics[0].max_abs == 1


@quick
@given(hnp.arrays(np.int64, 5), hnp.arrays(np.int64, 5))
def test_integer_differences_are_exact(left, right):
    assert max_abs(left, right) == float(max(abs(a - b) for a, b in zip(left.tolist(), right.tolist(), strict=True)))


@quick
@given(floats(dtypes=["float64", "float32"]), st.data())
def test_mismatches_are_those_of_isclose(desired, data):
    actual = data.draw(hnp.arrays(desired.dtype, desired.shape))
    rule = within(TOLERANCES[desired.dtype.name])
    with np.errstate(all="ignore"):
        wide = actual.astype(np.float64), desired.astype(np.float64)
        close = np.isclose(
            *wide, rtol=TOLERANCES[desired.dtype.name].rtol, atol=TOLERANCES[desired.dtype.name].atol, equal_nan=True
        )
    assert np.array_equal(mismatches(actual, desired, rule(desired).limit), ~close)


def test_first_index_is_in_row_major_order():
    mask = np.zeros((2, 3), dtype=bool)
    assert first_index(mask) is None
    mask[1, 0] = mask[0, 2] = True
    assert first_index(mask) == (0, 2)
    assert first_index(np.array(True)) == ()


def test_an_element_in_a_late_block_is_found():
    desired = np.zeros(200_001, dtype=np.float32)
    actual = desired.copy()
    actual[200_000] = 1
    answer = verdict(actual, desired)
    assert answer.metrics[0].first_bad == (200_000,)
    assert answer.metrics[0].max_abs == 1


def test_ten_million_elements_take_a_moment():
    desired = np.linspace(-1, 1, 10_000_000, dtype=np.float32)
    start = time.process_time()
    assert verdict(desired.copy(), desired).agrees
    assert time.process_time() - start < 3


@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([0.0, 0.5, 0.99, 0.999, 1.0]),
)
def test_a_quantile_is_that_of_numpy(values, share):
    assert quantile(values, share) == np.quantile(values, share, method="higher")
