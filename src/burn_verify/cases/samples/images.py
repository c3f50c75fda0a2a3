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
_FITS: Final = {
    "stretch": "resized to {height}x{width}",
    "letterbox": "resized into {height}x{width}, top left, the rest {pad}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a pixel of an image lies in the tensor: ``x * across + left``, ``y * down + top``.

    Attributes:
        image: width and height of the image in pixels, turned upright.
        tensor: width and height of the tensor in pixels.
    """

    image: tuple[int, int]
    tensor: tuple[int, int]
    across: float
    down: float
    left: float = 0.0
    top: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that is needed to make a tensor of an image.

    Attributes:
        size: height and width of the tensor.
        resize: as of `ImageHint`; None for what covers `size`, of which the middle is kept.
        mode: of Pillow.
        fit, pad: as of `ImageHint`.
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
    fit: str = ""
    pad: int = 0

    @property
    def text(self) -> str:
        """The recipe in one line."""
        height, width = self.size
        resize = "covering it" if self.resize is None else "x".join(map(str, self.resize))
        parts = [_FITS.get(self.fit, "resized {resize}, {height}x{width} of the middle")]
        parts = [part.format(resize=resize, height=height, width=width, pad=self.pad) for part in parts]
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
        fit=hint.fit,
        pad=hint.pad,
    )


def tensor(path: Path, name: str, recipe: Recipe) -> Array:
    """Return the tensor of an image, without the batch; errors as of `placed_tensor`."""
    return placed_tensor(path, name, recipe)[0]


def placed_tensor(path: Path, name: str, recipe: Recipe) -> tuple[Array, Placement]:
    """Return the tensor of an image, without the batch, and where its pixels lie in it.

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
            place = placement(upright.size, recipe)
            pixels = np.asarray(_sized(upright, recipe, place))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Wrong(place=name, text=f"no image that Pillow can read: {_cause(error)}") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if recipe.reverse:
        pixels = pixels[:, :, ::-1]
    values = (pixels * np.float64(recipe.scale) - np.array(recipe.mean or 0.0)) / np.array(recipe.deviation or 1.0)
    dtype = numpy_dtype(recipe.spec.dtype)
    values = np.rint(values) if dtype.kind in "iu" else values
    return np.ascontiguousarray(values if recipe.last else values.transpose(2, 0, 1)).astype(dtype), place


def placement(image: tuple[int, int], recipe: Recipe) -> Placement:
    """Return where the pixels of an image of a width and height lie in the tensor."""
    (height, width), (wide, high) = recipe.size, image
    if recipe.fit == "letterbox":
        ratio = min(width / wide, height / high)
        return Placement(image=image, tensor=(width, height), across=ratio, down=ratio)
    if recipe.fit == "stretch":
        return Placement(image=image, tensor=(width, height), across=width / wide, down=height / high)
    if recipe.resize is None:
        ratio = max(width / wide, height / high)
        left, top = (width - wide * ratio) / 2, (height - high * ratio) / 2
        return Placement(image=image, tensor=(width, height), across=ratio, down=ratio, left=left, top=top)
    new = _resized(image, recipe.resize)
    left, top = -((new[0] - width) // 2), -((new[1] - height) // 2)
    across, down = new[0] / wide, new[1] / high
    return Placement(image=image, tensor=(width, height), across=across, down=down, left=left, top=top)


def _resized(image: tuple[int, int], resize: tuple[int, ...]) -> tuple[int, int]:
    """Return width and height of an image that was resized to a shorter side, or to height and width."""
    if len(resize) == 1:
        ratio = resize[0] / min(image)
        return max(1, round(image[0] * ratio)), max(1, round(image[1] * ratio))
    return resize[1], resize[0]


def _sized(image: "Image", recipe: Recipe, place: Placement) -> "Image":
    from PIL import Image, ImageOps

    height, width = recipe.size
    if recipe.fit == "letterbox":
        new = (max(1, int(image.width * place.across)), max(1, int(image.height * place.down)))
        whole = Image.new(image.mode, (width, height), (recipe.pad,) * len(image.getbands()))
        whole.paste(image.resize(new, Image.Resampling.BILINEAR), (0, 0))
        return whole
    if recipe.fit == "stretch":
        return image.resize((width, height), Image.Resampling.BILINEAR)
    if recipe.resize is None:
        return ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    new = _resized(image.size, recipe.resize)
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
