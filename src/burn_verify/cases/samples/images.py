"""Images become tensors: resized, cropped, scaled and normalised, as ``[images]`` of a description says.

What is not said follows from the shape of the input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import fitted
from burn_verify.cases.samples.sample import Array, Model, Sample, Source, grouped, required
from burn_verify.core.case import ImageHint, TensorSpec
from burn_verify.graph.dtypes import numpy_dtype

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff"})
_SIDE: Final = 224
_CHANNELS: Final = (1, 3)
_RANK: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that is needed to make a tensor of an image.

    Attributes:
        size: height and width of the tensor.
        resize: as of `ImageHint`; None for what covers `size`, of which the middle is kept.
        mode: of Pillow.
    """

    spec: TensorSpec
    size: tuple[int, int]
    resize: tuple[int, ...] | None
    last: bool
    mode: str
    reverse: bool
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def text(self) -> str:
        """The recipe in one line."""
        height, width = self.size
        resize = "covering it" if self.resize is None else "x".join(map(str, self.resize))
        parts = [f"resized {resize}, {height}x{width} of the middle"]
        parts.append(f"{'NHWC' if self.last else 'NCHW'}, {'BGR' if self.reverse else self.mode}")
        parts.append(f"times {self.scale:.6g}")
        if self.mean or self.deviation:
            parts.append(f"mean {_listed(self.mean or (0.0,))}, deviation {_listed(self.deviation or (1.0,))}")
        return ", ".join(parts)


def images(files: Sequence[Path], names: Sequence[str], model: Model) -> Source:
    """Return a sample for each image, or for as many of them as the model takes at once.

    Raises:
        Wrong: the model takes no image, or the description does not fit it.
    """
    recipe = recipe_of(names[0], model)
    groups = grouped(names, model.batch(recipe.spec))

    def read(place: int) -> Sample:
        name, places = groups[place]
        tensors = {one: tensor(files[one], names[one], recipe) for one in dict.fromkeys(places)}
        batch = np.stack([tensors[one] for one in places])
        return Sample(name=name, inputs={recipe.spec.name: fitted(name, batch, recipe.spec)})

    return Source(names=[name for name, _ in groups], read=read, how=recipe.text)


def recipe_of(name: str, model: Model) -> Recipe:
    """Return how an image becomes the model's input.

    Arguments:
        name: of the first image, for messages.
    """
    hint = model.hints.images
    spec = _input(name, hint, model)
    last = hint.layout == "NHWC" or (not hint.layout and _is_last(spec))
    channels, sides = (spec.shape[3], spec.shape[1:3]) if last else (spec.shape[1], spec.shape[2:])
    declared = (model.size(sides[0], 0), model.size(sides[1], 0))
    size = (hint.crop or _both(hint.resize) or declared)[:2]
    height, width = (wanted or given or _SIDE for wanted, given in zip(size, declared, strict=True))
    colour = hint.colour or ("L" if channels == 1 else "RGB")
    count = 1 if colour == "L" else 3
    if model.size(channels, count) != count:
        raise Wrong(
            place=name, text=f"the input {spec.name!r} has {channels} channels, an image as {colour} has {count}"
        )
    for key, values in (("mean", hint.mean), ("deviation", hint.deviation)):
        if len(values) not in (0, 1, count):
            raise Wrong(place=f"images.{key}", text=f"1 or {count} numbers are needed, not {len(values)}")
    floats = numpy_dtype(spec.dtype).kind not in "iu"
    return Recipe(
        spec=spec,
        size=(height, width),
        resize=hint.resize,
        last=last,
        mode="L" if colour == "L" else "RGB",
        reverse=colour == "BGR",
        scale=hint.scale if hint.scale is not None else 1 / 255 if floats else 1.0,
        mean=hint.mean,
        deviation=hint.deviation,
    )


def tensor(path: Path, name: str, recipe: Recipe) -> Array:
    """Return the tensor of an image, without the batch.

    Raises:
        Wrong: the file is no image, or Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise required(name, "Pillow", "images") from None
    try:
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file).convert(recipe.mode)
            pixels = np.asarray(_sized(upright, recipe))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Wrong(place=name, text=f"no image that Pillow can read: {_cause(error)}") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if recipe.reverse:
        pixels = pixels[:, :, ::-1]
    values = (pixels * np.float64(recipe.scale) - np.array(recipe.mean or 0.0)) / np.array(recipe.deviation or 1.0)
    dtype = numpy_dtype(recipe.spec.dtype)
    values = np.rint(values) if dtype.kind in "iu" else values
    return np.ascontiguousarray(values if recipe.last else values.transpose(2, 0, 1)).astype(dtype)


def _sized(image: "Image", recipe: Recipe) -> "Image":
    from PIL import Image, ImageOps

    height, width = recipe.size
    if recipe.resize is None:
        return ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    if len(recipe.resize) == 1:
        ratio = recipe.resize[0] / min(image.size)
        new = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    else:
        new = (recipe.resize[1], recipe.resize[0])
    resized = image.resize(new, Image.Resampling.BILINEAR)
    left, top = (resized.width - width) // 2, (resized.height - height) // 2
    return resized.crop((left, top, left + width, top + height))


def _input(name: str, hint: ImageHint, model: Model) -> TensorSpec:
    found = [spec for spec in model.inputs if len(spec.shape) == _RANK and spec.name in (hint.input or spec.name,)]
    if len(found) != 1:
        has = ", ".join(spec.name for spec in model.inputs)
        several = "several inputs" if found else "no input"
        raise Wrong(place=name, text=f"{several} of four dimensions for an image: images.input names one of {has}")
    return found[0]


def _is_last(spec: TensorSpec) -> bool:
    return spec.shape[1] not in _CHANNELS and spec.shape[3] in _CHANNELS


def _both(resize: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return resize if resize is not None and len(resize) == 2 else None


def _listed(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:g}" for value in values)


def _cause(error: Exception) -> str:
    text = str(error)
    return "unknown kind of file" if "cannot identify" in text else " ".join(text.split())
