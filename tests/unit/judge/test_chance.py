"""Random operators: what a correct generator draws is accepted, what a broken one draws is not."""

import ml_dtypes
import numpy as np
import onnx.defs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.judge.bound_table import RULES
from burn_verify.judge.chance import check, is_random, remark
from burn_verify.judge.facts import NodeFacts

quick = settings(deadline=None, database=None, max_examples=20)
seeds = st.integers(0, 2**32 - 1)
sizes = st.sampled_from([0, 1, 2, 30, 2000])
dtypes = st.sampled_from([np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
N = 4000


def node(op_type, version=22, values=None, shapes=(), domain="", **attributes):
    return NodeFacts(
        op_type=op_type,
        domain=domain,
        since_version=version,
        attributes=attributes,
        input_shapes=shapes,
        output_shapes=((),),
        input_dtypes=("float32",) * len(shapes),
        input_values=values or {},
    )


def generator(seed=0):
    return np.random.default_rng(seed)


def test_the_random_operators_are_those_without_a_bound():
    names = [schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain]
    random = {name for name in names if is_random(node(name))}
    assert random == {name for (_, name), rule in RULES.items() if rule.formula == "no bound known: random"}


def test_operators_of_other_domains_are_not_known():
    assert not is_random(node("RandomNormal", domain="com.microsoft"))
    assert is_random(node("RandomNormal", domain="ai.onnx"))


def test_dropout_is_random_where_it_trains():
    shapes = ((3,), (), ())
    assert not is_random(node("Dropout", shapes=((3,),)))
    assert not is_random(node("Dropout", shapes=shapes, values={2: np.array(False)}))
    assert is_random(node("Dropout", shapes=shapes, values={2: np.array(True)}))
    assert is_random(node("Dropout", shapes=shapes))
    assert not is_random(node("Dropout", version=10))
    assert is_random(node("Dropout", version=6))
    assert not is_random(node("Dropout", version=6, is_test=1))


def test_what_draws_nothing_cannot_be_checked():
    with pytest.raises(ValueError, match="Relu draws no random numbers"):
        check(node("Relu"), [], [np.zeros(1)])


# Uniform and normal.


@quick
@given(seeds, sizes, dtypes, st.sampled_from([(0.0, 1.0), (-3.0, 100.0), (7.0, 7.5)]))
def test_uniform_numbers_are_accepted(seed, size, dtype, limits):
    low, high = limits
    values = generator(seed).uniform(low, high, size).astype(dtype)
    for op_type in ("RandomUniform", "RandomUniformLike"):
        assert check(node(op_type, low=low, high=high), [], [values]) is None


@quick
@given(seeds, sizes, dtypes, st.sampled_from([(0.0, 1.0), (5.0, 0.1), (-100.0, 30.0)]))
def test_normal_numbers_are_accepted(seed, size, dtype, moments):
    mean, scale = moments
    values = generator(seed).normal(mean, scale, size).astype(dtype)
    for op_type in ("RandomNormal", "RandomNormalLike"):
        assert check(node(op_type, mean=mean, scale=scale), [], [values]) is None


def spoil_uniform():
    u = generator().random(N)
    yield "is not from 0 to 1", np.append(u, 1.01)
    yield "is not from 0 to 1", np.append(u, np.nan)
    yield "mean", u**2
    yield "mean", np.zeros(N)
    yield "distribution", np.full(N, 0.5)
    yield "distribution", (u + generator(1).random(N)) / 2
    yield "distribution", np.round(u * 8) / 8


@pytest.mark.parametrize(("word", "values"), list(spoil_uniform()))
def test_broken_uniform_numbers_are_refused(word, values):
    assert word in check(node("RandomUniform"), [], [values.astype("f4")])


def spoil_normal():
    z = generator().normal(size=N)
    yield "deviations of 0", np.append(z, 12.0)
    yield "deviations of 0", np.append(z, np.inf)
    yield "mean", z + 0.2
    yield "variance", z * 1.3
    yield "variance", np.zeros(N)
    yield "distribution", np.sign(z)
    yield "distribution", generator().uniform(-(3**0.5), 3**0.5, N)


@pytest.mark.parametrize(("word", "values"), list(spoil_normal()))
def test_broken_normal_numbers_are_refused(word, values):
    assert word in check(node("RandomNormal"), [], [values.astype("f4")])


def test_attributes_are_obeyed():
    z = generator().normal(size=N)
    assert check(node("RandomNormal", mean=3.0), [], [z]) is not None
    assert check(node("RandomUniform", low=5.0, high=6.0), [], [generator().random(N)]).endswith("is not from 5 to 6")


def test_few_numbers_show_only_their_range():
    assert check(node("RandomUniform"), [], [np.array([0.01, 0.02])]) is None
    assert check(node("RandomUniform"), [], [np.array([0.01, 1.02])]) == "1.02 at [1] is not from 0 to 1"


# Bernoulli and multinomial.


@quick
@given(seeds, sizes, st.sampled_from([np.float32, np.int32, np.bool_]))
def test_bernoulli_numbers_are_accepted(seed, size, dtype):
    chances = generator(seed).random(size).astype("f4")
    chances[: size // 4] = 0
    chances[size // 4 : size // 3] = 1
    values = (generator(seed + 1).random(size) < chances).astype(dtype)
    assert check(node("Bernoulli"), [chances], [values]) is None


def test_broken_bernoulli_numbers_are_refused():
    chances = np.linspace(0, 1, N, dtype="f4")
    u = generator().random(N)
    assert "is not 0 or 1" in check(node("Bernoulli"), [chances], [chances])
    assert "ones:" in check(node("Bernoulli"), [chances * 0.5 + 0.25], [np.ones(N)])
    # The right number of ones, at the wrong places.
    middling = chances * 0.98 + 0.01
    assert "ones:" in check(node("Bernoulli"), [middling], [(u < middling[::-1]).astype("f4")])
    sure = check(node("Bernoulli"), [np.float32([0, 1, 0.5])], [np.float32([0, 0, 1])])
    assert sure == "0.0 at [1] is not what its probability of 0 or 1 allows"
    with pytest.raises(ValueError, match="input 0 is needed"):
        check(node("Bernoulli"), [None], [np.ones(1)])


@quick
@given(seeds, sizes)
def test_multinomial_classes_are_accepted(seed, size):
    logits = generator(seed).normal(size=(3, 5)).astype("f4")
    logits[0, 2] = -np.inf
    noise = generator(seed + 1).gumbel(size=(3, size, 5))
    drawn = (logits[:, None, :] + noise).argmax(-1).astype("i4")
    assert check(node("Multinomial"), [logits], [drawn]) is None


def test_broken_multinomial_classes_are_refused():
    logits = np.log(np.float32([[0.7, 0.2, 0.1]]))
    drawn = generator().integers(0, 3, (1, N))
    assert check(node("Multinomial"), [logits], [drawn]).startswith("class 0 of row 0: ")
    assert check(node("Multinomial"), [logits], [drawn + 1]).endswith("is not a class below 3")
    impossible = np.float32([[0, 0, -np.inf]])
    assert check(node("Multinomial"), [impossible], [np.array([[0, 1, 2]])]).startswith("class 2 of row 0: ")


# Dropout.


def dropped(seed, size, ratio, dtype=np.float32):
    x = generator(seed).normal(size=size).astype(dtype)
    mask = generator(seed + 1).random(size) >= ratio
    factor = np.asarray(1 / (1 - ratio)).astype(dtype)
    return x, np.where(mask, x * factor, 0).astype(dtype), mask


def train(x, *outputs, ratio=0.5, told=True):
    facts = node("Dropout", shapes=(x.shape, (), ()))
    return check(facts, [x, np.array(ratio, x.dtype), np.array(told)], list(outputs))


@quick
@given(seeds, sizes, dtypes, st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_dropped_elements_are_accepted(seed, size, dtype, ratio):
    x, y, mask = dropped(seed, size, ratio, dtype)
    assert train(x, y, mask, ratio=ratio) is None
    assert train(x, y, ratio=ratio) is None


def test_broken_dropout_is_refused():
    x, y, mask = dropped(3, N, 0.5)
    assert train(x, np.where(mask, x, 0)).endswith("is not 0 or x/(1 - ratio)")
    assert train(x, y, ~mask).endswith("is not what the output shows")
    assert train(x, 2 * x).startswith("kept: ")
    assert train(x, 0 * x).startswith("kept: ")
    wrong = dropped(3, N, 0.25)
    assert train(wrong[0], wrong[1], ratio=0.25) is None
    assert train(wrong[0], wrong[1], ratio=0.5) is not None


def test_dropout_that_does_not_train_is_the_identity():
    x, y, _ = dropped(3, 10, 0.5)
    assert train(x, x, told=False) is None
    assert train(x, y, told=False).endswith("is not the input, when not training")
    assert check(node("Dropout"), [x], [x]) is None


def remarked(x, *outputs, ratio=0.5):
    facts = node("Dropout", shapes=(x.shape, (), ()))
    return remark(facts, [x, np.array(ratio, x.dtype), np.array(True)], list(outputs))


def test_dropout_that_gives_back_its_input_is_remarked_on():
    x, y, mask = dropped(3, N, 0.5)
    assert remarked(x, x) == remarked(x, x, np.ones(N, "?")) == "drops nothing, as in inference"
    assert remarked(x, y, mask) is None
    assert remarked(x, x, mask) is None
    assert remarked(x, np.where(mask, x, 0)) is None
    assert remarked(x, x, ratio=0.0) is None
    assert remarked(0 * x, 0 * x) is None


def test_a_zero_may_be_kept_or_dropped():
    zero = np.zeros(8, "f4")
    assert train(zero, zero, generator().random(8) < 0.5) is None


def test_everything_may_be_dropped():
    x = np.ones(8, "f4")
    assert train(x, 0 * x, np.zeros(8, "?"), ratio=1.0) is None
