"""Labels as people write them become values; what is none is a `ValueError` with the reason."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from burn_verify.cases.labelled.entry import Box


def number(value: Any, what: str) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{what}: a number is needed, not {_shown(value)}"
        raise ValueError(msg)
    return float(value)


def numeral(text: str, what: str) -> float:
    """Return the finite number that a text says."""
    try:
        return number(float(text), what)
    except ValueError:
        msg = f"{what}: a number is needed, not {_shown(text)}"
        raise ValueError(msg) from None


def whole(value: Any, what: str) -> int:
    """Return a whole number from 0."""
    found = number(value, what)
    if found != int(found) or found < 0:
        msg = f"{what}: a whole number from 0 is needed, not {_shown(value)}"
        raise ValueError(msg)
    return int(found)


def numbers(value: Any, what: str) -> tuple[float, ...]:
    """Return finite numbers: one, or those of a list."""
    several = value if isinstance(value, list) else [value]
    return tuple(number(one, what) for one in several)


def four(value: Any) -> tuple[float, float, float, float]:
    """Return the numbers of a box, as they are written."""
    if not isinstance(value, list) or len(value) != 4:
        msg = f"bbox: four numbers are needed, not {_shown(value)}"
        raise ValueError(msg)
    left, top, third, fourth = numbers(value, "bbox")
    return left, top, third, fourth


def corners(value: Any, size: tuple[int, int], category: int) -> Box:
    """Return the box of ``[x1, y1, x2, y2]``, normalised to 0..1, in an image of a width and height."""
    x1, y1, x2, y2 = four(value)
    if min(x1, y1) < 0 or max(x2, y2) > 1:
        msg = f"bbox: [x1, y1, x2, y2] from 0 to 1 are needed, not {_shown(value)}"
        raise ValueError(msg)
    if x2 <= x1 or y2 <= y1:
        msg = f"bbox: x1 < x2 and y1 < y2 are needed, not {_shown(value)}"
        raise ValueError(msg)
    width, height = (x2 - x1) * size[0], (y2 - y1) * size[1]
    return Box(category=category, box=(x1 * size[0], y1 * size[1], width, height), area=width * height)


def annotation(given: Mapping[str, Any], categories: Sequence[int]) -> Box:
    """Return the box of an annotation of COCO."""
    left, top, width, height = four(given.get("bbox"))
    if width < 0 or height < 0:
        msg = f"bbox: width and height from 0 are needed, not {_shown(given['bbox'])}"
        raise ValueError(msg)
    category = whole(given.get("category_id"), "category_id")
    if category not in categories:
        msg = f"category_id: {category} is none of the categories"
        raise ValueError(msg)
    area = number(given.get("area", width * height), "area")
    return Box(category=category, box=(left, top, width, height), area=area, crowd=bool(given.get("iscrowd", 0)))


def size(given: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the width and height that a label says; None where it says none."""
    if "width" not in given and "height" not in given:
        return None
    found = whole(given.get("width"), "width"), whole(given.get("height"), "height")
    if not all(found):
        msg = f"width and height from 1 are needed, not {found[0]} and {found[1]}"
        raise ValueError(msg)
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
