"""A sample, and a source of samples that reads one at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt

from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import Hints, TensorSpec

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a model is fed once.

    Attributes:
        name: of the file, and the place in it: ``calibration.npz[17]``, ``photos/cat.jpg``, ``texts.jsonl:12``.
        inputs: by name, of the dtype and rank of the graph input; those that are missing are drawn.
        outputs: expected outputs by name; none or all of the model.
    """

    name: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Samples of one file or folder.

    Attributes:
        names: of its samples, in their order.
        read: returns the sample at a place; raises `Wrong`.
        how: how raw data becomes tensors, in a few words; empty where it holds tensors.
    """

    names: Sequence[str]
    read: Callable[[int], Sample]
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a source has to know about the model.

    Attributes:
        inputs, outputs: in the order of the graph.
        hints: sizes of dimensions, and how images and texts become tensors.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    hints: Hints

    def size(self, dim: int | str | None, default: int) -> int:
        """Return the size of a dimension: the one asked for, the one of the hints, else a default."""
        known = dict(self.hints.dims).get(dim, default) if isinstance(dim, str) else default
        return self.asked(dim, known)

    def asked(self, dim: int | str | None, default: int) -> int:
        """Return the size of a dimension: the declared one, the first that the user gives, else a default.

        What the catalogue says of a model of the zoo is a size to draw at: rows and texts do not have to follow it.
        """
        if isinstance(dim, int) and dim >= 0:
            return dim
        given = dict(self.hints.sizes).get(dim) if isinstance(dim, str) else None
        return given[0] if given else default

    def batch(self, spec: TensorSpec) -> int:
        """Return how many rows of an input are fed at once: the batch that the model fixes, else the one asked for."""
        return max(1, self.asked(spec.shape[0], 1)) if spec.shape else 1


def grouped(names: Sequence[str], size: int) -> list[tuple[str, list[int]]]:
    """Return the names and places of groups of samples that are fed at once; the last one repeats its last sample."""
    groups = [list(range(start, min(start + size, len(names)))) for start in range(0, len(names), size)]
    labels = [names[one[0]] if len(one) == 1 else f"{names[one[0]]} to {names[one[-1]]}" for one in groups]
    return [(label, one + [one[-1]] * (size - len(one))) for label, one in zip(labels, groups, strict=True)]


def required(name: str, library: str, extra: str) -> Wrong:
    """Return the error for data that need a library that is not installed."""
    return Wrong(place=name, text=f"{library} is needed to read it: pip install 'burn-verify[{extra}]'")


def shown(path: Path, folder: Path) -> str:
    """Return the name of a file in records: below the folder that the user named, without what is above."""
    return path.name if path == folder else f"{folder.name}/{path.relative_to(folder).as_posix()}"
