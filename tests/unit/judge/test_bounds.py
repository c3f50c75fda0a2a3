"""The table of bounds: complete, never too tight for honest arithmetic, never so wide that tampering passes."""

import math
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx.defs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import numerics_bounds
from burn_verify.graph.dtypes import numpy_dtype
from burn_verify.judge.bound_table import RULES
from burn_verify.judge.bounds import Magnitude, NodeFacts, allowed, count_of, floor_of, rule_of, unit_roundoff
from burn_verify.judge.magnitude import deviation, magnitude_of

ROOT = Path(__file__).parents[3]
quick = settings(deadline=None, database=None, max_examples=40)
FLOATS = ["float32", "float16", "bfloat16"]
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(FLOATS)
lengths = st.integers(1, 200)


def node(op_type, inputs, output, version=13, values=None, domain="", **attributes):
    """Facts of a node from arrays or None, and its output."""
    return NodeFacts(
        op_type=op_type,
        domain=domain,
        since_version=version,
        attributes=attributes,
        input_shapes=tuple(None if array is None else array.shape for array in inputs),
        output_shapes=(np.shape(output),),
        input_dtypes=tuple(None if array is None else array.dtype.name for array in inputs),
        input_values=values or {},
    )


def draw(seed, shape, dtype, scale=1.0):
    """Normal numbers, rounded to a dtype, some of them far greater than the rest."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=shape) * scale
    return np.where(generator.random(shape) < 0.1, numbers * 8, numbers).astype(numpy_dtype(dtype))


def wide(array):
    return array.astype(np.float64)


def inner(*arrays):
    """Return arrays as kernels for half precision compute with them: in float32."""
    return [array if array.dtype == np.float32 else array.astype(np.float32) for array in arrays]


def in_order(terms):
    """Sum along the last axis one by one, each step rounded to the terms' dtype."""
    total = np.zeros(terms.shape[:-1], terms.dtype)
    for position in range(terms.shape[-1]):
        total = (total + terms[..., position]).astype(terms.dtype)
    return total


def sums(terms):
    """The same sum in several orders: forwards, backwards, pairwise."""
    yield in_order(terms)
    yield in_order(terms[..., ::-1])
    even = terms.shape[-1] // 2 * 2
    pairs = (terms[..., 0:even:2] + terms[..., 1:even:2]).astype(terms.dtype)
    yield in_order(np.concatenate([pairs, terms[..., even:]], axis=-1))


def holds(facts, dtype, reference, magnitude, actual):
    """Assert that results are within the bound, and that four bounds more would not be."""
    bound = allowed(facts, dtype, reference, magnitude)
    assert bound.limit.shape == reference.shape
    error = np.abs(wide(np.asarray(actual)) - reference)
    assert np.isfinite(bound.limit).all()
    assert (error <= bound.limit).all(), f"{bound.text}: {(error / bound.limit).max()} of the bound"
    assert (np.abs(reference + 4 * bound.limit - reference) > bound.limit).all()
    return bound


# The table.


def test_every_operator_has_a_row():
    known = {(schema.domain, schema.name) for schema in onnx.defs.get_all_schemas()}
    assert set(RULES) == {key for key in known if key[0] in {"", "ai.onnx.ml"}}


def test_rows_say_where_they_come_from():
    for (domain, op_type), rule in RULES.items():
        assert (rule.domain, rule.op_type) == (domain, op_type)
        assert rule.formula
        assert rule.source
        assert (rule.count is None) == rule.formula.startswith("no bound known: ")


def test_the_main_domain_has_two_names():
    assert rule_of("Add", "ai.onnx") is rule_of("Add") is not None
    assert rule_of("Add", "com.microsoft") is None
    assert rule_of("Scaler", "ai.onnx.ml").domain == "ai.onnx.ml"


