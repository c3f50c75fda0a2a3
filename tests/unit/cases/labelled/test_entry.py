"""A data set is known by samples and labels, not by the names of its files."""

import numpy as np

from burn_verify.cases.labelled.entry import Labels, Picture, broken, identity, kept
from labelled import boxed, entry, fed


def of(*entries):
    return identity(kept("d", Labels.CLASS, entries))


def test_the_identity_is_that_of_samples_and_labels(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    (tmp_path / "c").write_bytes(b"2")

    def at(name, label=1):
        return entry(label, items=[Picture(path=tmp_path / name)])

    assert of(at("a")) == of(at("b"))
    assert of(at("a")) != of(at("c"))
    assert of(at("a")) != of(at("a", 2))
    assert of(at("a")) != of(at("a"), entry(1, 1))


def test_texts_arrays_and_boxes_count():
    assert of(entry(1, items=["a", "b"])) != of(entry(1, items=["ab", ""]))
    assert of(entry(1, items=[fed(x=np.zeros(3))])) != of(entry(1, items=[fed(x=np.ones(3))]))
    assert of(entry(1, items=[fed(x=np.zeros(3))])) == of(entry(1, items=[fed(other=np.zeros(3))]))
    assert of(boxed((1, 2, 3, 4, 1))) != of(boxed((1, 2, 3, 4, 2)))


def test_a_file_that_is_missing_does_not_end_it(tmp_path):
    assert of(entry(1, items=[Picture(path=tmp_path / "none")])) != of(entry(2))


def test_lines_about_broken_samples_are_kept_apart():
    found = kept("d", Labels.CLASS, [entry(1), broken("a.jsonl:3", "no\nJSON")])
    assert len(found.entries) == 1
    assert found.broken == ("a.jsonl:3: no JSON",)
