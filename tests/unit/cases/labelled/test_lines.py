"""JSON lines with labels: a broken line is told, the others go on."""

import json

import numpy as np
import pytest

from burn_verify.cases.labelled.entry import Labels
from burn_verify.cases.labelled.lines import labelled_lines
from burn_verify.cases.own.schema import Wrong
from labelled import IMAGES, pictures, readable


def read(tmp_path, labels, *lines, model=None):
    path = tmp_path / "dataset.jsonl"
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines))
    return labelled_lines(path, "d", labels, model or readable(IMAGES))


def test_boxes(tmp_path):
    pictures(tmp_path, [[((0.25, 0.25, 0.75, 0.75), 2)], []])
    found = labelled_lines(tmp_path / "dataset.jsonl", "d", Labels.BOXES, readable(IMAGES))
    assert [one.id for one in found.categories] == [1, 2]
    first, second = found.entries
    assert (first.name, first.number, first.label[0].box) == ("data/0.png", 0, (8, 8, 16, 16))
    assert (second.number, second.label, second.items[0].size) == (1, (), (32, 32))


def test_the_size_of_an_image_is_read_where_the_line_does_not_say_it(tmp_path):
    pictures(tmp_path, [[]], size=(20, 10))
    found = read(tmp_path, Labels.BOXES, {"image": "data/0.png", "objects": [{"bbox": [0, 0, 0.5, 1], "category": 1}]})
    assert found.entries[0].label[0].box == (0, 0, 10, 10)


def test_the_size_of_an_image_that_lies_is_that_of_the_image_as_it_is_shown(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    exif = image.Exif()
    exif[0x0112] = 6
    image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=exif)
    found = read(tmp_path, Labels.BOXES, {"image": "a.jpg", "objects": [{"bbox": [0, 0, 0.5, 1], "category": 1}]})
    assert found.entries[0].label[0].box == (0, 0, 5, 20)


def test_an_image_of_too_many_pixels_costs_its_sample_alone(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    pictures(tmp_path, [[]], size=(20, 10))
    monkeypatch.setattr(image, "MAX_IMAGE_PIXELS", 50)
    found = read(tmp_path, Labels.BOXES, {"image": "data/0.png", "objects": []})
    assert "0.png: no image that Pillow can read" in found.broken[0]


def test_a_mark_at_the_beginning_is_no_part_of_the_first_line(tmp_path):
    (tmp_path / "dataset.jsonl").write_bytes(b'\xef\xbb\xbf{"x": [1, 2, 3], "label": 1}\n')
    found = labelled_lines(tmp_path / "dataset.jsonl", "d", Labels.CLASS, readable())
    assert ([one.label for one in found.entries], found.broken) == ([1], ())


def test_categories_may_begin_at_0_and_are_not_without_end(tmp_path):
    pictures(tmp_path, [[]])
    lines = [
        {"image": "data/0.png", "objects": [{"bbox": [0, 0, 0.5, 1], "category": number}]} for number in (2, 0, 10**9)
    ]
    found = read(tmp_path, Labels.BOXES, *lines)
    assert [one.id for one in found.categories] == [0, 1, 2]
    assert found.broken == ("dataset.jsonl:3: category: a whole number up to 100000 is needed, not 1000000000",)


def test_numbers_of_lines_are_those_of_the_file(tmp_path):
    found = read(tmp_path, Labels.CLASS, {"image": "a.png", "label": 1}, "", "{", {"image": "b.png", "label": 0})
    assert [(one.number, one.label) for one in found.entries] == [(0, 1), (3, 0)]
    assert found.broken[0].startswith("dataset.jsonl:3: no JSON")


@pytest.mark.parametrize(
    ("labels", "line", "said"),
    [
        (Labels.BOXES, {"image": "a.png"}, '"objects" is missing'),
        (Labels.BOXES, {"objects": []}, '"image" is missing'),
        (Labels.BOXES, {"image": "a.png", "objects": [1]}, '"objects" is missing'),
        (Labels.BOXES, {"image": "none.png", "objects": []}, "no image that Pillow can read"),
        (Labels.CLASS, {"image": "a.png"}, "label: a number is needed, not None"),
        (Labels.CLASS, {"image": "a.png", "label": -1}, "label: a whole number from 0"),
        (Labels.CLASS, {"label": 1}, '"image", "text" or arrays'),
        (Labels.CLASS, ["a.png", 1], "an object such as"),
        (Labels.CLASS, {"x": ["a"], "label": 1}, "x: an array of numbers is needed"),
        (Labels.SCORE, {"texts": ["a"], "score": 1}, "two texts are needed"),
        (Labels.SCORE, {"texts": ["a", "b"]}, "score: a number is needed"),
        (Labels.VALUES, {"x": [1, 2, 3], "values": [1, "2"]}, "values: a number is needed"),
    ],
)
def test_a_broken_line_is_told(tmp_path, labels, line, said):
    found = read(tmp_path, labels, line)
    assert not found.entries
    assert said in found.broken[0]


def test_texts_and_arrays(tmp_path):
    pair = read(tmp_path, Labels.SCORE, {"sentence1": "a", "sentence2": "b", "score": 2}).entries[0]
    assert (pair.items, pair.label) == (("a", "b"), 2.0)
    one = read(tmp_path, Labels.VALUES, {"x": [1, 2, 3], "value": 4}, model=readable()).entries[0]
    assert one.label == (4.0,)
    assert np.array_equal(one.items[0].read()["x"], [[1, 2, 3]])
    assert read(tmp_path, Labels.CLASS, {"text": "a", "label": 1}).entries[0].items == ("a",)


def test_names_of_classes_are_counted(tmp_path):
    lines = [{"image": "a.png", "label": "dog"}, {"image": "b.png", "label": "cat"}]
    assert [one.label for one in read(tmp_path, Labels.CLASS, *lines).entries] == [1, 0]
    (tmp_path / "classes.txt").write_text("bird\ndog\n")
    found = read(tmp_path, Labels.CLASS, *lines)
    assert [one.label for one in found.entries] == [1]
    assert "'cat' is not in classes.txt" in found.broken[0]


@pytest.mark.parametrize(
    ("labels", "left", "said"),
    [
        ([3, 4, "cat"], [3, 4], "c.png: label: 'cat' is a name, and those of most others are numbers"),
        (["dog", "cat", 4], [1, 0], "c.png: label: 4 is a number, and those of most others are names"),
        ([3, "cat"], [3], "b.png: label: 'cat' is a name, and those of most others are numbers"),
    ],
)
def test_a_label_of_another_kind_costs_its_sample_alone(tmp_path, labels, left, said):
    lines = [{"image": f"{name}.png", "label": label} for name, label in zip("abc", labels, strict=False)]
    found = read(tmp_path, Labels.CLASS, *lines)
    assert [one.label for one in found.entries] == left
    assert found.broken == (said,)


def test_no_line_and_no_text(tmp_path):
    with pytest.raises(Wrong, match="it holds no line"):
        read(tmp_path, Labels.CLASS, "")
    (tmp_path / "b.jsonl").write_bytes(b'{"image": "\xff", "label": 1}\n')
    found = labelled_lines(tmp_path / "b.jsonl", "b", Labels.CLASS, readable())
    assert found.broken == ("b.jsonl:1: no text in UTF-8",)
