"""Exceptions from the judge's bounds, as data: each with a reason and a link.

Parses text. The caller, which has the results of a run, determines which exceptions the run used.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, Final

from burn_verify.core.errors import UsageError

FILE: Final = "tolerances.toml"
_KEYS: Final = frozenset({"name", "op_type", "case", "output", "dtype", "burn_backend", "factor", "reason", "link"})
_NEEDED: Final = ("name", "factor", "reason", "link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One exception; an empty field matches anything.

    Attributes:
        name: unique name, stored in the record where the exception was used.
        op_type: the operator of a case of one operator.
        case: a case id; ``*`` and ``?`` are wildcards.
        factor: the bound is multiplied by it.
    """

    name: str
    factor: float
    reason: str
    link: str
    op_type: str = ""
    case: str = ""
    output: str = ""
    dtype: str = ""
    burn_backend: str = ""

    def fits(self, *, op_type: str, case: str, output: str, dtype: str, burn_backend: str) -> bool:
        """Return whether the exception applies to an output of a case."""
        pairs = ((self.op_type, op_type), (self.output, output), (self.dtype, dtype))
        same = all(not mine or mine == theirs for mine, theirs in (*pairs, (self.burn_backend, burn_backend)))
        return same and (not self.case or fnmatchcase(case, self.case))


def parse(text: str, source: str = FILE) -> tuple[Override, ...]:
    """Read the TOML of a file of exceptions: an array of tables named ``override``.

    Raises:
        UsageError: the text is not TOML, or an entry has a missing key, an unknown key, or an invalid factor.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{source}: not TOML: {error}"
        raise UsageError(message) from error
    entries = document.get("override", [])
    if set(document) - {"override"} or not isinstance(entries, list):
        message = f"{source}: only tables [[override]] are known"
        raise UsageError(message)
    found = tuple(_override(entry, source) for entry in entries)
    names = [override.name for override in found]
    if len(set(names)) < len(names):
        message = f"{source}: two entries have one name"
        raise UsageError(message)
    return found


@cache
def packaged() -> tuple[Override, ...]:
    """Return the exceptions that are part of the package."""
    return parse((files("burn_verify") / "data" / FILE).read_text(encoding="utf-8"))


def unused(overrides: Iterable[Override], used: Iterable[str]) -> tuple[Override, ...]:
    """Return the exceptions that are not among those used, by name."""
    names = set(used)
    return tuple(override for override in overrides if override.name not in names)


def _override(entry: Mapping[str, Any], source: str) -> Override:
    name = entry.get("name", "?")
    if unknown := sorted(set(entry) - _KEYS):
        message = f"{source}: {name}: unknown key {unknown[0]!r}"
        raise UsageError(message)
    if missing := [key for key in _NEEDED if not entry.get(key)]:
        message = f"{source}: {name}: {missing[0]!r} is missing"
        raise UsageError(message)
    if not entry.get("op_type") and not entry.get("case"):
        message = f"{source}: {name}: neither 'op_type' nor 'case': that would be an exception from everything"
        raise UsageError(message)
    factor = entry["factor"]
    if not isinstance(factor, int | float) or not 1 < factor < float("inf"):
        message = f"{source}: {name}: 'factor' is a number above 1, not {factor!r}"
        raise UsageError(message)
    return Override(**{**entry, "factor": float(factor)})
