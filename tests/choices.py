"""Graphs to make, chosen by an operator and the axes that are not the default."""

from burn_verify.cases.generated.build import Space
from burn_verify.cases.generated.registry import operator_specs


def choice_of(name, version, **row):
    """Return the graph of an operator's version; `row` holds what is not the default."""
    space = Space(operator_specs()[name], version)
    return space.choice({**space.default, **row})


def arrays(feeds):
    """Return the bytes of what a graph is fed, by name, to be compared."""
    return {name: value.tobytes() for name, value in feeds.items()}
