"""Drawn values: right for their operand, small when they fail, the same for the same seed; twins; programs to paste."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases.generated.build import Space, feeds_of, model_of, value_of
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.generated.search import Failed, search
from burn_verify.cases.generated.snippet import snippet
from burn_verify.cases.generated.strategies import table, values_strategy, varies
from burn_verify.cases.generated.twins import at_run_time, expanded, halves, joined
from burn_verify.core.case import TensorSpec


def choice_of(name, version, **row):
    space = Space(operator_specs()[name], version)
    return space.choice({**space.default, **row})


def arrays(feeds):
    return {name: value.tobytes() for name, value in feeds.items()}


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (choice_of("Log", 13), "input"),
        (choice_of("Gather", 13), "indices"),
        (choice_of("Add", 14, dtype="uint8"), "A"),
        (choice_of("Conv", 22, dtype="bfloat16"), "X"),
        (choice_of("And", 7), "A"),
    ],
)
def test_a_table_holds_256_values_of_the_operand_simplest_first(choice, name):
    operand = choice.call.inputs[name]
    values = table(choice, name)
    assert values.shape == (256,)
    assert values.dtype.name == operand.dtype
    if "int" in operand.dtype:
        assert values.min() >= operand.low
        assert values.max() <= operand.high
    assert values[0] in (0, 1)


def test_special_values_are_drawn_where_their_answer_is_the_same_in_any_order():
    exact, summed = table(choice_of("Neg", 13), "X"), table(choice_of("ReduceSum", 13), "data")
    assert np.isnan(exact).any()
    assert np.isposinf(exact).any()
    assert np.isneginf(exact).any()
    assert (np.signbit(exact) & (exact == 0)).any()
    assert ((np.abs(exact) > 0) & (np.abs(exact) < np.finfo(np.float32).smallest_normal)).any()
    assert np.isfinite(summed).all()
    assert len(np.unique(summed)) < 256


@given(st.data())
def test_what_is_drawn_fits_the_graph(data):
    choice = choice_of("Add", 14, shape=((2, 3), (3,)), dims="symbolic")
    feeds = data.draw(values_strategy(choice))
    left, right = feeds.values()
    assert list(feeds) == ["A", "B"]
    assert left.ndim == 2
    assert right.shape == left.shape[1:]
    assert {left.dtype, right.dtype} == {np.dtype(np.float32)}


def looking(tmp_path, check, **more):
    given = {"examples": 200, "seed": 1, "memory": tmp_path, "shrink": True} | more
    return search(choice_of("Neg", 13), check, **given)


def failing_on_negative(tried=None):
    def check(several):
        if tried is not None:
            tried.append(len(several))
        for feeds in several:
            if (feeds["X"] < 0).any():
                raise Failed(ValueError("negative"), feeds)
        return len(several)

    return check


def test_a_failure_is_made_small(tmp_path):
    found = looking(tmp_path, failing_on_negative())
    assert str(found.error) == "negative"
    (values,) = found.feeds.values()
    assert list(values.reshape(-1)[:-1]) == [0] * 5
    assert values.reshape(-1)[-1] < 0


def test_a_failure_that_is_expected_is_not_made_small(tmp_path):
    small, quick = [], []
    looking(tmp_path / "a", failing_on_negative(small))
    found = looking(tmp_path / "b", failing_on_negative(quick), shrink=False)
    assert found.error is not None
    assert len(quick) < len(small)


def test_a_failure_is_remembered(tmp_path):
    looking(tmp_path, failing_on_negative())
    tried = []
    looking(tmp_path, failing_on_negative(tried), seed=2, shrink=False)
    assert len(tried) <= 3


def test_the_same_seed_draws_the_same(tmp_path):
    def noting(seen):
        def check(several):
            seen.extend(arrays(feeds) for feeds in several)
            return len(several)

        return check

    runs = []
    for place, seed in enumerate((1, 1, 2)):
        runs.append([])
        looking(tmp_path / str(place), noting(runs[-1]), seed=seed)
    assert runs[0] == runs[1] != runs[2]


def test_at_least_as_many_sets_as_asked_for_are_compared(tmp_path):
    found = looking(tmp_path, lambda several: len(several) - 1, examples=150)
    assert found.error is None
    assert found.rejected > 0
    assert found.examples + found.rejected >= 150


def test_sets_that_no_reference_answers_are_no_failure(tmp_path):
    found = looking(tmp_path, lambda several: 0, examples=150)
    assert (found.error, found.examples) == (None, 0)
    assert found.rejected >= 150


def test_an_error_of_our_own_is_not_taken_for_a_difference(tmp_path):
    def broken(several):
        raise KeyError(len(several))

    with pytest.raises(KeyError):
        looking(tmp_path, broken)


def test_a_graph_that_takes_nothing_is_not_searched(tmp_path):
    choice = choice_of("Constant", 13)
    assert not varies(choice)
    found = search(choice, pytest.fail, examples=9, seed=0, memory=tmp_path, shrink=True)
    assert (found.examples, found.error) == (0, None)


@pytest.mark.parametrize("choice", [choice_of("Add", 14), choice_of("TopK", 11), choice_of("If", 21)])
def test_a_program_builds_the_very_graph_and_arrays(choice, tmp_path, monkeypatch):
    model = onnx.shape_inference.infer_shapes(model_of(choice))
    feeds = feeds_of(choice, {name: value_of(choice, name) for name in choice.kinds})
    first = next(iter(feeds))
    if feeds[first].dtype == np.float32:
        feeds[first].reshape(-1)[:3] = [np.nan, -np.inf, 1e-45]
    text = snippet(model, feeds, choice.id)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(text.replace(", onnxruntime", "").partition("print(")[0], found)
    assert found["model"].SerializeToString() == model.SerializeToString()
    assert arrays(found["feeds"]) == arrays(feeds)
    assert choice.id in text


def test_the_twin_of_a_graph_takes_its_constants_at_run_time():
    space = Space(operator_specs()["Add"], 14)
    choice = space.choice({**space.default, "B": "init"})
    twin = at_run_time(space, choice)
    assert set(twin.kinds.values()) == {"run"}
    assert at_run_time(space, twin) is None
    np.testing.assert_array_equal(value_of(choice, "B"), value_of(twin, "B"))


def test_an_operator_becomes_the_function_that_defines_it():
    choice = choice_of("Gelu", 20)
    twin = expanded(choice, onnx.shape_inference.infer_shapes(model_of(choice)))
    assert "Gelu" not in {node.op_type for node in twin.graph.node}
    assert expanded(choice_of("Cos", 7), model_of(choice_of("Cos", 7))) is None


def test_a_batch_is_parted_and_joined():
    specs = [TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in (("X", ("N", 2)), ("W", (2,)))]
    inputs = [np.arange(6, dtype=np.float32).reshape(3, 2), np.ones(2, dtype=np.float32)]
    one, other = halves(specs, inputs)
    assert [array.shape for array in (*one, *other)] == [(1, 2), (2,), (2, 2), (2,)]
    (whole,) = joined(one[:1], other[:1])
    np.testing.assert_array_equal(whole, inputs[0])
    assert halves(specs[1:], inputs[1:]) is None
    assert halves(specs, [inputs[0][:1], inputs[1]]) is None
