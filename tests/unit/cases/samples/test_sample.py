"""What a source knows about a model, and how samples are named and grouped."""

from pathlib import Path

import pytest

from burn_verify.cases.samples.sample import grouped, required, shown


@pytest.mark.parametrize(
    ("shape", "hints", "batch"),
    [
        (["batch", 3], {}, 1),
        ([4, 3], {}, 4),
        (["n", 3], {"sizes": (("n", (2, 5)),)}, 2),
        (["n", 3], {"dims": (("n", 2),)}, 1),
        ([None, 3], {}, 1),
        ([-1], {}, 1),
        ([], {}, 1),
    ],
)
def test_the_batch_of_an_input(model, shape, hints, batch):
    made = model({"x": ("float32", shape)}, **hints)
    assert made.batch(made.inputs[0]) == batch


def test_groups_are_named_after_their_ends_and_the_last_one_is_filled():
    assert grouped(["a", "b", "c"], 1) == [("a", [0]), ("b", [1]), ("c", [2])]
    assert grouped(["a", "b", "c"], 2) == [("a to b", [0, 1]), ("c", [2, 2])]


def test_names_begin_at_the_folder_that_the_user_named():
    assert shown(Path("/home/me/photos/a/b.jpg"), Path("/home/me/photos")) == "photos/a/b.jpg"
    assert shown(Path("/home/me/a.npz"), Path("/home/me/a.npz")) == "a.npz"


def test_what_is_not_installed_is_one_line_with_the_remedy():
    assert required("photos", "Pillow", "images").text == (
        "Pillow is needed to read it: pip install 'burn-verify[images]'"
    )
