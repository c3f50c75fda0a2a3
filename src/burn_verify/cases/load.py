"""From a case to its model file, and the facts about the model.

Runs and converts nothing; `system.download` downloads, `cases.seeded` builds stand-ins.
"""

import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

import onnx
from google.protobuf.message import DecodeError

from burn_verify.cases import formats, zoo
from burn_verify.cases.conformance.suites import COLLECTED
from burn_verify.cases.datasets import beside
from burn_verify.cases.external import ExternalFile, external_files, gathered, is_there
from burn_verify.cases.files import CORPUS
from burn_verify.cases.own.described import mistake
from burn_verify.cases.own.hints import hints_for
from burn_verify.cases.packed import LIMIT, is_packed, unpacked, without_suffix
from burn_verify.cases.recognise import by_beginning, by_content
from burn_verify.cases.samples.first import first
from burn_verify.cases.seeded import architectures
from burn_verify.cases.unfolded import MOST_NODES, unfolded
from burn_verify.core.case import Case, Collected, Download, Hints, ModelFacts, ModelFile, Seeded, Unavailable, facts_of
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import (
    FailureKind,
    FedData,
    GivenData,
    PreparedCase,
    StoredArrays,
    StoredData,
    VariedData,
)
from burn_verify.graph import facts
from burn_verify.graph.advice import advice, without_tensor
from burn_verify.graph.infer.rules import infer
from burn_verify.reference.feeding import drawn_sets
from burn_verify.reference.varied import NAMES
from burn_verify.system.cache import Cache
from burn_verify.system.download import fetch
from burn_verify.system.files import sha256_of
from burn_verify.system.kept import is_kept, keep, seal, sealed
from burn_verify.system.made_by import MadeBy

_SAMPLE: Final = "--sample (--burn-sample)"

SEEDED_BY: Final = MadeBy(rooms=("core", "cases/seeded"), libraries=("onnx", "numpy", "ml_dtypes"))
"""What decides how an architecture is built and its weights are drawn."""


def prepare(case: Case, cache: Cache) -> PreparedCase:
    """Locate, download or build, and read the model of a case.

    Raises:
        LoadError: the file is not available, is not ONNX, has another sha256, or has data outside its folder.
        ToolchainError: the cache cannot be written.
    """
    source = case.source
    if isinstance(source, Collected):
        return _collected(case, source)
    named = _materialise(source, cache)
    try:
        path = unpacked(named, cache) if is_packed(named) else named
        model = _read(path, named)
        return _described(case, path, model, named, cache)
    except (DecodeError, ValueError) as error:
        raise _not_onnx(path, named, error) from error
    except OSError as error:
        raise _unreadable(named, error) from error


def stored_location(cache: Cache, download: Download) -> Path:
    """Return the path in the cache of a finished download."""
    data = download.test_data_sha256
    folder = download.sha256[:16] + (f"-{data[:8]}" if data else "")
    return cache.root / "zoo" / folder / (download.name or Path(download.path).name)


def _collected(case: Case, source: Collected) -> PreparedCase:
    """Return the facts that the collector wrote; reads no file."""
    data = source.data
    names = source.data_sets if data is not None else ()
    return PreparedCase(
        case=case,
        model=source.model,
        digest=source.digest,
        stored=tuple(StoredArrays(name=name, path=data, place=place) for place, name in enumerate(names) if data),
        fed=(),
        varied=_varied(case, source),
        **facts_of(source),
    )


def _varied(case: Case, source: Collected) -> VariedData | None:
    """Return which other values than the stored ones a case of ONNX is asked."""
    if case.corpus not in COLLECTED or source.data is None or source.random or not source.data_sets:
        return None
    return VariedData(like=source.data_sets[0], names=NAMES)


