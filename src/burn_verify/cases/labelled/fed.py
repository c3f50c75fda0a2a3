"""Items of labelled samples become the inputs of a model, as many at once as the model takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from burn_verify.cases.labelled.entry import Arrays, Entry, Item, Picture
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import fitted
from burn_verify.cases.samples.first import Found, fed
from burn_verify.cases.samples.images import Placement, Recipe, placed_tensor, recipe_of
from burn_verify.cases.samples.sample import Array, Model, Sample
from burn_verify.cases.samples.texts import Tokens
from burn_verify.core.case import ModelFacts
from burn_verify.graph.dtypes import numpy_dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a model is fed once.

    Attributes:
        inputs: in the order of the graph.
        named: the same by name.
        places: of images in the tensor, one for each item; None for other items.
        rows: number of items; the model may get more rows, which repeat the last one.
    """

    inputs: list[Array]
    named: Mapping[str, Array]
    places: tuple[Placement | None, ...]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An item as arrays, without the others of its batch.

    Attributes:
        text: of a text, which becomes arrays with the others.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)
    place: Placement | None = None
    text: str = ""


class Feeder:
    """Makes inputs of labelled samples.

    Arguments:
        model: what readers know of the model; its hints say how images and texts become tensors.
        facts, digest: of the model; inputs that the data do not hold are drawn from the digest.
        found: as for `burn_verify.cases.samples.first.fed`.

    Raises:
        Wrong: the model does not take such samples.
    """

    def __init__(self, first: Entry, model: Model, facts: ModelFacts, digest: str, found: Found | None = None) -> None:
        self._model, self._facts, self._digest, self._found = model, facts, digest, found
        item = first.items[0]
        self._recipe: Recipe | None = recipe_of(first.name, model) if isinstance(item, Picture) else None
        self._tokens: Tokens | None = Tokens(first.name, model) if isinstance(item, str) else None
        if self._recipe is not None:
            self.batch, self.how = model.batch(self._recipe.spec), self._recipe.text
        elif self._tokens is not None:
            self.batch, self.how = self._tokens.batch, self._tokens.how
        else:
            named = {spec.name: spec for spec in model.inputs}
            known = [named[name] for name in item.read() if name in named] if isinstance(item, Arrays) else []
            self.batch, self.how = max((model.batch(spec) for spec in known), default=1), ""

    def rows(self, entry: Entry) -> list[Row]:
        """Return the items of a sample as arrays.

        Raises:
            Wrong: one cannot be read, or does not fit the model.
        """
        return [self._row(entry, item) for item in entry.items]

    def batch_of(self, name: str, rows: Sequence[Row]) -> Batch:
        """Return the inputs of some rows, at most `batch` of them.

        Raises:
            Wrong: they do not fit the model.
        """
        padded = [*rows, *[rows[-1]] * (self.batch - len(rows))]
        if self._tokens is not None:
            named = self._tokens.inputs(name, [row.text for row in padded])
        else:
            keys = rows[0].arrays
            named = {key: np.concatenate([row.arrays[key] for row in padded]) for key in keys}
            specs = {spec.name: spec for spec in self._model.inputs}
            named = {key: fitted(name, array, specs[key]) for key, array in named.items()}
        whole = fed(Sample(name=name, inputs=named), self._model.hints, self._facts, self._digest, self._found)
        order = {spec.name: array for spec, array in zip(self._facts.inputs, whole.inputs, strict=True)}
        return Batch(inputs=whole.inputs, named=order, places=tuple(row.place for row in rows), rows=len(rows))

    def _row(self, entry: Entry, item: Item) -> Row:
        if isinstance(item, str) and self._tokens is not None:
            return Row(text=item)
        if isinstance(item, Arrays) and self._tokens is None and self._recipe is None:
            return Row(arrays=self._checked(entry.name, item.read()))
        if not isinstance(item, Picture) or self._recipe is None:
            raise Wrong(place=entry.name, text="the first sample is of another kind: images, texts or arrays")
        tensor, place = placed_tensor(item.path, entry.name, self._recipe)
        if item.size is not None and item.size != place.image:
            said = f"the label says {item.size[0]}x{item.size[1]}, the image is {place.image[0]}x{place.image[1]}"
            raise Wrong(place=entry.name, text=said)
        return Row(arrays={self._recipe.spec.name: tensor[None]}, place=place)

    def _checked(self, name: str, arrays: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return arrays of finite numbers, of the dtype and the rank of their inputs."""
        specs = {spec.name: spec for spec in self._model.inputs}
        for key, array in arrays.items():
            if array.dtype.kind == "c" and not specs[key].dtype.startswith("complex"):
                raise Wrong(place=name, text=f"{key!r} holds complex numbers, and {specs[key].dtype} is fed")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise Wrong(place=name, text=f"{key!r} holds numbers that are not finite")
            if len(specs[key].shape) != array.ndim:
                raise Wrong(place=name, text=f"{key!r} is of {array.ndim - 1} dimensions for a sample")
        return {key: array.astype(numpy_dtype(specs[key].dtype), copy=False) for key, array in arrays.items()}


def batches(items: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """Yield rows in groups of a size; the last one may be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