@pytest.mark.parametrize("op_type", ["If", "RandomNormal", "Attention", "ImageDecoder", "Det"])
def test_no_bound_is_said_and_not_invented(op_type):
    facts = node(op_type, [np.zeros(3, "f4")], np.zeros(3))
    assert count_of(facts) == math.inf
    assert allowed(facts, "float32", np.zeros(3), None) is None


def test_an_operator_of_another_domain_has_no_bound():
    assert allowed(node("Add", [np.zeros(1, "f4")], np.zeros(1), domain="x"), "float32", np.zeros(1), None) is None


@pytest.mark.parametrize("op_type", ["Relu", "Transpose", "Max", "Equal", "ArgMax", "MaxPool", "Resize"])
def test_exact_operators_ask_for_equality(op_type):
    bound = allowed(node(op_type, [np.zeros((1, 1, 2), "f4")], np.zeros((1, 1, 2))), "float32", np.zeros(2), None)
    assert (bound.limit, bound.text) == (None, "exact")


def test_integers_are_exact_even_where_floats_are_not():
    facts = node("Add", [np.zeros(2, "i4")] * 2, np.zeros(2))
    assert allowed(facts, "int32", np.zeros(2), None).limit is None


def test_quantised_integers_have_a_step():
    facts = node("QuantizeLinear", [np.zeros(2, "f4"), np.ones((), "f4")], np.zeros(2))
    bound = allowed(facts, "uint8", np.zeros(2), None)
    assert (float(bound.limit), bound.text) == (1.0, "1 step")


