"""Pictures of detections: the labels and what each engine found, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from burn_verify.cases.labelled.entry import Box, Entry, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

_COLOURS: Final = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")
_LEAST: Final = 320
"""Pixels of the longer side of a panel at least: small images are enlarged, so that boxes can be told apart."""
_TITLE: Final = 16
_SMALL: Final = 960
"""Pixels of the longer side of a picture that a record holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """An image with boxes.

    Attributes:
        boxes: category, text and left, top, width, height in pixels of the image.
    """

    title: str
    boxes: Sequence[tuple[int, str, tuple[float, float, float, float]]]


def labels_panel(entry: Entry, names: Mapping[int, str]) -> Panel:
    """Return the panel of the labels."""
    boxes = [one for one in entry.label if isinstance(one, Box)] if isinstance(entry.label, tuple) else []
    return Panel(title="labels", boxes=[(one.category, names.get(one.category, ""), one.box) for one in boxes])


def drawn(entry: Entry, panels: Sequence[Panel], path: Path) -> bool:
    """Write panels of one image side by side; return whether the image could be read.

    Raises:
        OSError: the file cannot be written.
    """
    whole = _side_by_side(entry, panels)
    if whole is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path)
    return True


def pictured(entry: Entry, panels: Sequence[Panel]) -> bytes:
    """Return panels of one image side by side as a small JPEG; nothing where the image cannot be read."""
    whole = _side_by_side(entry, panels)
    if whole is None:
        return b""
    whole.thumbnail((_SMALL, _SMALL))
    data = BytesIO()
    whole.save(data, "JPEG", quality=80)
    return data.getvalue()


def _side_by_side(entry: Entry, panels: Sequence[Panel]) -> "Image | None":
    from PIL import Image, ImageOps

    (picture,) = (item for item in entry.items if isinstance(item, Picture))
    try:
        with Image.open(picture.path) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    scale = max(1, -(-_LEAST // max(image.size)))
    parts = [_panel(image, scale, panel) for panel in panels]
    whole = Image.new("RGB", (sum(one.width for one in parts) + 4 * (len(parts) - 1), parts[0].height), "white")
    left = 0
    for one in parts:
        whole.paste(one, (left, 0))
        left += one.width + 4
    return whole


def _panel(image: "Image", scale: int, panel: Panel) -> "Image":
    from PIL import Image, ImageDraw

    large = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    whole = Image.new("RGB", (large.width, large.height + _TITLE), "white")
    whole.paste(large, (0, _TITLE))
    pen = ImageDraw.Draw(whole)
    pen.text((2, 2), panel.title.encode("ascii", "replace").decode(), fill="black")
    for category, text, (left, top, width, height) in panel.boxes:
        colour = _COLOURS[category % len(_COLOURS)]
        x1, x2 = sorted((left * scale, (left + width) * scale))
        y1, y2 = sorted((top * scale + _TITLE, (top + height) * scale + _TITLE))
        pen.rectangle((x1, y1, x2, y2), outline=colour, width=2)
        pen.text((x1 + 3, y1 + 2), text.encode("ascii", "replace").decode(), fill=colour)
    return whole
