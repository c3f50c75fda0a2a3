"""Folders named by classes."""

import pytest

from burn_verify.cases.labelled.folders import class_folders, classes_of, counted_of, of_folders


@pytest.fixture
def tree(tmp_path):
    for name in ("dog/b.png", "cat/a.jpg", "cat/deep/c.png", "notes/readme.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_classes_count_alphabetically(tree):
    assert [one.name for one in class_folders(tree)] == ["cat", "dog"]
    found = of_folders(tree, "tree")
    assert [(one.name, one.number, one.label) for one in found.entries] == [
        ("cat/a.jpg", 0, 0),
        ("cat/deep/c.png", 1, 0),
        ("dog/b.png", 2, 1),
    ]


def test_names_that_are_counted_are_told_apart_from_numbers_that_are_known(tree):
    assert of_folders(tree, "tree").counted == 2
    assert counted_of(tree, ["0", "10"]) == 0
    (tree / "classes.txt").write_text("bird\ncat\ndog\n")
    assert of_folders(tree, "tree").counted == 0


def test_a_list_of_classes_decides(tree):
    (tree / "classes.txt").write_text("bird\n\ndog\n")
    found = of_folders(tree, "tree")
    assert [one.label for one in found.entries] == [2]
    assert found.broken == (
        "cat/a.jpg: the folder cat is no class of classes.txt",
        "cat/deep/c.png: the folder cat is no class of classes.txt",
    )


def test_names_that_are_numbers_are_these(tmp_path):
    assert classes_of(tmp_path, ["10", "9"]) == {"10": 10, "9": 9}
    assert classes_of(tmp_path, ["10", "9", "x"]) == {"10": 0, "9": 1, "x": 2}
