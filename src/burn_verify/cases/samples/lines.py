"""Lines become samples: JSON lines of arrays, texts or images, and plain texts. One line is read at a time."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import fitted, named, sample_of
from burn_verify.cases.samples.images import recipe_of, tensor
from burn_verify.cases.samples.sample import Array, Model, Sample, Source, grouped
from burn_verify.cases.samples.texts import Tokens
from burn_verify.core.case import TensorSpec
from burn_verify.graph.dtypes import STRING, numpy_dtype

_TEXT, _IMAGE = "text", "image"


def lines(path: Path, label: str, model: Model) -> Source:
    """Return the samples of a ``.jsonl`` or ``.txt`` file.

    A line of JSON is a text, an object with ``text`` or ``image`` (a path beside the file), or an object of arrays by
    the names of inputs and outputs. The first line says which.

    Raises:
        Wrong: a line is none of them.
    """
    starts = _starts(path, label)
    names = [f"{label}:{number}" for number, _ in starts]
    plain = path.suffix.lower() == ".txt"

    def value(place: int) -> Any:
        return _line(path, names[place], starts[place][1], plain=plain)

    first = value(0)
    inputs = {spec.name for spec in model.inputs}
    if isinstance(first, str) or (isinstance(first, dict) and _TEXT in first and _TEXT not in inputs):
        return _texts(names, value, Tokens(label, model))
    if isinstance(first, dict) and isinstance(first.get(_IMAGE), str) and _IMAGE not in inputs:
        return _images(path.parent, names, value, model)
    return Source(names=names, read=lambda place: _arrays(names[place], value(place), model))


def _starts(path: Path, label: str) -> list[tuple[int, int]]:
    """Return number and offset (bytes) of every line that is not empty."""
    found, offset = [], 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    found.append((number, offset))
                offset += len(line)
    except OSError as error:
        raise Wrong(place=label, text=f"it cannot be read: {error.strerror or error}") from error
    if not found:
        raise Wrong(place=label, text="it holds no line")
    return found


def _line(path: Path, name: str, start: int, *, plain: bool) -> Any:
    try:
        with path.open("rb") as file:
            file.seek(start)
            text = file.readline().decode("utf-8").rstrip("\r\n")
        return text if plain else json.loads(text)
    except UnicodeDecodeError as error:
        raise Wrong(place=name, text="no text in UTF-8") from error
    except (OSError, ValueError, RecursionError) as error:
        raise Wrong(place=name, text=f"no JSON: {' '.join(str(error).split())}") from error


def _texts(names: Sequence[str], value: Callable[[int], Any], tokens: Tokens) -> Source:
    groups = grouped(names, tokens.batch)

    def text(place: int) -> str:
        found = value(place)
        found = found.get(_TEXT) if isinstance(found, dict) else found
        if not isinstance(found, str):
            raise Wrong(place=names[place], text='a text, or an object with "text", is needed as in the first line')
        return found

    def read(place: int) -> Sample:
        name, places = groups[place]
        return Sample(name=name, inputs=tokens.inputs(name, [text(one) for one in places]))

    return Source(names=[name for name, _ in groups], read=read, how=tokens.how)


def _images(folder: Path, names: Sequence[str], value: Callable[[int], Any], model: Model) -> Source:
    recipe = recipe_of(names[0], model)
    groups = grouped(names, model.batch(recipe.spec))

    def one(place: int) -> Array:
        found = value(place)
        file = found.get(_IMAGE) if isinstance(found, dict) else None
        if not isinstance(file, str):
            raise Wrong(place=names[place], text='an object with "image" is needed as in the first line')
        return tensor(folder / file, f"{names[place]}: {file}", recipe)

    def read(place: int) -> Sample:
        name, places = groups[place]
        batch = np.stack([one(it) for it in places])
        return Sample(name=name, inputs={recipe.spec.name: fitted(name, batch, recipe.spec)})

    return Source(names=[name for name, _ in groups], read=read, how=recipe.text)


def _arrays(name: str, value: Any, model: Model) -> Sample:
    if isinstance(value, list) and len(model.inputs) == 1:
        value = {model.inputs[0].name: value}
    if not isinstance(value, dict):
        text = 'an object of arrays by the names of inputs is needed, such as {"x": [[1, 2]]}'
        raise Wrong(place=name, text=text)
    found = named(name, list(value), model)
    arrays = {who: _array(f"{name}: {key}", value[key], spec) for key, (who, spec) in found.items()}
    return sample_of(name, arrays, model)


def _array(name: str, value: Any, spec: TensorSpec) -> Array:
    try:
        dtype = object if spec.dtype == STRING else numpy_dtype(spec.dtype)
        array = np.array(value) if spec.dtype != STRING else np.array(value, dtype=object)
        if array.dtype.kind not in "biuf" and spec.dtype != STRING:
            raise TypeError
        if array.dtype.kind == "f" and np.dtype(dtype).kind in "iu" and not np.equal(array, np.rint(array)).all():
            raise TypeError
        array = array.astype(dtype)
    except (TypeError, ValueError) as error:
        raise Wrong(place=name, text=f"an array of {spec.dtype} is needed") from error
    return fitted(name, array[None] if array.ndim == len(spec.shape) - 1 else array, spec)
