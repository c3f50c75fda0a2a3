"""The user's paths become one sequence of samples; which kind of data a path holds follows from names alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from burn_verify.cases.datasets import data_sets
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import fitted, named, sample_of
from burn_verify.cases.samples.images import SUFFIXES as IMAGES
from burn_verify.cases.samples.images import images
from burn_verify.cases.samples.lines import lines
from burn_verify.cases.samples.sample import Model, Sample, Source, shown
from burn_verify.cases.samples.tables import table
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import StoredFiles
from burn_verify.core.text import counted
from burn_verify.reference.oracle import read_tensor

_TABLES: Final = (".npz", ".npy", ".safetensors")
_LINES: Final = (".jsonl", ".txt")
KINDS: Final = ".npz, .npy, .safetensors, .jsonl, .txt, images, or a folder of images or .pb files"


class Samples:
    """All samples of a model, in the order of the paths; each is read when it is asked for.

    Attributes:
        names: of the samples, each once.
        how: how raw data becomes tensors, a line for each kind.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._places = [(source, place) for source in sources for place in range(len(source.names))]
        self.names = _unique([source.names[place] for source, place in self._places])
        self.how = tuple(dict.fromkeys(source.how for source in sources if source.how))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)

    def read(self, place: int) -> Sample:
        """Return a sample.

        Raises:
            Wrong: it cannot be read, or does not fit the model.
        """
        source, inner = self._places[place]
        return source.read(inner)

    def place_of(self, name: str) -> int:
        """Return the place of a sample.

        Raises:
            Wrong: there is none of this name.
        """
        if name not in self.names:
            text = f"the data hold no sample {name!r}: they are {self.names[0]} to {self.names[-1]}"
            raise Wrong(place="--sample (--burn-sample)", text=text)
        return self.names.index(name)


def opened(paths: Sequence[Path], model: Model) -> Samples:
    """Return the samples of files and folders, in their order.

    Raises:
        Wrong: a path holds nothing that can be fed, or what it holds does not fit the model.
    """
    return Samples([source for path in paths for source in _sources(path, model)])


def _sources(path: Path, model: Model) -> list[Source]:
    if not path.exists():
        raise Wrong(place=path.name, text="no such file or folder")
    if path.is_dir():
        return _of_folder(path, model)
    found = _of_file(path, path, model)
    if found is None:
        raise Wrong(place=path.name, text=f"nothing that can be fed: {KINDS} are known")
    return [found]


def _of_file(path: Path, folder: Path, model: Model) -> Source | None:
    suffix = path.suffix.lower()
    label = shown(path, folder)
    if suffix in _TABLES:
        return table(path, label, model)
    if suffix in _LINES:
        return lines(path, label, model)
    return images([path], [label], model) if suffix in IMAGES else None


def _of_folder(folder: Path, model: Model) -> list[Source]:
    if sets := data_sets(folder):
        return [_protobuf(folder, sets, model)]
    if any(folder.glob("input_*.pb")):
        return [_protobuf(folder.parent, data_sets(folder.parent, folder.name), model)]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if pictures := [path for path in files if path.suffix.lower() in IMAGES]:
        return [images(pictures, [shown(path, folder) for path in pictures], model)]
    found = [source for path in files if (source := _of_file(path, folder, model)) is not None]
    if not found:
        text = f"a folder of {counted(len(files), 'file')}, none of which can be fed: {KINDS} are known"
        raise Wrong(place=folder.name, text=text)
    return found


def _protobuf(folder: Path, sets: Sequence[StoredFiles], model: Model) -> Source:
    names = [f"{folder.name}/{one.name}" for one in sets]

    def read(place: int) -> Sample:
        stored = sets[place]
        files = {path.stem: path for path in (*stored.inputs, *stored.outputs)}
        known = named(names[place], list(files), model)
        try:
            read_in = {key: read_tensor(path) for key, path in files.items()}
        except OracleError as error:
            raise Wrong(place=names[place], text=error.message.rpartition("/")[2]) from error
        arrays = {known[key][0]: fitted(f"{names[place]}: {key}", one, known[key][1]) for key, one in read_in.items()}
        return sample_of(names[place], arrays, model)

    return Source(names=names, read=read)


def _unique(names: Sequence[str]) -> list[str]:
    """Number the names that two paths share."""
    counts: dict[str, int] = {}
    found = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        found.append(name if counts[name] == 1 else f"{name}#{counts[name]}")
    return found
