"""The text of a module that burn-onnx generated, as far as a mutation has to understand it.

Finds functions, inputs and what is returned; parses no expression. Pure: reads and writes no file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_HIDDEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*')
_OPENERS: Final = {")": "(", "]": "[", "}": "{"}
_FUNCTION: Final = re.compile(r"\bfn (new|forward)\(")
_WORD_BEFORE: Final = re.compile(r"([A-Za-z_]\w*)!?(?:::<[^()]*>)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of the module.

    Attributes:
        name: ``new`` or ``forward``.
        start, end: of what is between its braces, offsets into the text.
        parameters: name and type of each but ``self`` and the device.
        returns: types of what it returns, in order.
    """

    name: str
    start: int
    end: int
    parameters: tuple[tuple[str, str], ...]
    returns: tuple[str, ...]


@dataclass(frozen=True)
class Module:
    """A generated module."""

    text: str

    @cached_property
    def code(self) -> str:
        """The text with blanks in place of strings and comments; offsets are the same."""
        return _HIDDEN.sub(lambda found: " " * len(found[0]), self.text)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every ``new`` and ``forward``, those of submodules included."""
        return tuple(self._function(found) for found in _FUNCTION.finditer(self.code))

    @property
    def forward(self) -> Function:
        """The one that the runner calls.

        Raises:
            ValueError: there is none.
        """
        found = [function for function in self.functions if function.name == "forward"]
        if not found:
            msg = "the module has no forward"
            raise ValueError(msg)
        return found[-1]

    @cached_property
    def returned(self) -> tuple[int, int]:
        """Start and end of the expression that `forward` returns."""
        body = self.forward
        start, depth = body.start, 0
        for place in range(body.start, body.end):
            char = self.code[place]
            depth += (char in "([{") - (char in ")]}")
            if depth == 0 and char == ";":
                start = place + 1
        inside = self.code[start : body.end]
        return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())

    @cached_property
    def returned_parts(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each output in that expression."""
        start, end = self.returned
        if self.code[start] != "(" or self.closing(start) != end - 1:
            return ((start, end),)
        return self.parts(start)

    def closing(self, opening: int) -> int:
        """Return the offset of the bracket that closes the one at an offset.

        Raises:
            ValueError: none does.
        """
        stack: list[str] = []
        for place in range(opening, len(self.code)):
            char = self.code[place]
            if char in "([{":
                stack.append(char)
            elif char in _OPENERS:
                if stack.pop() != _OPENERS[char]:
                    break
                if not stack:
                    return place
        msg = f"the bracket at {opening} is not closed"
        raise ValueError(msg)

    def parts(self, opening: int) -> tuple[tuple[int, int], ...]:
        """Return start and end of what commas part between a bracket and the one that closes it."""
        end = self.closing(opening)
        found, start, depth, angle = [], opening + 1, 0, 0
        for place in range(opening + 1, end + 1):
            char = self.code[place]
            if place == end or (char == "," and depth == 0 and angle == 0):
                part = self.code[start:place]
                if part.strip():
                    found.append((start + len(part) - len(part.lstrip()), start + len(part.rstrip())))
                start = place + 1
            depth += (char in "([{") - (char in ")]}")
            # Only types have angle brackets without blanks around them.
            angle += (char == "<" and self.code[place - 1] not in " <") - (
                char == ">" and self.code[place - 1] not in " -="
            )
            angle = max(angle, 0)
        return tuple(found)

    def callers(self, place: int) -> Iterator[str]:
        """Yield the names of calls and macros around an offset, the innermost first, up to the statement."""
        depth = 0
        for at in range(place - 1, -1, -1):
            char = self.code[at]
            if char in ")]}":
                depth += 1
            elif char in "([{":
                if depth == 0:
                    if char == "{":
                        return
                    if (found := _WORD_BEFORE.search(self.code[max(0, at - 120) : at])) is not None:
                        yield found[1]
                else:
                    depth -= 1
            elif char == ";" and depth == 0 and self.code[at + 1 : at + 2] == "\n":
                return

    def _function(self, found: re.Match[str]) -> Function:
        opening = found.end() - 1
        closing = self.closing(opening)
        brace = self.code.index("{", closing)
        arrow = self.code[closing + 1 : brace].strip().removeprefix("->").strip()
        if arrow.startswith("("):
            first = self.code.index("(", closing + 1)
            returns = tuple(self.code[start:end] for start, end in self.parts(first))
        else:
            returns = (arrow,)
        pairs = [self.code[start:end].partition(":") for start, end in self.parts(opening)]
        parameters = tuple((name.strip(), kind.strip()) for name, colon, kind in pairs if colon and name != "device")
        return Function(name=found[1], start=brace + 1, end=self.closing(brace), parameters=parameters, returns=returns)
