"""Progress of long work: an event, and the type of its listeners.

Prints nothing: see `system.console`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of long work.

    Attributes:
        phase: the kind of work, e.g. ``compile``.
        done, total: finished steps and all steps; `total` is 0 where it is not known yet.
        text: the current item.
        whole: whether the text is told once in a line of its own, whatever its length.
    """

    phase: str
    done: int
    total: int
    text: str = ""
    whole: bool = False


Listener: TypeAlias = Callable[[Progress], None]
"""Called on every step, from any thread."""


def silent(event: Progress) -> None:
    """Ignore the event."""
    del event
