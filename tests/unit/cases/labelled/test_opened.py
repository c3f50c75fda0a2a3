"""Which format a path has, and what is no data set."""

import json

import pytest

from burn_verify.cases.labelled.entry import Labels
from burn_verify.cases.labelled.opened import opened
from burn_verify.cases.own.schema import Wrong
from labelled import IMAGES, pictures, readable, rows


def test_a_folder_is_named_by_its_own_name(tmp_path):
    found = opened(pictures(tmp_path / "photos", [[]]), Labels.BOXES, readable(IMAGES))
    assert (found.name, len(found.entries)) == ("photos", 1)


def test_the_only_file_of_a_folder_is_taken(tmp_path):
    rows(tmp_path / "a.npz")
    assert opened(tmp_path, Labels.CLASS, readable()).entries[0].name == "a.npz[0]"
    rows(tmp_path / "b.npz")
    with pytest.raises(Wrong, match=r"several data sets, a\.npz, b\.npz"):
        opened(tmp_path, Labels.CLASS, readable())


def test_class_folders_and_coco(tmp_path):
    (tmp_path / "c" / "cat").mkdir(parents=True)
    (tmp_path / "c" / "cat" / "1.png").touch()
    assert opened(tmp_path / "c", Labels.CLASS, readable()).entries[0].label == 0
    (tmp_path / "d").mkdir()
    document = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": [], "categories": []}
    (tmp_path / "d" / "annotations.json").write_text(json.dumps(document))
    (tmp_path / "d" / "metrics.json").write_text("{}")
    assert opened(tmp_path / "d", Labels.BOXES, readable()).entries[0].number == 1


def test_sentence_pairs(tmp_path):
    (tmp_path / "p.csv").write_text("a,b,1\n")
    assert opened(tmp_path / "p.csv", Labels.SCORE, readable()).name == "p"


@pytest.mark.parametrize(
    ("name", "labels", "said"),
    [
        ("none", Labels.CLASS, "no such file or folder"),
        ("empty", Labels.CLASS, "no data set with labels is in it: folders named by classes"),
        ("empty", Labels.BOXES, r"no data set with labels is in it: a dataset\.jsonl"),
        ("a.txt", Labels.SCORE, r"no data set with labels: a \.csv"),
        ("bad.jsonl", Labels.CLASS, r"no sample can be used: bad\.jsonl:1: no JSON"),
    ],
)
def test_what_is_no_data_set(tmp_path, name, labels, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "bad.jsonl").write_text("{\n")
    with pytest.raises(Wrong, match=said):
        opened(tmp_path / name, labels, readable())
