"""One change of a generated module, told by whole lines so that it can be made again in text made elsewhere.

Paths of weights are part of generated text, so neither offsets nor digests survive another cache; lines do.
"""

import difflib
import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a mutant differs in.

    Attributes:
        kind: class of the mutation, e.g. ``sibling``.
        operator: what was done, e.g. ``add -> sub``.
        old, new: whole lines before and after, without the last line break.
        occurrence: which of the equal places is meant, from 0.
    """

    kind: str
    operator: str
    old: str
    new: str
    occurrence: int

    @property
    def key(self) -> str:
        """A digest that tells the changes of one module apart."""
        parts = "\0".join((self.kind, self.operator, self.old, self.new, str(self.occurrence)))
        return hashlib.sha256(parts.encode()).hexdigest()[:12]

    @property
    def diff(self) -> str:
        """The lines that differ, one after the other, as in a unified diff without its heading."""
        before, after = self.old.splitlines(), self.new.splitlines()
        lines = difflib.unified_diff(before, after, lineterm="", n=0)
        return "\n".join(line[0] + line[1:].strip() for line in lines if not line.startswith(("---", "+++", "@@")))

    def applied(self, text: str) -> str:
        """Return the text with the change made.

        Raises:
            ValueError: the lines are not in it.
        """
        place = -1
        for _ in range(self.occurrence + 1):
            place = _line_at(text, self.old, place + 1)
        return text[:place] + self.new + text[place + len(self.old) :]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        return {name: getattr(self, name) for name in ("kind", "operator", "old", "new", "occurrence")}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Change":
        """Return the change of `to_json`; other fields are left alone."""
        return cls(**{name: value[name] for name in ("kind", "operator", "old", "new", "occurrence")})


def change_of(text: str, kind: str, operator: str, start: int, end: int, new: str) -> Change:
    """Return the change that puts other text in place of what is between two offsets."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    old = text[first:last]
    occurrence, place = 0, _line_at(text, old, 0)
    while place < first:
        occurrence, place = occurrence + 1, _line_at(text, old, place + 1)
    return Change(
        kind=kind,
        operator=operator,
        old=old,
        new=text[first:start] + new + text[end:last],
        occurrence=occurrence,
    )


def _line_at(text: str, lines: str, start: int) -> int:
    """Return where whole lines begin, not before an offset.

    Raises:
        ValueError: nowhere.
    """
    while True:
        place = text.find(lines, start)
        if place < 0:
            msg = f"not in the module: {lines.strip()!r}"
            raise ValueError(msg)
        end = place + len(lines)
        if (place == 0 or text[place - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return place
        start = place + 1
