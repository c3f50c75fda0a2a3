"""The first sample of a model's data, kept as a data set of its own: it gets all evidence that there is.

The other samples are read when they are run, see `burn_verify.run.samples`.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx

from burn_verify.cases.own.described import mistake
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.opened import Samples, opened
from burn_verify.cases.samples.sample import Array, Model, Sample
from burn_verify.core.case import Hints, InputHint, ModelFacts, TensorSpec
from burn_verify.core.stage import FedData, GivenData, StoredArrays, StoredData
from burn_verify.graph.infer.rules import Inference, infer
from burn_verify.reference.feeding import drawn_sets
from burn_verify.reference.inputs import make_inputs
from burn_verify.system.cache import Cache
from burn_verify.system.kept import is_kept, keep
from burn_verify.system.wire import encode_named, placed

FOLDER = "samples"

Found: TypeAlias = Callable[[], Inference]
"""Returns what the graph of a model tells about its inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The data sets of a case with data of the user's own.

    Attributes:
        fed, stored: one of them holds the first sample.
        count: of all samples that are to be run.
    """

    fed: tuple[FedData, ...] = ()
    stored: tuple[StoredData, ...] = ()
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """A sample in the order of the graph.

    Attributes:
        outputs: the expected ones; None where an engine has to answer.
        drawn: names of the inputs that the data do not hold.
    """

    name: str
    inputs: list[Array]
    outputs: list[Array] | None
    drawn: tuple[str, ...] = ()


@functools.lru_cache(maxsize=1)
def told(model: Path) -> Inference:
    """Return what the graph of a model tells, once for all samples, each of which may lack an input."""
    return infer(onnx.load(model, format="protobuf", load_external_data=False))


def model_of(hints: Hints, facts: ModelFacts) -> Model:
    """Return what sources have to know about a model."""
    return Model(inputs=facts.inputs, outputs=facts.outputs, hints=hints)


def chosen(hints: Hints, facts: ModelFacts) -> tuple[Samples, tuple[int, ...]]:
    """Return the samples of a model, and the places of those that are fed.

    Raises:
        Wrong: the data cannot be read, or there is no sample of the name that the hints say.
    """
    samples = opened(hints.data, model_of(hints, facts))
    places = (samples.place_of(hints.sample),) if hints.sample else tuple(range(len(samples)))
    return samples, places


def first(hints: Hints, facts: ModelFacts, digest: str, cache: Cache, found: Found | None = None) -> First:
    """Write the first sample, and return it as a data set; `found` as for `fed`.

    Raises:
        LoadError: the data cannot be read, or do not fit the model: one line.
    """
    try:
        samples, places = chosen(hints, facts)
        if not places:
            raise Wrong(place=hints.data[0].name, text="it holds no sample")
        one = fed(replace(samples.read(places[0]), name=samples.names[places[0]]), hints, facts, digest, found)
    except Wrong as error:
        raise mistake(Path(error.place), "", error.text) from error
    arrays = {**placed(0, "in", one.inputs), **placed(0, "out", one.outputs or [])}
    path = _written(arrays, cache)
    if one.outputs is None:
        return First(fed=(GivenData(path=path, name=one.name),), count=len(places))
    return First(stored=(StoredArrays(name=one.name, path=path, place=0),), count=len(places))


def fed(sample: Sample, hints: Hints, facts: ModelFacts, digest: str, found: Found | None = None) -> Fed:
    """Return a sample in the order of the graph; inputs that it does not have are drawn as the hints say.

    Arguments:
        found: returns what the graph tells about the inputs, for those that the hints do not describe.
    """
    missing = tuple(spec.name for spec in facts.inputs if spec.name not in sample.inputs)
    if missing and found is not None:
        hints = _told(sample, hints, facts.inputs, found())
    arrays = {**(_drawn(sample, hints, facts.inputs, digest) if missing else {}), **sample.inputs}
    outputs = [sample.outputs[spec.name] for spec in facts.outputs] if sample.outputs else None
    return Fed(name=sample.name, inputs=[arrays[spec.name] for spec in facts.inputs], outputs=outputs, drawn=missing)


def _told(sample: Sample, hints: Hints, specs: tuple[TensorSpec, ...], found: Inference) -> Hints:
    """Return hints of the ranges that the graph tells at the sizes of a sample."""
    sizes = {
        dim: size
        for spec in specs
        if spec.name in sample.inputs
        for dim, size in zip(spec.shape, sample.inputs[spec.name].shape, strict=False)
        if isinstance(dim, str) and dim
    }
    left = tuple(pair for pair in hints.sizes if pair[0] not in sizes)
    ties = tuple(pair for pair in hints.relations if pair[0] not in sizes)
    known = replace(hints, dims=tuple({**dict(hints.dims), **sizes}.items()), sizes=left, relations=ties)
    drawn = drawn_sets(found, known, vary=False, draws=0)[0].hints
    return hints if drawn is None else drawn


def _drawn(sample: Sample, hints: Hints, specs: tuple[TensorSpec, ...], digest: str) -> Mapping[str, Array]:
    given = tuple(InputHint(name=name, shape=array.shape, value=0) for name, array in sample.inputs.items())
    others = tuple(hint for hint in hints.inputs if hint.name not in sample.inputs)
    # The shapes of the sample bind the dimensions, so that what is drawn fits it.
    names = {dim for spec in specs if spec.name in sample.inputs for dim in spec.shape if isinstance(dim, str)}
    dims = tuple(pair for pair in hints.dims if pair[0] not in names)
    plain = {spec.name: replace(spec, dtype="int8") for spec in specs if spec.name in sample.inputs}
    asked = [plain.get(spec.name, spec) for spec in specs]
    return make_inputs(digest, asked, replace(hints, dims=dims, inputs=(*others, *given)))


def _written(arrays: Mapping[str, Array], cache: Cache) -> Path:
    total = hashlib.sha256()
    for name, array in arrays.items():
        total.update(f"{name}{array.dtype}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes() if array.dtype != object else repr(array.tolist()).encode())
    path = cache.folder(FOLDER) / f"{total.hexdigest()[:32]}.safetensors"
    if not is_kept(path):
        keep(path, encode_named(arrays))
    return path
