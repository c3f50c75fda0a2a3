"""What the forecast weighs of a cell: its facets, alone and joined, of its operator and of any operator.

Pure functions on text.
"""

import re
from collections.abc import Iterator
from typing import Final

from burn_verify.forecast.cells import OUTPUT, Cell
from burn_verify.forecast.values import ABSENT, COMPUTED, CONSTANT, FOLDED, INITIALIZER, INPUT

ANY: Final = "*"
"""In place of the operator, in a feature of any operator."""

Feature = tuple[str, str, str]
"""Operator or `ANY`, name, value."""

_ROLES: Final = (" is", " dtype", " rank", " sizes", " value", " elements")
_SHORT: Final = {INPUT: "run", COMPUTED: "run", INITIALIZER: "fixed", CONSTANT: "fixed", FOLDED: "fixed"}
_NUMBER: Final = re.compile(r"-?[\d.e+-]+")
_NUMBERS: Final = re.compile(r"-?[\d.e+ -]+")
_TELLING: Final = frozenset({" is", " dtype", " elements"})


def features(cell: Cell) -> tuple[tuple[Feature, Feature | None], ...]:
    """Return the features of a cell, each with the one that stands for it where no evidence has it; None for none."""
    return tuple(dict.fromkeys(_features(cell)))


def role(facet: str) -> str:
    """Return what a facet says of its operand, such as `` dtype``; the name itself for a facet of the node."""
    return next((role for role in _ROLES if facet.endswith(role)), facet)


def kind_of(value: str) -> str:
    """Return a kind of operand in the coarser division: at run time, fixed, from a shape, absent."""
    return _SHORT.get(value, value)


def facet_features(operator: str, name: str, value: str) -> Iterator[tuple[Feature, Feature | None]]:
    """Yield the features of one facet alone, as in `features`."""
    yield (operator, name, value), (ANY, f"new {_novelty(name, value)}", "")
    if (of := role(name)) != name:
        yield (ANY, of, value), None
    if of != " dtype":
        yield (ANY, name, value), None


def _features(cell: Cell) -> Iterator[tuple[Feature, Feature | None]]:
    operator, known = cell.operator, cell.by_name
    yield (operator, "", ""), (ANY, "new operator", "")
    for name, value in cell.facets:
        yield from facet_features(operator, name, value)
    labels = [name.removesuffix(" is") for name, value in cell.facets if name.endswith(" is") and value != ABSENT]
    kinds = []
    for label in labels:
        kind = kind_of(known[f"{label} is"])
        kinds.append(kind)
        rank = "0" if known.get(f"{label} rank") == "0" else ""
        joint = " ".join((kind, known.get(f"{label} dtype", ""), rank))
        yield (operator, f"{label}: all", joint), (ANY, "new operand", "")
        yield (ANY, "operand: all", joint), None
    yield (operator, "operands", " ".join(kinds)), (ANY, "new operands", "")
    scalar = "0" if known.get(f"{OUTPUT} rank") == "0" else ""
    yield (operator, "result", f"{scalar} {known.get(f'{OUTPUT} dtype', '')}"), (ANY, "new result", "")


def _novelty(name: str, value: str) -> str:
    """Return the kind of a value that no evidence has: a new number is less of a risk than a new word."""
    of = role(name)
    if of != name:
        return f"{of} {value}" if of in _TELLING else of
    if name in ("since_version", "inputs", "outputs", "first two shapes", "every input is"):
        return name
    if value == "not set":
        return value
    return "number" if _NUMBER.fullmatch(value) else "numbers" if _NUMBERS.fullmatch(value) else "word"
