"""Named arrays become samples, or one line that says why not."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import named, source_of

X = {"x": ("float32", ["batch", 3])}


def source(model, **arrays):
    return source_of("a.npz", {name: (lambda array=array: array) for name, array in arrays.items()}, model)


def f4(*shape):
    return np.arange(np.prod(shape), dtype="f4").reshape(shape)


def test_rows_are_samples_of_a_batch_of_one(model):
    found = source(model(X), x=f4(4, 3))
    assert found.names == ["a.npz[0]", "a.npz[1]", "a.npz[2]", "a.npz[3]"]
    assert found.read(2).inputs["x"].tolist() == [[6, 7, 8]]
    assert found.read(2).name == "a.npz[2]"


def test_one_row_is_named_after_the_file(model):
    assert source(model(X), x=f4(1, 3)).names == ["a.npz"]


def test_rows_go_together_in_the_batch_of_the_model_or_of_the_hints(model):
    fixed = source(model({"x": ("float32", [2, 3])}), x=f4(4, 3))
    assert [fixed.read(place).inputs["x"].shape for place in range(len(fixed.names))] == [(2, 3), (2, 3)]
    said = source(model(X, sizes=(("batch", (4,)),)), x=f4(8, 3))
    assert len(said.names) == 2


def test_an_axis_more_counts_samples(model):
    found = source(model(X), x=f4(5, 2, 3))
    assert len(found.names) == 5
    assert found.read(4).inputs["x"].shape == (2, 3)


def test_a_missing_batch_is_added(model):
    assert source(model(X), x=f4(3)).read(0).inputs["x"].shape == (1, 3)


def test_a_sequence_is_not_cut(model):
    found = source(model({"x": ("float32", ["seq", 3])}), x=f4(5, 3))
    assert found.read(0).inputs["x"].shape == (5, 3)
    assert found.names == ["a.npz"]


def test_a_number_goes_to_every_sample(model):
    found = source(model({**X, "rate": ("int64", [])}), x=f4(2, 3), rate=np.int64(16000))
    assert [found.read(place).inputs["rate"].item() for place in range(2)] == [16000, 16000]


@pytest.mark.parametrize("name", ["x", "images"])
def test_a_labelled_data_set_is_fed_without_its_labels(model, name):
    found = source(model(X), **{name: f4(4, 3)}, labels=np.arange(4))
    assert [list(found.read(place).inputs) for place in range(4)] == [["x"]] * 4
    assert found.read(2).inputs["x"].tolist() == [[6, 7, 8]]


def test_labels_may_be_an_input(model):
    assert set(source(model({**X, "labels": ("int64", [4])}), x=f4(1, 3), labels=np.arange(4)).read(0).inputs) == {
        "x",
        "labels",
    }


def test_expected_outputs_come_along(model):
    found = source(model(X), x=f4(2, 3), output_0=f4(2, 2))
    assert found.read(1).outputs["y"].tolist() == [[2, 3]]


def test_a_narrower_dtype_is_made_of_a_wider_one(model):
    assert source(model(X), x=f4(2, 3).astype("f8")).read(0).inputs["x"].dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"xx": f4(2, 3), "z": f4(1)}, "'xx' is neither an input nor an output: did you mean 'x'?"),
        ({"zzz": f4(2, 3), "x": f4(2, 3)}, "'zzz' is neither an input nor an output: the model has x, y"),
        ({"y": f4(2, 2)}, "it holds none of the inputs x"),
        ({"x": f4(2, 3), "y": f4(3, 2)}, "as many samples of each array are needed, not 2 of 'x', 3 of 'y'"),
        ({"x": f4(2, 2, 2, 3)}, "'x' is of shape [batch, 3], not [2, 2, 2, 3]"),
    ],
)
def test_what_does_not_fit_the_model(model, arrays, words):
    with pytest.raises(Wrong) as caught:
        source(model(X), **arrays)
    assert words in caught.value.text


@pytest.mark.parametrize(
    ("inputs", "array", "words"),
    [
        (X, f4(2, 4), "'x' is of shape [batch, 3], not [1, 4]"),
        ({"x": ("int64", ["batch", 3])}, f4(2, 3), "it is of float32, the model takes int64"),
    ],
)
def test_what_is_seen_when_a_sample_is_read(model, inputs, array, words):
    with pytest.raises(Wrong) as caught:
        source(model(inputs), x=array).read(0)
    assert words in caught.value.text


def test_a_part_of_a_batch_is_left_over(model):
    with pytest.raises(Wrong, match="a multiple of 2 rows"):
        source(model({"x": ("float32", [2, 3])}), x=f4(5, 3))


def test_a_part_of_the_outputs_is_missing(model):
    two = model(X, {"y": ("float32", [2]), "z": ("float32", [2])})
    with pytest.raises(Wrong, match="not 'z': all or none are needed"):
        source(two, x=f4(1, 3), y=f4(2)).read(0)


def test_names_of_inputs_by_place(model):
    two = model({"a": ("float32", [1]), "b": ("float32", [1])})
    assert [name for name, _ in named("f", ["arr_0", "input_1", "output_0"], two).values()] == ["a", "b", "y"]
