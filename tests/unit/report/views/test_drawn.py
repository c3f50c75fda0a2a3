"""Pictures of boxes."""

from io import BytesIO

import numpy as np
from PIL import Image

from burn_verify.cases.labelled.entry import Picture
from burn_verify.report.views.drawn import Panel, drawn, labels_panel, pictured
from labelled import boxed, entry, pictures


def test_panels_stand_side_by_side(tmp_path):
    pictures(tmp_path, [[]])
    one = entry((), items=[Picture(path=tmp_path / "data" / "0.png")])
    panels = [Panel(title="labels", boxes=[]), Panel(title="a → b", boxes=[(1, "x 0.50", (8.0, 8.0, 16.0, 16.0))])]
    assert drawn(one, panels, tmp_path / "out" / "a.png")
    image = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    left, right = image[16:, :320], image[16:, 324:]
    assert left.shape == right.shape == (320, 320, 3)
    assert (left == left[0, 0]).all(), "no box is drawn"
    assert (right[80, 80:240] != left[0, 0]).any(axis=-1).all(), "the upper side of the box"
    assert (right[40, 40] == left[0, 0]).all()


def test_labels():
    panel = labels_panel(boxed((1, 2, 3, 4, 1)), {1: "triangle"})
    assert panel.boxes == [(1, "triangle", (1, 2, 3, 4))]
    assert labels_panel(entry(1), {}).boxes == []


def test_an_image_that_cannot_be_read(tmp_path):
    one = entry((), items=[Picture(path=tmp_path / "none.png")])
    assert not drawn(one, [labels_panel(one, {})], tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    assert pictured(one, [labels_panel(one, {})]) == b""


def test_a_small_picture(tmp_path):
    pictures(tmp_path, [[]], size=(700, 20))
    one = entry((), items=[Picture(path=tmp_path / "data" / "0.png")])
    found = Image.open(BytesIO(pictured(one, [Panel(title="a", boxes=[])] * 3)))
    assert (found.format, found.width) == ("JPEG", 960)
