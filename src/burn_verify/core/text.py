"""Text for people: one line, shortened, with a plural; and JSON."""

import json
from collections.abc import Mapping
from typing import Any


def one_line(text: str) -> str:
    """Join the lines of a text, collapse white space and drop characters that are not printable."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else "".join(filter(str.isprintable, joined))


def shortened(text: str, room: int) -> str:
    """Return a text in at most `room` characters, at least one; an ellipsis stands for what is left out."""
    return text if len(text) <= room else f"{text[: max(room, 1) - 1].rstrip()}…"


def counted(count: int, noun: str) -> str:
    """Return a number with a regular noun: ``1 case``, ``2 cases``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def json_text(value: Mapping[str, Any]) -> str:
    """Return JSON with one value a line, so that diffs are readable."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def bytes_in_words(size: int) -> str:
    """Return a number of bytes in the largest binary unit of which there is one, such as ``8 TiB``."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    place = min((max(size, 1).bit_length() - 1) // 10, len(units) - 1)
    return f"{size / (1 << 10 * place):.3g} {units[place]}"
