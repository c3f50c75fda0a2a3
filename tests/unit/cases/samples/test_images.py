"""Images become tensors, by the description or by the shape of the input."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.images import images, recipe_of, tensor
from burn_verify.core.case import ImageHint

PIL = pytest.importorskip("PIL.Image")
NCHW = {"x": ("float32", ["batch", 3, 4, 6])}


@pytest.fixture
def photo(tmp_path):
    """A picture of 8 by 12 pixels, red on the left and blue on the right."""
    pixels = np.zeros((8, 12, 3), "u1")
    pixels[:, :6, 0] = 255
    pixels[:, 6:, 2] = 255
    PIL.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def made(photo, model):
    return images([photo], [photo.name], model).read(0).inputs["x"]


def test_by_the_shape_of_the_input(photo, model):
    found = made(photo, model(NCHW))
    assert (found.dtype, found.shape) == (np.float32, (1, 3, 4, 6))
    assert found[0, :, 0, 0].tolist() == [1, 0, 0]
    assert found[0, :, 0, 5].tolist() == [0, 0, 1]


def test_channels_last(photo, model):
    found = made(photo, model({"x": ("float32", [1, 4, 6, 3])}))
    assert found[0, 0, 0].tolist() == [1, 0, 0]


def test_bytes_stay_bytes(photo, model):
    found = made(photo, model({"x": ("uint8", ["n", "h", "w", 3])}, dims=(("h", 4), ("w", 6))))
    assert found[0, 0, 0].tolist() == [255, 0, 0]


def test_grey_where_there_is_one_channel(photo, model):
    found = made(photo, model({"x": ("float32", [1, 1, 4, 6])}))
    assert found.shape == (1, 1, 4, 6)
    assert found[0, 0, 0, 0] == pytest.approx(76 / 255)


def test_unknown_sides_are_224(photo, model):
    assert made(photo, model({"x": ("float32", ["n", 3, "h", "w"])})).shape == (1, 3, 224, 224)


def test_everything_that_a_description_says(photo, model):
    hint = ImageHint(resize=(4,), crop=(4, 2), colour="BGR", scale=1.0, mean=(1.0, 2.0, 3.0), deviation=(2.0,))
    found = made(photo, model({"x": ("float32", [1, 3, 4, 2])}, images=hint))
    assert found.shape == (1, 3, 4, 2)
    # The middle of the picture: red on the left, in the order blue, green, red.
    assert found[0, :, 0, 0].tolist() == pytest.approx([(0 - 1) / 2, (0 - 2) / 2, (255 - 3) / 2], abs=40)


def test_the_recipe_is_told(photo, model):
    text = images([photo], ["photo.png"], model(NCHW)).how
    assert text == "resized covering it, 4x6 of the middle, NCHW, RGB, times 0.00392157"


def test_a_batch_that_the_model_fixes(photo, model):
    found = images([photo] * 3, ["a", "b", "c"], model({"x": ("float32", [2, 3, 4, 6])}))
    assert found.names == ["a to b", "c"]
    assert found.read(1).inputs["x"].shape == (2, 3, 4, 6)


@pytest.mark.parametrize(
    ("inputs", "hint", "words"),
    [
        ({"x": ("float32", [1, 10])}, ImageHint(), "no input of four dimensions for an image"),
        ({**NCHW, "z": ("float32", [1, 3, 4, 4])}, ImageHint(), "several inputs of four dimensions"),
        ({"x": ("float32", [1, 5, 4, 6])}, ImageHint(layout="NCHW"), "has 5 channels, an image as RGB has 3"),
        (NCHW, ImageHint(mean=(1.0, 2.0)), "1 or 3 numbers are needed, not 2"),
    ],
)
def test_a_model_that_takes_no_such_image(model, inputs, hint, words):
    with pytest.raises(Wrong) as caught:
        recipe_of("photos", model(inputs, images=hint))
    assert words in caught.value.text


def test_another_size_than_the_model_takes(photo, model):
    with pytest.raises(Wrong, match=r"is of shape \[batch, 3, 4, 6\], not \[1, 3, 5, 5\]"):
        made(photo, model(NCHW, images=ImageHint(crop=(5, 5))))


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image(tmp_path, model, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(Wrong, match=r"no image that Pillow can read"):
        tensor(tmp_path / "a.png", "a.png", recipe_of("a.png", model(NCHW)))
