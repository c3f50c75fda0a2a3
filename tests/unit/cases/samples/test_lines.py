"""JSON lines and plain texts, one line a sample."""

import json

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.lines import lines

X = {"x": ("float32", ["batch", 2])}


@pytest.fixture
def read(tmp_path, model):
    """Return a function that writes lines and returns their source."""

    def make(*values, inputs=None, name="a.jsonl"):
        texts = (value if isinstance(value, str) else json.dumps(value) for value in values)
        (tmp_path / name).write_text("\n".join(texts), encoding="utf-8")
        return lines(tmp_path / name, name, model(inputs or X))

    return make


def test_arrays_by_name(read):
    found = read({"x": [[1, 2]], "output_0": [[3, 4]]}, "", {"x": [5, 6]})
    assert found.names == ["a.jsonl:1", "a.jsonl:3"]
    assert found.read(0).outputs["y"].tolist() == [[3, 4]]
    assert found.read(1).inputs["x"].tolist() == [[5, 6]]


def test_a_list_for_the_only_input(read):
    assert read([[1, 2], [3, 4]]).read(0).inputs["x"].tolist() == [[1, 2], [3, 4]]


def test_words_for_an_input_of_strings(read):
    found = read({"x": ["a", "b"]}, inputs={"x": ("string", ["n"])})
    assert found.read(0).inputs["x"].tolist() == ["a", "b"]


def test_images_by_their_paths(read, tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    pillow.fromarray(np.full((2, 2, 3), 255, "u1")).save(tmp_path / "a.png")
    found = read({"image": "a.png", "label": 3}, {"image": "gone.png"}, inputs={"x": ("float32", [1, 3, 2, 2])})
    assert found.read(0).inputs["x"].min() == 1.0
    with pytest.raises(Wrong, match="no image that Pillow can read"):
        found.read(1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "no JSON"),
        (3, "an object of arrays by the names of inputs is needed"),
        ({"z": [1]}, "'z' is neither an input nor an output"),
        ({"x": [[1], [1, 2]]}, "an array of float32 is needed"),
        ({"x": "text"}, "an array of float32 is needed"),
        ({"x": [[1, 2, 3]]}, "is of shape [batch, 2], not [1, 3]"),
    ],
)
def test_a_line_that_is_no_sample(read, value, words):
    with pytest.raises(Wrong) as caught:
        read(value).read(0)
    assert words in caught.value.text
    assert "a.jsonl:1" in caught.value.place


def test_numbers_that_are_no_integers(read):
    with pytest.raises(Wrong, match="an array of int64 is needed"):
        read([[1.5, 2]], inputs={"x": ("int64", ["n", 2])}).read(0)


def test_an_empty_file(read):
    with pytest.raises(Wrong, match="it holds no line"):
        read("")


def test_texts_need_a_tokenizer(read):
    for first in ({"text": "a"}, '"a"'):
        with pytest.raises(Wrong, match=r"texts need a tokenizer"):
            read(first, inputs={"ids": ("int64", ["n", "s"])})
    with pytest.raises(Wrong, match=r"texts need a tokenizer"):
        read("plain", inputs={"ids": ("int64", ["n", "s"])}, name="a.txt")