def _described(case: Case, path: Path, model: onnx.ModelProto, named: Path, cache: Cache) -> PreparedCase:
    """Return the facts about a model.

    Arguments:
        named: the file that the case names; `path` is what was in it, where it is compressed.
    """
    external = external_files(model, named)
    digest = _digest(path, external)
    found = facts.facts(model)
    hints = hints_for(case, without_suffix(named), found)
    if hints.sample and not hints.data:
        raise mistake(
            Path(_SAMPLE), "", f"there are no data of which {hints.sample!r} could be one: say the --data of the run"
        )
    stored: tuple[StoredData, ...] = beside(without_suffix(named))
    if hints.data:
        sampled = first(hints, found, digest, cache, lambda: infer(model))
        drawn = drawn_sets(infer(model), hints, draws=hints.draws, vary=False) if hints.draws else ()
        fed, stored, count = (*drawn, *sampled.fed), sampled.stored, sampled.count
    else:
        fed, count = _fed(case, hints, model, stored), 0
    return PreparedCase(
        case=replace(case, hints=hints),
        model=gathered(path, external, digest, cache),
        digest=digest,
        stored=stored,
        fed=fed,
        samples=count,
        advice=advice(model),
        unsupported=without_tensor(model),
        **facts_of(found, ModelFacts),
    )


def _fed(case: Case, hints: Hints, model: onnx.ModelProto, stored: tuple[StoredData, ...]) -> tuple[FedData, ...]:
    """Return what is fed where the user named no data: nothing, where data lie beside the user's own model.

    Else every unknown dimension is drawn at several sizes, and values in the ranges that the graph tells.
    """
    given = case.source.inputs if isinstance(case.source, ModelFile) else None
    if given is not None:
        return (GivenData(path=given),)
    if stored and case.corpus == CORPUS and not hints.draws:
        return ()
    # The catalogue gives one size that works; a user's description or option means what it says. Several further draws
    # are for models of the user's own: those of the zoo and of ONNX's suites are large, their weights are what varies.
    found, vary = infer(model), case.corpus == zoo.CORPUS
    if hints.draws is not None or case.corpus == CORPUS:
        return drawn_sets(found, hints, draws=hints.draws, vary=vary)
    sets = drawn_sets(found, hints, draws=0, vary=vary)
    if stored or len(sets) > 1:
        return sets
    # A program that answers the same whatever it is given would pass on one set.
    return drawn_sets(found, hints, draws=1, vary=vary)


def _materialise(source: ModelFile | Download | Seeded | Unavailable, cache: Cache) -> Path:
    match source:
        case ModelFile(path=path, sha256=sha256):
            return _local(path, sha256)
        case Download() as download:
            return _downloaded(cache, download)
        case Seeded(architecture=architecture, seed=seed):
            return _seeded(cache, architecture, seed)
        case Unavailable(reason=reason):
            raise LoadError(reason, "not available here", kind=FailureKind.MACHINE)


def _local(path: Path, sha256: str | None) -> Path:
    try:
        if path.is_dir() and (kind := formats.of_folder(path)):
            raise _foreign(path, kind)
        if not is_there(path):
            what = f"a link to {path.readlink()}, which is not there" if path.is_symlink() else "no such file"
            message = f"{path}: {what}"
            raise LoadError(message, "no such file", kind=FailureKind.MACHINE)
        found = sha256_of(path) if sha256 is not None else None
    except OSError as error:
        raise _unreadable(path, error) from error
    if found != sha256:
        message = f"{path} is not the file it should be: sha256 {sha256} expected, {found} found"
        raise LoadError(message, "wrong sha256", kind=FailureKind.MACHINE)
    return path


def _downloaded(cache: Cache, download: Download) -> Path:
    model = stored_location(cache, download)
    with cache.lock(f"zoo-{download.sha256[:16]}"):
        # The stored data first: the next run takes a model in the cache as complete.
        _fetch_stored(download, model)
        note = model.with_name(f"{model.name}.json")
        if sealed(note) is None:
            if model.is_file() and sha256_of(model) != download.sha256:
                model.unlink()
            fetch((download.base or zoo.load().base_url) + download.path, download.sha256, model)
            seal(note, [model])
        return model


