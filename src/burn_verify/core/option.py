"""One option: its names, and what its text becomes. Data only; the options themselves are in `option_table`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its flag, where else it may be set, and the value that its text becomes.

    Attributes:
        field: the field of `Settings` it fills.
        flag: on the command line.
        ini: in pytest's configuration file.
        env: environment variable, for locations only.
        bare: the value of the flag without a value; None where it needs one.
        word: the flag of the command line `burn-verify`, where pytest's own is longer.
        repeat: may be given several times, which is the same as several lines.
        parse: text to value; raises ValueError with a message for the user.
    """

    field: str
    flag: str
    metavar: str
    help: str
    parse: Callable[[str], Any]
    default: Any
    ini: str
    env: str | None = None
    bare: str | None = None
    word: str | None = None
    repeat: bool = False

    @property
    def argument(self) -> dict[str, Any]:
        """Keyword arguments of the flag for argparse and for pytest."""
        bare = {} if self.bare is None else {"nargs": "?", "const": self.bare}
        several = {"action": "append"} if self.repeat else {}
        return {"metavar": self.metavar, "help": self.help, **bare, **several}

    @property
    def said(self) -> str:
        """The flag in a message, under each of its names."""
        return self.flag if self.word is None else f"{self.word} ({self.flag})"
