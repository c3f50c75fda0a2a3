"""Operators that choose, count or place elements answer the same."""

import numpy as np
import pytest

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import answers, node_model, put_differently

X = np.array([2, 1, 1, 3, 4, 3], np.float32)
ROWS = np.array([[1, 0, 0], [1, 0, 0], [2, 3, 4], [0, 9, 1]], np.float32)


@pytest.mark.parametrize("ordered", [0, 1])
@pytest.mark.parametrize("values", [X, X.astype(np.int64), ROWS, X[:1]], ids=["floats", "integers", "rows", "one"])
def test_unique_elements(values, ordered):
    put_differently("Unique", [values], outputs=4, sorted=ordered)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unique_rows(axis):
    put_differently("Unique", [ROWS], outputs=4, sorted=1, axis=axis)


POOL = {"ngram_counts": [0, 4], "ngram_indexes": [0, 1, 2, 3, 4, 5, 6], "pool_int64s": [2, 3, 5, 4, 5, 6, 7, 8, 6, 7]}


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("skip", [0, 1, 5])
@pytest.mark.parametrize("length", [(1, 1), (1, 2), (2, 2)])
def test_n_grams_are_counted(mode, skip, length):
    rows = np.array([[1, 1, 3, 3, 3, 7], [8, 6, 7, 5, 6, 8]], np.int32)
    given = {"min_gram_length": length[0], "max_gram_length": length[1], "max_skip_count": skip, "mode": mode}
    for values in (rows, rows[0]):
        put_differently("TfIdfVectorizer", [values], weights=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], **POOL, **given)


@pytest.mark.parametrize("mode", ["linear", "circular"])
@pytest.mark.parametrize("axis", [-2, 2])
def test_new_slices_are_written(mode, axis):
    cache = np.arange(2 * 1 * 4 * 3, dtype=np.float32).reshape(2, 1, 4, 3)
    new = -np.ones((2, 1, 2, 3), np.float32)
    places = np.array([1, 2 if mode == "linear" else 3], np.int64)
    put_differently("TensorScatter", [cache, new, places], axis=axis, mode=mode, opset=24)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_what_is_out_of_range_is_off(axis):
    inputs = [np.array([0, 7, -1, 2], np.int64), np.array([5], np.int64), np.array([-1, 1], np.float32)]
    put_differently("OneHot", inputs, axis=axis)


def test_maxima_go_back_to_their_places():
    values, places = np.float32([[[[1, 2], [3, 4]]]]), np.array([[[[5, 7], [13, 15]]]], np.int64)
    put_differently("MaxUnpool", [values, places], kernel_shape=[2, 2], strides=[2, 2])
    # ONNX Runtime takes the indices for those of the larger output; the standard's own case does not.
    larger = [values, places, np.array([1, 1, 5, 5], np.int64)]
    model, arrays = node_model("MaxUnpool", larger, kernel_shape=[2, 2], strides=[2, 2])
    made = replaced(model, {"MaxUnpool": DECOMPOSITIONS["MaxUnpool"].decomposer})
    found = answers(made, arrays)[0]
    assert np.argwhere(found[0, 0]).tolist() == [[1, 1], [1, 3], [3, 1], [3, 3]]


COLUMNS = [({}, 20), ({"strides": [2, 1]}, 10), ({"pads": [1, 0, 1, 0]}, 30), ({"dilations": [2, 1]}, 15)]


@pytest.mark.parametrize(("given", "steps"), COLUMNS, ids=str)
def test_columns_become_an_image(given, steps):
    columns = np.arange(2 * steps, dtype=np.float32).reshape(1, 2, steps)
    sizes = [np.array([5, 5], np.int64), np.array([2, 1], np.int64)]
    put_differently("Col2Im", [columns, *sizes], constants=(1, 2), **given)


def test_the_only_block_that_fits_is_found():
    columns = np.arange(10 * 12, dtype=np.float32).reshape(1, 10, 12)
    put_differently("Col2Im", [columns, np.array([3, 4, 5], np.int64), np.array([1, 1, 5], np.int64)])