def _seeded(cache: Cache, architecture: str, seed: int) -> Path:
    path = cache.generation("seeded", SEEDED_BY.digest[:12]) / f"{architecture}-{seed}.onnx"
    with cache.lock(f"seeded-{architecture}"):
        if not is_kept(path):
            keep(path, architectures.build(architecture, seed).SerializeToString())
    return path


def _fetch_stored(download: Download, model: Path) -> None:
    """Unpack the stored data into the folder where `prepare` looks for them, without the folders of the archive."""
    folder = model.parent / model.stem
    note = model.parent / "test-data.json"
    if download.test_data is None or download.test_data_sha256 is None or (folder.is_dir() and sealed(note)):
        return
    url = (download.base or zoo.load().base_url) + download.test_data
    archive = model.parent / Path(download.test_data).name
    if archive.is_file() and sha256_of(archive) != download.test_data_sha256:
        archive.unlink()
    fetch(url, download.test_data_sha256, archive)
    scratch = model.parent / "unpacked"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        found = sorted(scratch.rglob("test_data_set_*"))
        shutil.rmtree(folder, ignore_errors=True)
        (found[0].parent if found else scratch).rename(folder)
        seal(note, [path for path in sorted(folder.rglob("*")) if path.is_file()])
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        message = f"{archive}: the stored test data cannot be unpacked: {error}"
        raise LoadError(message, "broken test data") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read(path: Path, named: Path) -> onnx.ModelProto:
    """Return the model in a file, without external data; errors name the file that the user named.

    Raises:
        LoadError: the file is of another kind, too large, or not complete.
        DecodeError, ValueError: it is damaged.
        OSError: it cannot be read.
    """
    # Before the file is parsed, since protobuf takes in gigabytes before it fails.
    if (kind := by_beginning(path)) is not None:
        raise _foreign(named, kind)
    if path.stat().st_size >= LIMIT:
        kind = by_content(path)
        raise _too_large(named) if kind is None else _foreign(named, kind)
    model = onnx.load(path, format="protobuf", load_external_data=False)
    if not model.graph.output or not model.opset_import:
        # Protobuf accepts an empty file, and one that ends between two fields.
        raise _not_onnx(path, named, None)
    if model.functions and (size := unfolded(model)) > MOST_NODES:
        # The number may have hundreds of digits.
        many = f"{size:,}" if size < 10**12 else "more than a trillion"
        message = f"{named}: its functions unfold to {many} nodes, and no more than {MOST_NODES:,} are read"
        raise LoadError(message, "too many nodes")
    return model


def _not_onnx(path: Path, named: Path, error: Exception | None) -> LoadError:
    """Return the error of a file that cannot be parsed, or is no complete model; it says what the file is instead."""
    if (kind := by_content(path)) is not None:
        return _foreign(named, kind)
    nothing = "the file is empty" if not path.stat().st_size else "it has no outputs or imports no operator set"
    said = f"not a complete ONNX model: {nothing}" if error is None else f"not an ONNX file, or a damaged one ({error})"
    return LoadError(f"{named}: {said}", "not an ONNX file")


def _foreign(path: Path, kind: formats.Foreign) -> LoadError:
    return LoadError(kind.refusal(path), f"not an ONNX file: {kind.name}")


def _too_large(path: Path) -> LoadError:
    message = (
        f"{path}: protobuf reads no file of 2 GiB or more: keep the weights beside the model, as "
        "onnx.save(model, path, save_as_external_data=True) does"
    )
    return LoadError(message, "larger than 2 GiB")


def _unreadable(path: Path, error: OSError) -> LoadError:
    message = f"{path}: cannot be read: {error.strerror or error}"
    return LoadError(message, "cannot be read", kind=FailureKind.MACHINE)


def _digest(path: Path, external: Iterable[ExternalFile]) -> str:
    names = {file.path: PurePosixPath(file.location).name for file in sorted(external, key=lambda file: file.location)}
    if not names:
        return sha256_of(path)
    total = hashlib.sha256(sha256_of(path).encode())
    for file, name in names.items():
        total.update(name.encode() + sha256_of(file).encode())
    return total.hexdigest()