def test_units():
    units = [unit_roundoff(name) for name in ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn")]
    assert units == [2.0**-53, 2.0**-24, 2.0**-11, 2.0**-8, 2.0**-4]
    with pytest.raises(ValueError, match="int8 does not round"):
        unit_roundoff("int8")


def test_the_published_counts():
    x, w = np.zeros((1, 6, 8, 8), "f4"), np.zeros((4, 3, 2, 5), "f4")
    out = np.zeros((1, 4, 7, 4))
    assert count_of(node("Conv", [x, w], out, group=2)) == 2 * 3 * 2 * 5
    assert count_of(node("Conv", [x, w, np.zeros(4, "f4")], out, group=2)) == 62
    assert count_of(node("MatMul", [np.zeros((2, 7), "f4"), np.zeros((7, 3), "f4")], np.zeros((2, 3)))) == 14
    assert count_of(node("Gemm", [np.zeros((7, 2), "f4"), np.zeros((7, 3), "f4")], np.zeros((2, 3)), transA=1)) == 17
    assert count_of(node("ReduceMean", [np.zeros((4, 5), "f4")], np.zeros((4, 1)))) == 7
    assert count_of(node("ReduceL2", [np.zeros((4, 5), "f4")], np.zeros(()))) == 41
    assert count_of(node("AveragePool", [x], x, kernel_shape=[3, 2])) == 8
    assert count_of(node("GlobalAveragePool", [x], np.zeros((1, 6, 1, 1)))) == 66
    assert count_of(node("Div", [x, x], x)) == 2


@pytest.mark.parametrize("dtype", FLOATS)
def test_sines_are_off_by_an_absolute_error(dtype):
    facts = node("Sin", [np.zeros(1, numpy_dtype(dtype))], np.zeros(1))
    limit = allowed(facts, dtype, np.zeros(1), None).limit
    # In half precision it is computed in float32, and rounded once or twice.
    expected = {"float32": 64 * 2.0**-24, "float16": 2 * 2.0**-11, "bfloat16": 2.0**-8}
    expected = {dtype: value + (64 * 2.0**-24 if dtype != "float32" else 0) for dtype, value in expected.items()}
    assert limit[0] == pytest.approx(expected[dtype], rel=1e-3)


@pytest.mark.parametrize(
    ("equation", "shapes", "summed"),
    [("ij,jk->ik", [(2, 3), (3, 4)], 3), ("ij,jk", [(2, 3), (3, 4)], 3), ("...ij->...", [(2, 5, 4)], 20)],
)
def test_einsum_counts_the_labels_that_are_summed(equation, shapes, summed):
    facts = node("Einsum", [np.zeros(shape, "f4") for shape in shapes], np.zeros(()), equation=equation)
    assert count_of(facts) == 2 * summed + len(shapes)


def test_the_axis_of_a_cumulative_sum_is_a_value():
    x = np.zeros((3, 50), "f4")
    assert count_of(node("CumSum", [x, np.zeros((), "i8")], x, values={1: np.array(0)})) == 3
    assert count_of(node("CumSum", [x, np.zeros((), "i8")], x)) == 50


def test_softmax_flattened_before_version_13():
    x = np.zeros((2, 3, 4), "f4")
    assert count_of(node("Softmax", [x], x, version=11)) - count_of(node("Softmax", [x], x)) == pytest.approx(
        3 * 8 + math.log(3)
    )


def test_a_training_batch_normalisation_and_dropout_have_no_bound():
    x, flag = np.zeros((2, 3), "f4"), np.zeros((), "?")
    assert count_of(node("BatchNormalization", [x], x, training_mode=1)) == math.inf
    assert count_of(node("Dropout", [x, None, flag], x, values={2: np.array(True)})) == math.inf
    assert count_of(node("Dropout", [x, None, flag], x)) == math.inf
    assert count_of(node("Dropout", [x, None, flag], x, values={2: np.array(False)})) == 0


def test_widening_casts_are_exact_and_narrowing_ones_round():
    x = np.zeros(2, "f4")
    assert count_of(node("Cast", [x], x, to=11)) == 0
    assert count_of(node("Cast", [x], x, to=10)) == 1
    assert count_of(node("Cast", [np.zeros(2, "i8")], x, to=1)) == 1
    assert count_of(node("CastLike", [x, np.zeros(2, "f2")], x)) == 1


def test_a_rule_for_the_first_output_says_nothing_of_the_second():
    x = np.ones((2, 3), "f4")
    facts = node("LayerNormalization", [x, x[0]], x)
    assert allowed(facts, "float32", wide(x), deviation(facts, [x, x[0]])) is not None
    assert allowed(facts, "float32", wide(x), None, output=1) is None


def test_a_missing_magnitude_is_an_error():
    facts = node("MatMul", [np.zeros((2, 2), "f4")] * 2, np.zeros((2, 2)))
    with pytest.raises(ValueError, match="MatMul needs the magnitude absolute"):
        allowed(facts, "float32", np.zeros((2, 2)), None)


def test_the_text_names_count_and_formula():
    facts = node("Conv", [np.zeros((1, 1, 3, 3), "f4"), np.zeros((1, 1, 2, 3), "f4")], np.zeros((1, 1, 2, 1)))
    text = allowed(facts, "float32", np.zeros((1, 1, 2, 1)), np.ones((1, 1, 2, 1))).text
    assert text == "12 u·S (Conv: 2·Kh·Kw·Cin/groups)"


# Attributes.


def test_a_float32_attribute_is_in_doubt_for_float64_tensors():
    x = np.array([-3.0])
    inexact = allowed(node("LeakyRelu", [x], x, alpha=float(np.float32(0.1))), "float64", 0.1 * x, None)
    exact = allowed(node("LeakyRelu", [x], x, alpha=0.5), "float64", 0.5 * x, None)
    meant, stored = 0.1 * x, float(np.float32(0.1)) * x
    assert (np.abs(meant - stored) <= inexact.limit).all()
    assert (np.abs(0.5 * x * (1 + 1e-12) - 0.5 * x) > exact.limit).all()


# Overflow, underflow and what is not finite.


def test_an_infinity_is_legal_where_the_reference_is_too_large():
    x = np.ones(4, "f2")
    reference = np.array([1e5, -65500.0, 100.0, np.inf])
    bound = allowed(node("Mul", [x, x], x), "float16", reference, None)
    above, below = bound.overflows
    assert above.tolist() == [True, False, False, False]
    assert below.tolist() == [False, True, False, False]
    assert np.isfinite(bound.limit).all()
    assert bound.limit[3] == 0


def test_an_infinity_is_legal_where_a_partial_sum_may_overflow():
    a = np.array([[6e4, 6e4, -6e4]]).astype("f2")
    facts = node("ReduceSum", [a], np.zeros((1, 1)))
    assert all(mask.all() for mask in allowed(facts, "float16", np.array([[6e4]]), np.array([[1.8e5]])).overflows)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_results_may_be_flushed_to_zero(dtype):
    info = ml_dtypes.finfo(numpy_dtype(dtype))
    denormal = np.array([float(info.smallest_normal) / 2])
    x = np.ones(1, numpy_dtype(dtype))
    assert (denormal <= allowed(node("Mul", [x, x], x), dtype, denormal, None).limit).all()


def test_half_precision_is_expected_to_underflow_gradually():
    assert floor_of("float16") == 2.0**-25


# Arithmetic in several orders.


@quick
@given(seeds, dtypes, lengths)
def test_sums_and_means(seed, dtype, length):
    x = draw(seed, (3, length), dtype)
    for actual in sums(*inner(x)):
        facts = node("ReduceSum", [x], actual)
        holds(facts, dtype, wide(x).sum(-1), np.abs(wide(x)).sum(-1), actual.astype(x.dtype))
        mean = (actual / np.float32(length)).astype(x.dtype)
        holds(node("ReduceMean", [x], mean), dtype, wide(x).mean(-1), np.abs(wide(x)).mean(-1), mean)


@quick
@given(seeds, dtypes, lengths)
def test_products_of_matrices(seed, dtype, length):
    a, b = draw(seed, (3, length), dtype), draw(seed + 1, (length, 2), dtype)
    facts = node("MatMul", [a, b], np.zeros((3, 2)))
    left, right = inner(a, b)
    for actual in sums(left[:, None, :] * right.T[None]):
        holds(facts, dtype, wide(a) @ wide(b), np.abs(wide(a)) @ np.abs(wide(b)), actual.astype(a.dtype))


def test_a_sum_that_cancels_needs_the_magnitude():
    """|reference| alone would refuse what every float32 kernel computes."""
    x = np.array([1e6, 0.1, -1e6], "f4")
    bound = allowed(node("ReduceSum", [x], np.zeros(())), "float32", wide(x).sum(), np.abs(wide(x)).sum())
    error = abs(float(in_order(x)) - wide(x).sum())
    assert 3 * 2.0**-24 * abs(wide(x).sum()) < error <= float(bound.limit)


@quick
@given(seeds, dtypes, st.integers(1, 5), st.integers(1, 3))
def test_convolutions(seed, dtype, channels, kernel):
    x, w = draw(seed, (1, channels, 8), dtype), draw(seed + 1, (2, channels, kernel), dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=2)[0]
    parts, weights = inner(windows, w)
    terms = (parts[None] * weights[:, :, None, :]).transpose(0, 2, 1, 3).reshape(2, 9 - kernel, -1)
    exact = wide(windows)[None] * wide(w)[:, :, None, :]
    facts = node("Conv", [x, w], np.zeros((1, 2, 9 - kernel)), group=1)
    for actual in sums(terms):
        holds(facts, dtype, exact.sum((1, 3)), np.abs(exact).sum((1, 3)), actual.astype(x.dtype))


@quick
@given(seeds, dtypes, lengths)
def test_softmax(seed, dtype, length):
    x = draw(seed, (3, length), dtype, scale=4.0)
    (inside,) = inner(x)
    powers = np.exp(inside - inside.max(-1, keepdims=True))
    precise = np.exp(wide(x) - wide(x).max(-1, keepdims=True))
    for total in sums(powers):
        actual = (powers / total[:, None]).astype(x.dtype)
        holds(node("Softmax", [x], actual), dtype, precise / precise.sum(-1, keepdims=True), None, actual)


@quick
@given(seeds, dtypes, lengths, st.booleans())
def test_log_softmax(seed, dtype, length, shifted):
    x = draw(seed, (3, length), dtype)
    x = (x / 4).astype(x.dtype) if not shifted else x
    (inside,) = inner(x)
    moved = inside - (inside.max(-1, keepdims=True) if shifted else np.float32(0))
    total = in_order(np.exp(moved))[:, None]
    actual = (moved - np.log(total)).astype(x.dtype)
    reference = wide(x) - np.log(np.exp(wide(x)).sum(-1, keepdims=True))
    facts = node("LogSoftmax", [x], actual)
    holds(facts, dtype, reference, np.abs(wide(x)).max(), actual)


@quick
@given(seeds, dtypes, st.integers(2, 100), st.floats(-20, 20))
def test_layer_normalisation_even_far_from_zero(seed, dtype, length, offset):
    kind = numpy_dtype(dtype)
    x = (draw(seed, (3, length), "float64") + offset).astype(kind)
    scale, bias = draw(seed + 1, length, dtype), draw(seed + 2, length, dtype)
    facts = node("LayerNormalization", [x, scale, bias], x, version=17)
    divisor = np.float32(length)
    inside, by, plus = inner(x, scale, bias)
    centred = inside - (in_order(inside) / divisor)[:, None]
    variance = in_order(centred * centred) / divisor
    actual = centred / np.sqrt(variance + np.float32(1e-5))[:, None] * by + plus
    exact = wide(x) - wide(x).mean(-1, keepdims=True)
    reference = exact / np.sqrt((exact**2).mean(-1, keepdims=True) + 1e-5) * wide(scale) + wide(bias)
    holds(facts, dtype, reference, deviation(facts, [x, scale, bias]), actual.astype(kind))


@quick
@given(seeds, dtypes, st.booleans())
def test_batch_normalisation_folded_or_not(seed, dtype, folded):
    kind = numpy_dtype(dtype)
    x, (scale, bias, mean) = draw(seed, (2, 3, 5), dtype), draw(seed + 1, (3, 3), dtype)
    variance = np.abs(draw(seed + 2, 3, dtype))
    inputs = [x, scale, bias, mean, variance]
    facts = node("BatchNormalization", inputs, x, version=15)
    inside, s, b, m, v = inner(x, *(value[:, None] for value in (scale, bias, mean, variance)))
    sigma = np.sqrt(v + np.float32(1e-5))
    factor = s / sigma
    actual = inside * factor + (b - m * factor) if folded else (inside - m) / sigma * s + b
    s, b, m = (wide(value)[:, None] for value in (scale, bias, mean))
    reference = (wide(x) - wide(m)) / np.sqrt(wide(variance)[:, None] + 1e-5) * wide(s) + wide(b)
    holds(facts, dtype, reference, deviation(facts, inputs), actual.astype(kind))


@pytest.mark.parametrize("op_type", ["InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization"])
def test_other_normalisations_group_elements_as_the_standard_says(op_type):
    x = draw(1, (2, 4, 3, 5), "float32")
    scale = np.full(4, 2.0, "f4")
    inputs = [x] if op_type.startswith("Mean") else [x, scale, scale]
    facts = node(op_type, inputs, x, version=21, num_groups=2)
    axes = {"I": (2, 3), "G": (2, 3, 4), "M": (0, 2, 3)}[op_type[0]]
    grouped = x.reshape(2, 2, 2, 3, 5) if op_type.startswith("G") else x

    def normalised(values):
        centred = values - values.mean(axes, keepdims=True)
        epsilon = 0 if op_type.startswith("M") else 1e-5
        z = (centred / np.sqrt((centred**2).mean(axes, keepdims=True) + values.dtype.type(epsilon))).reshape(x.shape)
        return z if op_type.startswith("M") else 2 * z + 2

    bound = holds(facts, "float32", normalised(wide(grouped)), deviation(facts, inputs), normalised(grouped))
    assert bound.limit.max() < 1e-3


def test_only_normalisations_have_a_deviation():
    with pytest.raises(ValueError, match="Relu subtracts no mean"):
        deviation(node("Relu", [np.ones(2, "f4")], np.ones(2)), [np.ones(2, "f4")])


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


ELEMENTWISE = {
    "Sigmoid": lambda x, one: one / (one + np.exp(-x)),
    "Tanh": lambda x, one: (np.exp(x + x) - one) / (np.exp(x + x) + one),
    "Elu": lambda x, one: np.where(x > 0, x, np.exp(np.minimum(x, 0 * one)) - one),
    "Softplus": lambda x, one: np.log(one + np.exp(x)),
    "Softsign": lambda x, one: x / (one + np.abs(x)),
    "Sinh": lambda x, one: (np.exp(x) - np.exp(-x)) / (one + one),
    "Cosh": lambda x, one: (np.exp(x) + np.exp(-x)) / (one + one),
    "Gelu": lambda x, one: x * (one + erf(x / np.sqrt(2 * one)).astype(one.dtype)) / (one + one),
    "Mish": lambda x, one: x * np.tanh(np.log(one + np.exp(x))),
    "Swish": lambda x, one: x / (one + np.exp(-x)),
    "HardSwish": lambda x, one: x * np.clip(x / (6 * one) + one / (one + one), 0 * one, one),
    "HardSigmoid": lambda x, one: np.clip(one / (5 * one) * x + one / (one + one), 0 * one, one),
    "Exp": lambda x, one: np.exp(x),
    "Sqrt": lambda x, one: np.sqrt(np.abs(x)),
}


@pytest.mark.parametrize("op_type", sorted(ELEMENTWISE))
@quick
@given(hnp.arrays(np.float64, 20, elements=st.floats(-5, 5)), st.sampled_from(["float32", "float16"]))
def test_textbook_formulas_of_functions_hold(op_type, numbers, dtype):
    """The form that cancels is what a simple kernel computes, in the tensor's own precision."""
    x = numbers.astype(dtype)
    function, one = ELEMENTWISE[op_type], np.ones((), dtype)
    reference = function(wide(x), np.ones(()))
    facts = node(op_type, [x], x)
    needed = rule_of(op_type).magnitude is Magnitude.ABSOLUTE
    magnitude = function(np.abs(wide(x)), np.ones(())) if needed else None
    holds(facts, dtype, reference, magnitude, function(x, one))


@quick
@given(seeds, dtypes, st.integers(1, 64))
def test_a_half_is_judged_by_its_own_unit(seed, dtype, length):
    """The same node with one half-precision input: the lowest precision on the path decides."""
    a, b = draw(seed, (1, length), dtype), draw(seed, (length, 1), "float32")
    magnitude = np.abs(wide(a)) @ np.abs(wide(b))
    bound = allowed(node("MatMul", [a, b], np.zeros((1, 1))), "float32", wide(a) @ wide(b), magnitude)
    counted = 2 * length if dtype == "float32" else 1
    assert (bound.limit >= unit_roundoff(dtype) * counted * magnitude).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("op_type", ["Gelu", "Exp", "Sigmoid", "Tanh", "Softmax"])
def test_half_precision_has_few_roundings_whatever_is_counted(dtype, op_type):
    """32 roundings of an exponential are made in float32: four of half precision are not what they amount to."""
    x = draw(0, (3, 8), dtype)
    functions = {
        "Gelu": lambda x: x * np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x.flat]).reshape(x.shape),
        "Exp": np.exp,
        "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "Tanh": np.tanh,
        "Softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    }
    reference = functions[op_type](wide(x))
    scale = np.abs(functions[op_type](np.abs(wide(x)))) if op_type == "Gelu" else None
    limit = allowed(node(op_type, [x], reference, version=20), dtype, reference, scale).limit
    rounded = wide(reference.astype(numpy_dtype(dtype)))
    assert (np.abs(rounded - reference) <= limit).all()
    size = np.maximum(1, np.maximum(np.abs(reference), np.abs(wide(x))))
    assert (limit <= 4 * unit_roundoff(dtype) * size + 1e-4).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_another_activation_is_seen_in_half_precision(dtype):
    x = draw(3, 40, dtype)
    right = wide(x) * np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in wide(x)])
    other = wide(x) / (1 + np.exp(-wide(x)))
    facts = node("Gelu", [x], right, version=20)
    scale = np.abs(wide(x)) * np.array([0.5 * (1 + math.erf(abs(v) / math.sqrt(2))) for v in wide(x)])
    limit = allowed(facts, dtype, right, scale).limit
    assert np.mean(np.abs(other - right) > limit) > 0.5


