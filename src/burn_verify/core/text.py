"""Text for people: one line, shortened, with a plural; and JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_COMMAND: Final = re.compile(r"^(\s*)::", re.MULTILINE)
_NUMBERS: Final = re.compile(r"\[\s*-?\d+(\s*,\s*-?\d+)*\s*\]")
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(\.\d+)?(e[-+]?\d+)?(?!\w)")
_LAYOUT: Final = str.maketrans("", "", "\n\t")
_END: Final = re.compile(r"[.!?](?=\s+[A-Z\[(])|[.!?]$")


def one_line(text: str) -> str:
    """Join the lines of a text, collapse white space and drop characters that are not printable."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else "".join(filter(str.isprintable, joined))


def harmless(text: str) -> str:
    """Return a text of several lines that does nothing to a terminal or to the log of a CI that prints it.

    Control characters, and marks that turn the direction of a text, become escapes such as ``\\x1b``. What GitHub's
    runner takes for a command, ``::`` at the start of a line and ``##[`` anywhere, is broken by a backslash.
    """
    kept = text
    if not text.translate(_LAYOUT).isprintable():
        kept = "".join(char if char in "\n\t" or char.isprintable() else _escaped(char) for char in text)
    return _COMMAND.sub(r"\1\\::", kept.replace("##[", "##\\["))


def _escaped(char: str) -> str:
    return " " if char.isspace() and char != "\r" else char.encode("unicode_escape").decode("ascii")


def sentences(text: str, room: int) -> str:
    """Return as many whole sentences of a text as fit; where not one does, whole words and an ellipsis.

    A full stop ends a sentence where a capital letter follows, and so not in "no. of".
    """
    if len(text) <= room:
        return text
    ends = [found.end() for found in _END.finditer(text) if found.end() <= room]
    if ends:
        return text[: ends[-1]]
    words = text[: max(room, 1) - 1].rpartition(" ")[0] or text[: max(room, 1) - 1]
    return f"{words.rstrip()}…"


def without_numbers(text: str) -> str:
    """Return a text in which numbers are ``N`` and lists of them ``[…]``, so that equal causes are equal texts.

    Digits within a word stay: dtypes, codes and names are no numbers.
    """
    return _NUMBER.sub("N", _NUMBERS.sub("[…]", text))


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, without its full stop."""
    found = _END.search(text)
    return (text[: found.end()] if found else text).rstrip(". ")


def shortened(text: str, room: int) -> str:
    """Return a text in at most `room` characters, at least one; an ellipsis stands for what is left out."""
    return text if len(text) <= room else f"{text[: max(room, 1) - 1].rstrip()}…"


def counted(count: int, noun: str) -> str:
    """Return a number with a regular noun: ``1 case``, ``2 cases``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plain(value: Any) -> str:
    """Return a value that JSON knows as people write it: ``yes``, ``a, b``, ``name 1``; nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{key} {plain(each)}".rstrip() for key, each in value.items())
        case list() | tuple():
            return ", ".join(map(plain, value))
    return str(value)


def json_text(value: Mapping[str, Any]) -> str:
    """Return JSON with one value a line, so that diffs are readable."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def bytes_in_words(size: int) -> str:
    """Return a number of bytes in the largest binary unit of which there is one, such as ``8 TiB``."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    place = min((max(size, 1).bit_length() - 1) // 10, len(units) - 1)
    return f"{size / (1 << 10 * place):.3g} {units[place]}"
