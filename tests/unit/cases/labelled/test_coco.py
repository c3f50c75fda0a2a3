"""COCO's JSON: boxes by image, and one line for what cannot be used."""

import json

import pytest

from burn_verify.cases.labelled.coco import coco, is_coco
from burn_verify.cases.labelled.entry import Labels
from burn_verify.cases.own.schema import Wrong

GOOD = {
    "images": [{"id": 5, "file_name": "a.png", "width": 10, "height": 20}, {"id": 9, "file_name": "b.png"}],
    "annotations": [{"id": 1, "image_id": 5, "category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 1}],
    "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}],
}


def read(tmp_path, **changes):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**GOOD, **changes}))
    return coco(path, "a")


def test_images_with_and_without_boxes(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    found = read(tmp_path)
    assert found.labels is Labels.BOXES
    assert [one.id for one in found.categories] == [1, 3]
    first, second = found.entries
    assert (first.number, first.name, first.items[0].size) == (5, "a.png", (10, 20))
    assert first.items[0].path == tmp_path / "images" / "a.png"
    assert (first.label[0].category, first.label[0].area, first.label[0].crowd) == (3, 12, True)
    assert (second.number, second.label, second.items[0].size) == (9, (), None)


@pytest.mark.parametrize(
    ("changes", "left", "said"),
    [
        ({"annotations": [{"image_id": 5, "category_id": 3, "bbox": [1, 2, 3]}]}, [9], "annotations[0]: bbox: four"),
        ({"annotations": [{"image_id": 5, "category_id": 8, "bbox": [1, 2, 3, 4]}]}, [9], "none of the categories"),
        ({"annotations": [{"image_id": 4, "category_id": 3, "bbox": [1, 2, 3, 4]}]}, [5, 9], "none of the images"),
        ({"annotations": [*GOOD["annotations"], *GOOD["annotations"]]}, [9], "annotations[1]: id: 1 is there twice"),
        ({"annotations": [{"image_id": [5], "category_id": 3}]}, [5, 9], "image_id: None is none of the images"),
        ({"annotations": ["box"]}, [5, 9], "image_id: None is none of the images"),
        ({"images": [*GOOD["images"], {"id": 5, "file_name": "c.png"}]}, [5, 9], "images[2]: id: 5 is there twice"),
        ({"images": [*GOOD["images"], {"id": 6}]}, [5, 9], 'images[2]: an object with "id" and "file_name"'),
        ({"images": [*GOOD["images"], {"id": "x", "file_name": "c.png"}]}, [5, 9], "id: a number is needed"),
    ],
)
def test_what_is_broken_costs_its_image_alone(tmp_path, changes, left, said):
    found = read(tmp_path, **changes)
    assert [one.number for one in found.entries] == left
    assert len(found.broken) == 1
    assert said in found.broken[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[]", "not COCO's format"),
        ('{"images": []}', "not COCO's format"),
        ('{"images": [], "annotations": [], "categories": [{"id": 4}, {"id": 4}]}', "the id 4 is there twice"),
        ('{"images": [], "annotations": [], "categories": [1]}', '"categories" is an array of objects'),
    ],
)
def test_what_is_not_coco_is_told(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Wrong) as error:
        coco(tmp_path / "a.json", "a")
    assert said in error.value.text


def test_other_json_is_not_taken_for_it(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.json").write_text('{"mean": 1}')
    assert is_coco(tmp_path / "a.json")
    assert not is_coco(tmp_path / "b.json")
