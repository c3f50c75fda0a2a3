"""Compressed models: unpacked once, by content, never beyond the limit, and damaged ones are told."""

import bz2
import gzip
from pathlib import Path

import pytest
import zstandard

from burn_verify.cases import packed
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind

MODEL = bytes(range(256)) * 3000
PACK = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor(write_checksum=True).compress}


@pytest.fixture(params=list(PACK))
def suffix(request):
    return request.param


@pytest.fixture
def path(tmp_path, suffix):
    path = tmp_path / f"modèle 1.onnx{suffix}"
    path.write_bytes(PACK[suffix](MODEL))
    return path


def refusal(path, cache, **limit):
    with pytest.raises(LoadError) as caught:
        packed.unpacked(path, cache, **limit)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def left(cache):
    """Return the names of the models in the cache, half-written ones included."""
    return [found.name for found in cache.folder(packed.FOLDER).glob("*/*") if found.suffix != ".json"]


@pytest.mark.parametrize(
    ("name", "is_packed", "rest"),
    [
        ("a/m.onnx", False, "a/m"),
        ("a/m.v1.onnx.gz", True, "a/m.v1"),
        ("m.onnx.ZST", True, "m"),
        ("m.gz", False, "m"),
        ("m", False, "m"),
        (".onnx.gz", True, ".onnx"),
        ("a/..onnx", False, "a/..onnx"),
        ("a/...onnx.gz", True, "a/...onnx"),
        ("..1", False, "..1"),
        ("m.", False, "m."),
    ],
)
def test_names(name, is_packed, rest):
    assert packed.is_packed(Path(name)) is is_packed
    assert packed.without_suffix(Path(name)) == Path(rest)


@pytest.mark.parametrize("name", ["m.onnx", "m.onnx.gz", "m.onnx.zst", "m.pb"])
def test_a_file_of_its_name_lies_beside_it(name):
    assert packed.beside(Path("a") / name, ".toml") == Path("a/m.toml")
    assert packed.beside(Path("a") / f"v1.{name}", ".toml") == Path("a/v1.m.toml")


def test_a_model_is_unpacked_once(path, cache):
    model = packed.unpacked(path, cache)

    assert model.name == "modèle 1.onnx"
    assert model.read_bytes() == MODEL
    before = model.stat().st_mtime_ns
    assert packed.unpacked(path, cache) == model
    assert model.stat().st_mtime_ns == before


def test_another_content_under_the_same_name(path, cache, suffix):
    packed.unpacked(path, cache)
    path.write_bytes(PACK[suffix](MODEL[::-1]))

    assert packed.unpacked(path, cache).read_bytes() == MODEL[::-1]


def test_one_content_under_two_names(path, cache, suffix):
    other = path.with_name(f"other.onnx{suffix}")
    other.write_bytes(path.read_bytes())

    assert packed.unpacked(path, cache).name == "modèle 1.onnx"
    assert packed.unpacked(other, cache).name == "other.onnx"
    assert packed.unpacked(path, cache).read_bytes() == MODEL


def test_a_damaged_copy_is_made_again(path, cache):
    packed.unpacked(path, cache).write_bytes(b"damaged")

    assert packed.unpacked(path, cache).read_bytes() == MODEL


def test_several_parts(path, cache, suffix):
    path.write_bytes(PACK[suffix](MODEL[:1000]) + PACK[suffix](MODEL[1000:]))

    assert packed.unpacked(path, cache).read_bytes() == MODEL


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_a_bomb_is_stopped(path, cache, suffix, size):
    path.write_bytes(PACK[suffix](bytes(1 << 24)))

    error = refusal(path, cache, limit=size)
    assert (error.reason, error.kind) == ("compressed model too large", FailureKind.REFUSED)
    assert left(cache) == []


def test_the_limit_itself_is_allowed(path, cache):
    assert packed.unpacked(path, cache, limit=len(MODEL)).read_bytes() == MODEL


def damaged(whole):
    yield b""
    yield b"not compressed"
    yield MODEL
    yield bz2.compress(MODEL)
    yield whole[:1]
    yield whole[: len(whole) // 2]
    yield whole[:-1]
    yield whole[:20] + bytes(8) + whole[28:]


@pytest.mark.parametrize("place", range(8))
def test_what_is_damaged_is_told(path, cache, place):
    contents = list(damaged(path.read_bytes()))
    path.write_bytes(contents[place])
    if not contents[place] and path.suffix == ".gz":
        # gzip takes an empty file for no content.
        assert packed.unpacked(path, cache).read_bytes() == b""
        return

    error = refusal(path, cache)
    assert (error.reason, error.kind) == ("compressed model damaged", FailureKind.MACHINE)
    assert left(cache) == []