# Magnitudes.


def no_evaluation(facts, inputs):
    raise AssertionError


def test_a_magnitude_is_the_operator_on_absolute_values():
    a, b = np.array([[1.0, -2]], "f4"), np.array([[3.0], [4]], "f4")
    facts = node("Gemm", [a, b, None], np.zeros((1, 1)), alpha=-2.0)
    seen = []

    def evaluate(facts, inputs):
        seen.append(facts.attributes["alpha"])
        return [facts.attributes["alpha"] * inputs[0] @ inputs[1]]

    assert magnitude_of(rule_of("Gemm"), facts, [a, b, None], evaluate).tolist() == [[22.0]]
    assert seen == [2.0]


def test_shapes_and_axes_stay_as_they_are():
    x, axes = np.array([-1.0], "f4"), np.array([-1])
    got = []
    facts = node("ReduceSum", [x, axes], np.zeros(1))
    magnitude_of(rule_of("ReduceSum"), facts, [x, axes], lambda _, inputs: got.extend(inputs) or [np.zeros(1)])
    assert [array.tolist() for array in got] == [[1.0], [-1]]


def test_magnitudes_that_need_no_evaluation():
    x = np.array([1.0, -5.0, np.inf], "f4")
    facts = node("LogSoftmax", [x], x)
    assert magnitude_of(rule_of("LogSoftmax"), facts, [x], no_evaluation) == 5.0
    assert magnitude_of(rule_of("Add"), node("Add", [x, x], x), [x, x], no_evaluation) is None
    assert magnitude_of(rule_of("If"), node("If", [x], x), [x], no_evaluation) is None
    resize = node("Resize", [x, None, np.array([900.0], "f4")], x, mode="linear")
    assert magnitude_of(rule_of("Resize"), resize, [x, None, np.array([900.0], "f4")], no_evaluation) == 5.0


def test_magnitude_of_a_second_output():
    x = np.ones((2, 3), "f4")
    rule, facts = rule_of("LayerNormalization"), node("LayerNormalization", [x, x[0]], x)
    assert magnitude_of(rule, facts, [x, x[0]], no_evaluation, output=1) is None
    assert magnitude_of(rule, facts, [x, x[0]], no_evaluation).shape == (2, 3)


# Every count can be had from plain facts.


@pytest.mark.parametrize(("domain", "op_type"), sorted(RULES))
def test_every_count_is_a_number(domain, op_type):
    x = np.ones((2, 4, 4, 4), "f4")
    facts = node(
        op_type, [x, x, x[0, 0, 0]], x, domain=domain, version=20, to=10, num_groups=2, equation="abcd,abcd->a"
    )
    count = count_of(facts)
    assert count >= 0
    assert not math.isnan(count)


def test_the_table_in_the_documentation_is_fresh():
    text = numerics_bounds.DOCUMENT.read_text(encoding="utf-8")
    assert text == numerics_bounds.with_table(text), "run tools/numerics_bounds.py"
    assert all(op_type in text for _, op_type in RULES)
