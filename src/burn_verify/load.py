"""From a case to a model file that was read and understood.

Runs nothing and converts nothing; downloads through `cache`, weights of seeded models through `cases.seeded`.
"""

import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from burn_verify import __version__
from burn_verify.cache import Cache, digest_of, fetch, sha256_of
from burn_verify.cases import seeded, zoo
from burn_verify.errors import LoadError
from burn_verify.schema import dtype_of
from burn_verify.types import Case, Download, ModelFile, PreparedCase, Seeded, StoredData, TensorSpec, Unavailable


def prepare(case: Case, cache: Cache) -> PreparedCase:
    """Find, fetch and read the model of a case.

    Raises:
        LoadError: the file cannot be had, is not ONNX, is not what the catalogue says, or reaches out of its folder.
    """
    path = _materialise(case, cache)
    model = _read(path)
    try:
        return _described(case, path, model)
    except ValueError as error:
        raise _not_onnx(path, error) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def stored_location(cache: Cache, download: Download) -> Path:
    """Return where a download is kept once it is there."""
    return cache.root / "zoo" / download.sha256[:16] / Path(download.path).name


def _described(case: Case, path: Path, model: onnx.ModelProto) -> PreparedCase:
    external = tuple(_external_files(model, path))
    return PreparedCase(
        case=case,
        model=path,
        digest=_digest(path, external),
        op_types=tuple(sorted({_op_type(node) for node in _nodes(model)})),
        opset=next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0),
        inputs=tuple(_spec(value) for value in _runtime_inputs(model.graph)),
        outputs=tuple(_spec(value) for value in model.graph.output),
        stored=_stored_beside(path),
    )


def _materialise(case: Case, cache: Cache) -> Path:
    match case.source:
        case ModelFile(path=path, sha256=sha256):
            return _local(path, sha256)
        case Download() as download:
            return _downloaded(cache, download)
        case Seeded(architecture=architecture, seed=seed):
            return _seeded(cache, architecture, seed)
        case Unavailable(reason=reason):
            raise LoadError(reason, "not available here")


def _local(path: Path, sha256: str | None) -> Path:
    try:
        if not path.is_file():
            message = f"{path}: no such file"
            raise LoadError(message, "no such file")
        found = sha256_of(path) if sha256 is not None else None
    except OSError as error:
        raise _unreadable(path, error) from error
    if found != sha256:
        message = f"{path} is not the file it should be: sha256 {sha256} expected, {found} found"
        raise LoadError(message, "wrong sha256")
    return path


def _downloaded(cache: Cache, download: Download) -> Path:
    model = stored_location(cache, download)
    with cache.lock(f"zoo-{download.sha256[:16]}"):
        # The stored data first: a model that lies in the cache is taken as it is by the next run.
        _fetch_stored(download, model)
        return fetch(zoo.load().base_url + download.path, download.sha256, model)


def _seeded(cache: Cache, architecture: str, seed: int) -> Path:
    # The versions in the name: another release of onnx, NumPy or of ours may build the same architecture otherwise.
    made_by = digest_of(__version__, onnx.__version__, np.__version__)[:8]
    path = cache.room("seeded") / f"{architecture}-{seed}-{made_by}.onnx"
    with cache.lock(f"seeded-{architecture}"):
        if not path.is_file():
            scratch = path.with_suffix(".new")
            onnx.save(seeded.build(architecture, seed), scratch)
            scratch.replace(path)
    return path


def _fetch_stored(download: Download, model: Path) -> None:
    """Unpack the stored data to where `_stored_beside` looks, whatever folders the archive wraps around it."""
    folder = model.parent / model.stem
    if download.test_data is None or download.test_data_sha256 is None or folder.is_dir():
        return
    url = zoo.load().base_url + download.test_data
    archive = fetch(url, download.test_data_sha256, model.parent / Path(download.test_data).name)
    scratch = model.parent / "unpacked"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        found = sorted(scratch.rglob("test_data_set_*"))
        (found[0].parent if found else scratch).rename(folder)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        message = f"{archive}: the stored test data cannot be unpacked: {error}"
        raise LoadError(message, "broken test data") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _stored_beside(path: Path) -> tuple[StoredData, ...]:
    """Return data sets stored as the zoo stores them: ``<stem>/test_data_set_N/{input,output}_M.pb``."""
    return _data_sets((path.parent / path.stem).glob("test_data_set_*"))


def _data_sets(folders: Iterator[Path]) -> tuple[StoredData, ...]:
    return tuple(
        StoredData(name=folder.name, inputs=_numbered(folder, "input"), outputs=_numbered(folder, "output"))
        for folder in sorted(folders)
        if folder.is_dir()
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
        # Protobuf reads an empty or cut file without complaint when the cut falls between two fields.
        message = f"{path}: not a complete ONNX model: it has no outputs or imports no operator set"
        raise LoadError(message, "not an ONNX file")
    return model


def _not_onnx(path: Path, error: Exception) -> LoadError:
    return LoadError(f"{path}: not an ONNX file, or a damaged one ({error})", "not an ONNX file")


def _unreadable(path: Path, error: OSError) -> LoadError:
    return LoadError(f"{path}: cannot be read: {error.strerror or error}", "cannot be read")


def _external_files(model: onnx.ModelProto, path: Path) -> Iterator[Path]:
    folder = path.parent.resolve()
    for tensor in _tensors(model):
        if uses_external_data(tensor):
            location = _text(ExternalDataInfo(tensor).location)
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
        # What Python 3.11 and 3.12 say to a loop of symbolic links; later ones leave it to `is_file`.
        return path


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Yield the graph and all graphs inside attributes, those of local functions included."""
    yield model.graph
    yield from _inner_graphs(model.graph.node)
    for function in model.functions:
        yield from _inner_graphs(function.node)


def _inner_graphs(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield inner
                yield from _inner_graphs(inner.node)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for graph in _graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            yield from (*attribute.tensors, *([attribute.t] if attribute.HasField("t") else []))


def _digest(path: Path, external: tuple[Path, ...]) -> str:
    if not external:
        return sha256_of(path)
    total = hashlib.sha256(sha256_of(path).encode())
    for file in sorted(set(external)):
        total.update(file.name.encode() + sha256_of(file).encode())
    return total.hexdigest()


def _op_type(node: onnx.NodeProto) -> str:
    op_type, domain = _text(node.op_type), _text(node.domain)
    return op_type if domain in ("", "ai.onnx") else f"{domain}.{op_type}"


def _text(value: str) -> str:
    if not isinstance(value, str):
        # Protobuf hands out bytes where a damaged file holds no UTF-8.
        msg = f"{value!r} is not text"
        raise ValueError(msg)
    return value


def _runtime_inputs(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    # Up to IR version 3 every initializer is listed among the inputs.
    fixed = {tensor.name for tensor in graph.initializer} | {tensor.values.name for tensor in graph.sparse_initializer}
    return (value for value in graph.input if value.name not in fixed)


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        # Sequences, maps and optionals have no dtype: the name says what came instead.
        return TensorSpec(name=_text(value.name), dtype=(kind or "untyped").removesuffix("_type"), shape=())
    tensor = value.type.tensor_type
    dims = tuple(
        dim.dim_value if dim.WhichOneof("value") == "dim_value" else _text(dim.dim_param) or None
        for dim in tensor.shape.dim
    )
    return TensorSpec(name=_text(value.name), dtype=dtype_of(tensor.elem_type), shape=dims)
