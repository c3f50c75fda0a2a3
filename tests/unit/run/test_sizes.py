"""At which sizes a model is right, in words and for the record."""

import numpy as np
import pytest

from burn_verify.core.case import TensorSpec
from burn_verify.run.sizes import label, sizes_fed, sizes_said, where

SIZES = {
    "positive": {},
    "seeded": {"batch": 1, "seq": 7},
    "sizes 2": {"batch": 3, "seq": 7},
    "sizes 3": {"batch": 1, "seq": 12},
}


@pytest.mark.parametrize(
    ("agreeing", "failing", "text"),
    [
        (["seeded", "sizes 3"], "sizes 2", "right at batch=1, not at batch=3: "),
        (["seeded", "sizes 2"], "sizes 3", "right at seq=7, not at seq=12: "),
        (["sizes 2"], "sizes 3", "right at batch=3, seq=7, not at batch=1, seq=12: "),
        ([], "sizes 2", ""),
        (["test_data_set_0"], "sizes 2", ""),
        (["seeded"], "test_data_set_0", ""),
        (["seeded"], "positive", "right for the draw 'seeded', not for 'positive': "),
    ],
)
def test_a_message_begins_with_what_differs(agreeing, failing, text):
    assert where(SIZES, agreeing, failing) == text


def test_the_record_has_what_was_found_at_each_size():
    said = sizes_said(SIZES, {"seeded": "agrees", "sizes 2": "panic", "test_data_set_0": "agrees"})
    assert said == {"sizes": {"batch=1, seq=7": "agrees", "batch=3, seq=7": "panic"}}
    assert sizes_said({"seeded": {}}, {"seeded": "agrees"}) == {}
    assert label({}) == ""


def test_the_sizes_of_stored_sets_are_those_of_what_is_fed():
    inputs = [TensorSpec(name="x", dtype="float32", shape=("batch", 3))]
    sets = {"seeded": [np.zeros((2, 3))], "sizes 2": [np.zeros((4, 3))]}
    assert sizes_fed(inputs, sets) == {"seeded": {"batch": 2}, "sizes 2": {"batch": 4}}
    assert sizes_fed(inputs, {"seeded": sets["seeded"], "other": sets["seeded"]}) == {}
