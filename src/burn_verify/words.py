"""Texts for people, made to fit: one line, so many characters, so many of something."""


def one_line(text: str) -> str:
    """Join the lines of a text, squeeze its white space and drop what cannot be printed."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else "".join(filter(str.isprintable, joined))


def shortened(text: str, room: int) -> str:
    """Return a text in at most `room` characters, at least one; an ellipsis stands for what is left out."""
    return text if len(text) <= room else f"{text[: max(room, 1) - 1].rstrip()}…"


def counted(count: int, noun: str) -> str:
    """Return how many there are of what a regular noun names: ``1 case``, ``2 cases``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
