"""What long work says of itself while it goes on: an event, and the shape of whoever listens.

Draws nothing: see `console`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of long work.

    Attributes:
        phase: what goes on, e.g. ``compile``.
        done, total: how many of how many; `total` is 0 where it is not known yet.
        text: what is worked on now.
    """

    phase: str
    done: int
    total: int
    text: str = ""


Listener: TypeAlias = Callable[[Progress], None]
"""Called on every step, from any thread."""


def silent(event: Progress) -> None:
    """Listen to nothing."""
    del event
