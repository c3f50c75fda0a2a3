"""Samples become inputs, one or many at once."""

import numpy as np
import pytest

from burn_verify.cases.labelled.entry import Labels, Picture
from burn_verify.cases.labelled.fed import Feeder
from burn_verify.cases.labelled.opened import opened
from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import Hints, ImageHint, ModelFacts
from labelled import IMAGES, ROWS, SCORES, entry, fed, pictures, readable, rows


def feeder(first, *inputs, hints=Hints()):  # noqa: B008  (immutable)
    facts = ModelFacts(op_types=(), opset=18, inputs=inputs or (ROWS,), outputs=(SCORES,))
    return Feeder(first, readable(*inputs, hints=hints), facts, "digest")


def test_rows_in_batches(tmp_path):
    entries = opened(rows(tmp_path / "a.npz"), Labels.CLASS, readable()).entries
    made = feeder(entries[0], hints=Hints(sizes=(("batch", (3,)),)))
    assert made.batch == 3
    batch = made.batch_of("a", [row for one in entries[:2] for row in made.rows(one)])
    assert batch.rows == 2
    assert np.array_equal(batch.named["x"], np.eye(3)[[0, 1, 1]])
    assert batch.inputs[0].dtype == np.float32


def test_an_image_and_where_it_lies(tmp_path):
    pictures(tmp_path, [[]], size=(64, 32))
    hints = Hints(images=ImageHint(fit="letterbox"))
    one = entry((), items=[Picture(path=tmp_path / "data" / "0.png", size=(64, 32))])
    made = feeder(one, IMAGES, hints=hints)
    batch = made.batch_of("a", made.rows(one))
    (place,) = batch.places
    assert (place.image, place.tensor, place.across, place.down) == ((64, 32), (32, 32), 0.5, 0.5)
    assert np.allclose(batch.named["x"][0, :, 20, 5], 114 / 255)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (entry(0, items=[Picture(path="DATA/0.png", size=(3, 3))]), "the label says 3x3, the image is 32x32"),
        (entry(0, items=[Picture(path="DATA/none.png")]), "no image that Pillow can read"),
        (entry(0, items=["text"]), "of another kind"),
    ],
)
def test_a_sample_that_cannot_be_fed(tmp_path, broken, said):
    pictures(tmp_path, [[]])
    (item,) = broken.items
    if isinstance(item, Picture):
        item = Picture(path=tmp_path / str(item.path).replace("DATA", "data"), size=item.size)
    good = entry(0, items=[Picture(path=tmp_path / "data" / "0.png")])
    with pytest.raises(Wrong) as error:
        feeder(good, IMAGES).rows(entry(0, items=[item]))
    assert said in error.value.text


def test_arrays_that_do_not_fit():
    made = feeder(entry(0, items=[fed(x=np.ones((1, 3)))]))
    with pytest.raises(Wrong, match="not finite"):
        made.rows(entry(0, items=[fed(x=np.full((1, 3), np.nan))]))
    with pytest.raises(Wrong, match="'x' holds complex numbers, and float32 is fed"):
        made.rows(entry(0, items=[fed(x=np.ones((1, 3), "c8"))]))
    with pytest.raises(Wrong, match="2 dimensions for a sample"):
        made.rows(entry(0, items=[fed(x=np.ones((1, 3, 3)))]))
    with pytest.raises(Wrong, match=r"is of shape \[batch, 3\], not \[1, 4\]"):
        made.batch_of("a", made.rows(entry(0, items=[fed(x=np.ones((1, 4)))])))
