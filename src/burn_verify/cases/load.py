"""From a case to its model file, and the facts about the model.

Runs and converts nothing; `system.download` downloads, `cases.seeded` builds stand-ins.
"""

import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from burn_verify.cases import zoo
from burn_verify.cases.seeded import architectures
from burn_verify.core.case import Case, Collected, Download, ModelFacts, ModelFile, Seeded, Unavailable, facts_of
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import (
    DrawnData,
    FailureKind,
    GivenData,
    PreparedCase,
    StoredArrays,
    StoredData,
    StoredFiles,
)
from burn_verify.graph import facts
from burn_verify.graph.advice import advice
from burn_verify.system.cache import Cache
from burn_verify.system.download import fetch
from burn_verify.system.files import sha256_of
from burn_verify.system.kept import is_kept, keep, seal, sealed
from burn_verify.system.made_by import MadeBy

SEEDED_BY: Final = MadeBy(rooms=("core", "cases/seeded"), libraries=("onnx", "numpy", "ml_dtypes"))
"""What decides how an architecture is built and its weights are drawn."""


def prepare(case: Case, cache: Cache) -> PreparedCase:
    """Locate, download or build, and read the model of a case.

    Raises:
        LoadError: the file is not available, is not ONNX, has another sha256, or has data outside its folder.
    """
    source = case.source
    if isinstance(source, Collected):
        return _collected(case, source)
    path = _materialise(source, cache)
    model = _read(path)
    try:
        return _described(case, path, model)
    except ValueError as error:
        raise _not_onnx(path, error) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def stored_location(cache: Cache, download: Download) -> Path:
    """Return the path in the cache of a finished download."""
    data = download.test_data_sha256
    folder = download.sha256[:16] + (f"-{data[:8]}" if data else "")
    return cache.root / "zoo" / folder / Path(download.path).name


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
        **facts_of(source),
    )


def _described(case: Case, path: Path, model: onnx.ModelProto) -> PreparedCase:
    external = tuple(_external_files(model, path))
    given = case.source.inputs if isinstance(case.source, ModelFile) else None
    return PreparedCase(
        case=case,
        model=path,
        digest=_digest(path, external),
        stored=_stored_beside(path),
        fed=(DrawnData() if given is None else GivenData(path=given),),
        advice=advice(model),
        **facts_of(facts.facts(model), ModelFacts),
    )


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
        if not path.is_file():
            message = f"{path}: no such file"
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
            fetch(zoo.load().base_url + download.path, download.sha256, model)
            seal(note, [model])
        return model


def _seeded(cache: Cache, architecture: str, seed: int) -> Path:
    path = cache.generation("seeded", SEEDED_BY.digest[:12]) / f"{architecture}-{seed}.onnx"
    with cache.lock(f"seeded-{architecture}"):
        if not is_kept(path):
            keep(path, architectures.build(architecture, seed).SerializeToString())
    return path


def _fetch_stored(download: Download, model: Path) -> None:
    """Unpack the stored data into the folder that `_stored_beside` reads, without the folders of the archive."""
    folder = model.parent / model.stem
    note = model.parent / "test-data.json"
    if download.test_data is None or download.test_data_sha256 is None or (folder.is_dir() and sealed(note)):
        return
    url = zoo.load().base_url + download.test_data
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


def _stored_beside(path: Path) -> tuple[StoredData, ...]:
    """Return the data sets of a model, stored in a folder of its name."""
    return data_sets(path.parent / path.stem)


def data_sets(folder: Path) -> tuple[StoredFiles, ...]:
    """Return data sets in the layout of onnx and its zoo: ``test_data_set_N/{input,output}_M.pb``."""
    return tuple(
        StoredFiles(name=inner.name, inputs=_numbered(inner, "input"), outputs=_numbered(inner, "output"))
        for inner in sorted(folder.glob("test_data_set_*"))
        if inner.is_dir()
    )


def _numbered(folder: Path, kind: str) -> tuple[Path, ...]:
    numbered = {path: path.stem.removeprefix(f"{kind}_") for path in folder.glob(f"{kind}_*.pb")}
    return tuple(
        sorted((path for path in numbered if numbered[path].isdecimal()), key=lambda path: int(numbered[path]))
    )


def _read(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise _not_onnx(path, error) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not model.graph.output or not model.opset_import:
        # Protobuf accepts an empty file, and one that ends between two fields.
        message = f"{path}: not a complete ONNX model: it has no outputs or imports no operator set"
        raise LoadError(message, "not an ONNX file")
    return model


def _not_onnx(path: Path, error: Exception) -> LoadError:
    return LoadError(f"{path}: not an ONNX file, or a damaged one ({error})", "not an ONNX file")


def _unreadable(path: Path, error: OSError) -> LoadError:
    message = f"{path}: cannot be read: {error.strerror or error}"
    return LoadError(message, "cannot be read", kind=FailureKind.MACHINE)


def _external_files(model: onnx.ModelProto, path: Path) -> Iterator[Path]:
    folder = path.parent.resolve()
    for tensor in facts.tensors(model):
        if uses_external_data(tensor):
            location = facts.text(ExternalDataInfo(tensor).location)
            target = _resolved(folder / location)
            if not target.is_relative_to(folder):
                message = f"{path}: tensor {tensor.name!r} keeps its data outside the model's folder: {location!r}"
                raise LoadError(message, "external data outside the model's folder")
            if not target.is_file():
                message = f"{path}: tensor {tensor.name!r} keeps its data in {location!r}, which is not there"
                raise LoadError(message, "external data missing")
            yield target


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:
        # Python 3.11 and 3.12 raise it for a loop of symbolic links; later versions leave it to `is_file`.
        return path


def _digest(path: Path, external: tuple[Path, ...]) -> str:
    if not external:
        return sha256_of(path)
    total = hashlib.sha256(sha256_of(path).encode())
    for file in sorted(set(external)):
        total.update(file.name.encode() + sha256_of(file).encode())
    return total.hexdigest()
