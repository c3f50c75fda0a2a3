"""At which sizes of its dimensions a model is right, in words and for the record."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from burn_verify.core.case import TensorSpec
from burn_verify.system.wire import Array

Sizes: TypeAlias = Mapping[str, Mapping[str, int]]
"""Sizes of the dimensions that vary, by data set and dimension."""


def label(sizes: Mapping[str, int]) -> str:
    """Return sizes as text: ``batch=3, sequence=7``."""
    return ", ".join(f"{name}={size}" for name, size in sizes.items())


def sizes_fed(inputs: Sequence[TensorSpec], data_sets: Mapping[str, Sequence[Array]]) -> Sizes:
    """Return the sizes of the dimensions that a model leaves open, from what is fed; none where all are of one size.

    Arguments:
        data_sets: arrays in the order of the inputs, by data set.
    """
    found = {
        name: {
            size: came
            for spec, array in zip(inputs, arrays, strict=False)
            for size, came in zip(spec.shape, array.shape, strict=False)
            if isinstance(size, str)
        }
        for name, arrays in data_sets.items()
    }
    differ = {tuple(sorted(sizes.items())) for sizes in found.values()}
    return found if len(differ) > 1 else {}


def sizes_said(sizes: Sizes, found: Mapping[str, str]) -> dict[str, Any]:
    """Return the field ``sizes`` of the record: what was found at each; nothing where there is one size only.

    Arguments:
        found: the verdict, or what ended the run, by data set.
    """
    said = {label(sizes[name]): str(result) for name, result in found.items() if sizes.get(name)}
    return {"sizes": said} if said else {}


def where(sizes: Sizes, agreeing: Sequence[str], failing: str) -> str:
    """Return the beginning of a message: at which sizes a model is right, and at which it fails.

    Only dimensions whose size differs from those of the first agreeing data set are named; empty where none agrees.
    A draw of the same sizes is called by its name.
    """
    right = next((name for name in agreeing if name in sizes), None)
    if right is None or failing not in sizes:
        return ""
    if not sizes[failing]:
        return f"right for the draw {right!r}, not for {failing!r}: "
    differ = [name for name, size in sizes[failing].items() if sizes[right].get(name) != size]
    good, bad = ({name: sizes[which][name] for name in differ} for which in (right, failing))
    return f"right at {label(good)}, not at {label(bad)}: " if differ else ""
