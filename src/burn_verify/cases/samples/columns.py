"""Arrays with names become samples: which array is which input or output, and which rows are fed at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Protocol

import numpy as np

from burn_verify.cases.own.checked import misfit
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array, Model, Sample, Source
from burn_verify.core.case import TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.reference.fills import fitting

_BATCHES: Final = ("n", "b", "none", "batch", "bs", "num_samples", "samples", "unk", "?")
_LABELS: Final = ("labels", "label")
"""Names of what a labelled data set says of its samples (`burn_verify.cases.labelled`); no model is fed it."""


class Column(Protocol):
    """An array that need not be in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    def __getitem__(self, rows: slice) -> Array:
        """Return some of its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a column becomes samples.

    Attributes:
        count: number of samples; None where every sample gets all of it.
        rows: rows of each sample.
        stacked: whether the first axis counts samples and is none of the tensor.
        wanting: whether the first axis of the tensor, of size 1, is missing.
    """

    count: int | None = None
    rows: int = 1
    stacked: bool = False
    wanting: bool = False


def source_of(label: str, columns: Mapping[str, Callable[[], Column]], model: Model) -> Source:
    """Return the samples of a file of named arrays.

    Arguments:
        label: of the file, for names and messages.
        columns: what opens an array, by its name in the file.

    Raises:
        Wrong: an array is neither input nor output, or does not fit.
    """
    columns = _unlabelled(columns, model)
    opened = {name: (spec, columns[key]()) for key, (name, spec) in named(label, list(columns), model).items()}
    fed = {spec.name for spec in model.inputs}
    if not fed & set(opened):
        raise Wrong(place=label, text=f"it holds none of the inputs {', '.join(fed)}")
    cuts = {name: _cut(f"{label}: {name}", column.shape, spec, model) for name, (spec, column) in opened.items()}
    counts = {name: cut.count for name, cut in cuts.items() if cut.count is not None}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{count} of {name!r}" for name, count in counts.items())
        raise Wrong(place=label, text=f"as many samples of each array are needed, not {said}")
    count = next(iter(counts.values()), 1)
    names = [label] if count == 1 else [f"{label}[{place}]" for place in range(count)]

    def read(place: int) -> Sample:
        arrays = {
            name: fitted(names[place], _taken(column, cuts[name], place), spec)
            for name, (spec, column) in opened.items()
        }
        return sample_of(names[place], arrays, model)

    return Source(names=names, read=read)


def _unlabelled(columns: Mapping[str, Callable[[], Column]], model: Model) -> Mapping[str, Callable[[], Column]]:
    """Return the arrays of a labelled data set without its labels; one of another name is for the only input."""
    known = {spec.name for spec in (*model.inputs, *model.outputs)}
    label = next((one for one in _LABELS if one in columns and one not in known), None)
    if label is None:
        return columns
    left = {key: opening for key, opening in columns.items() if key != label}
    if len(left) == len(model.inputs) == 1:
        return {model.inputs[0].name: next(iter(left.values()))}
    return left


def sample_of(name: str, arrays: Mapping[str, Array], model: Model) -> Sample:
    """Return the sample of arrays by the names of inputs and outputs.

    Raises:
        Wrong: some expected outputs are there, and not all.
    """
    outputs = {spec.name: arrays[spec.name] for spec in model.outputs if spec.name in arrays}
    if outputs and len(outputs) < len(model.outputs):
        missing = next(spec.name for spec in model.outputs if spec.name not in outputs)
        raise Wrong(place=name, text=f"expected outputs are there, but not {missing!r}: all or none are needed")
    inputs = {spec.name: arrays[spec.name] for spec in model.inputs if spec.name in arrays}
    return Sample(name=name, inputs=inputs, outputs=outputs)


def named(label: str, keys: Sequence[str], model: Model) -> dict[str, tuple[str, TensorSpec]]:
    """Return name and type of the input or output of each key: its own name, or ``input_0``, ``output_0``, ``arr_0``.

    Raises:
        Wrong: a key is none of them.
    """
    known = {spec.name: (spec.name, spec) for spec in (*model.outputs, *model.inputs)}
    for kind, specs in (("arr", model.inputs), ("input", model.inputs), ("output", model.outputs)):
        for place, spec in enumerate(specs):
            known.setdefault(f"{kind}_{place}", (spec.name, spec))
    for key in keys:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0.6)
            has = ", ".join(spec.name for spec in (*model.inputs, *model.outputs))
            guess = f"did you mean {near[0]!r}?" if near else f"the model has {has}"
            raise Wrong(place=label, text=f"{key!r} is neither an input nor an output: {guess}")
    return {key: known[key] for key in keys}


def fitted(name: str, array: Array, spec: TensorSpec) -> Array:
    """Return an array as the input or output that it is for.

    Raises:
        Wrong: dtype or shape do not fit.
    """
    try:
        fits = fitting(array, spec)
    except OracleError as error:
        raise Wrong(place=name, text=error.message.replace("the file holds", "it is of")) from error
    if why := misfit(fits.shape, spec):
        raise Wrong(place=name, text=why)
    return fits


def _cut(place: str, shape: tuple[int, ...], spec: TensorSpec, model: Model) -> Cut:
    rank = len(spec.shape)
    if len(shape) == rank + 1:
        return Cut(count=shape[0], stacked=True)
    if len(shape) == rank - 1 and model.batch(spec) == 1:
        return Cut(wanting=True)
    if len(shape) != rank:
        raise Wrong(place=place, text=f"{misfit(shape, spec)}")
    if rank == 0 or not _counts_samples(spec.shape[0], shape[0], model):
        return Cut()
    rows = model.batch(spec)
    if shape[0] % rows:
        raise Wrong(place=place, text=f"a multiple of {rows} rows, the batch of the model, is needed, not {shape[0]}")
    return Cut(count=shape[0] // rows, rows=rows)


def _counts_samples(dim: int | str | None, rows: int, model: Model) -> bool:
    """Return whether the first axis of an array may be cut: it is a batch, and longer than what is fed at once."""
    if isinstance(dim, int) and dim >= 0:
        return dim > 0 and rows > dim
    name = (dim or "?").lower() if isinstance(dim, str) or dim is None else "?"
    return any(name == one or name.startswith((f"{one}_", "batch", "unk")) for one in _BATCHES)


def _taken(column: Column, cut: Cut, place: int) -> Array:
    if cut.stacked:
        return np.asarray(np.asarray(column[place : place + 1])[0])
    if cut.count is None:
        whole = np.asarray(column[:]) if column.shape else np.asarray(column)
        return whole[None] if cut.wanting else whole
    return np.asarray(column[place * cut.rows : (place + 1) * cut.rows])
