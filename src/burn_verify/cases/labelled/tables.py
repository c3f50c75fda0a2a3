"""An ``.npz`` of samples and labels becomes a data set; rows are read when they are fed."""

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cases.labelled.entry import Arrays, DataSet, Entry, Label, Labels, broken, kept
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import Column
from burn_verify.cases.samples.sample import Array, Model
from burn_verify.cases.samples.tables import archived
from burn_verify.core.text import one_line

LABELS: Final = ("labels", "label", "targets", "target", "values", "y")
_BROKEN: Final = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def labelled_table(path: Path, name: str, labels: Labels, model: Model) -> DataSet:
    """Return the data set of a ``.npz`` file: an array of labels, and arrays by the names of inputs.

    An array of another name is for the only input.

    Raises:
        Wrong: it cannot be read, has no labels, or an array fits no input.
    """
    try:
        opened = {key: make() for key, make in archived(path).items()}
    except _BROKEN as error:
        raise Wrong(place=path.name, text=one_line(f"it cannot be read: {error}")) from error
    inputs = {spec.name for spec in model.inputs}
    key = next((one for one in LABELS if one in opened and one not in inputs), None)
    if key is None:
        raise Wrong(place=path.name, text=f"it has no labels: an array named {' or '.join(LABELS[:2])} is needed")
    fed = _inputs({one: array for one, array in opened.items() if one != key}, path.name, model)
    given = np.asarray(opened[key][:]) if opened[key].shape else np.asarray(opened[key])[None]
    _check_counts(path.name, key, given, fed)
    return kept(name, labels, [_entry(path.name, place, row, labels, fed) for place, row in enumerate(given)])


def _inputs(arrays: Mapping[str, Column], label: str, model: Model) -> Mapping[str, Column]:
    inputs = [spec.name for spec in model.inputs]
    if unknown := [one for one in arrays if one not in inputs]:
        if len(arrays) == 1 and len(inputs) == 1:
            return {inputs[0]: arrays[unknown[0]]}
        text = f"{unknown[0]!r} is none of the inputs {', '.join(inputs)}"
        raise Wrong(place=label, text=text)
    if not arrays:
        raise Wrong(place=label, text=f"it holds none of the inputs {', '.join(inputs)}")
    return arrays


def _check_counts(label: str, key: str, given: Array, fed: Mapping[str, Column]) -> None:
    if not len(given):
        raise Wrong(place=label, text="it holds no sample")
    for one, column in fed.items():
        count = column.shape[0] if column.shape else 0
        if count != len(given):
            raise Wrong(place=label, text=f"{key!r} has {len(given)} rows, and {one!r} has {count}")


def _entry(label: str, place: int, row: Any, labels: Labels, fed: Mapping[str, Column]) -> Entry | str:
    name = f"{label}[{place}]"
    try:
        found = _READERS[labels](np.asarray(row))
    except (ValueError, KeyError) as error:
        return broken(name, str(error))

    def read() -> Mapping[str, Array]:
        return {one: np.asarray(column[place : place + 1]) for one, column in fed.items()}

    return Entry(name=name, number=place, label=found, items=(Arrays(read=read),))


def _class(row: Array) -> Label:
    if row.size != 1 or row.dtype.kind not in "iufb" or not np.isfinite(row).all() or row != np.rint(row) or row < 0:
        msg = f"label: a whole number from 0 is needed, not {row.tolist()!r}"
        raise ValueError(msg)
    return int(row.reshape(()))


def _values(row: Array) -> Label:
    if row.dtype.kind not in "iufb" or not np.isfinite(row).all():
        msg = f"values: finite numbers are needed, not {row.tolist()!r}"
        raise ValueError(msg)
    return tuple(float(one) for one in row.reshape(-1))


_READERS: Final[Mapping[Labels, Callable[[Array], Label]]] = {Labels.CLASS: _class, Labels.VALUES: _values}
