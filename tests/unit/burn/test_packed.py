"""A compiled workspace as an archive: what comes out is what went in, or one line and nothing."""

import io
import json
import os
import tarfile

import pytest
import zstandard

from burn_verify.burn import disk, packed
from burn_verify.burn.workspace import Workspace
from burn_verify.core.errors import StoreError, ToolchainError, UsageError
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.files import write_json
from burn_verify.system.kept import seal

UNIT = "1" * 16


@pytest.fixture
def built(cache):
    """Return a workspace as a build leaves it, with a model that was compiled in it."""
    one = Workspace.of(cache, silent, Target())
    deps = one.folder.parent / "target" / "correctness" / "deps"
    texts = {
        one.folder / "converter": "c",
        one.folder / "probe": "p",
        one.folder / "workspace" / "generated" / "g_0" / "lib.rs": "model",
        one.folder / "workspace" / "Cargo.lock": "lock",
        deps / f"libburn-{UNIT}.rlib": "burn" * 1000,
        deps / "libg_0123456789abcdef-2222222222222222.rlib": "model",
        deps.parent / ".fingerprint" / f"burn-{UNIT}" / "invoked": "",
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, ns=(10**18 + 7, 10**18 + 7))
    (one.folder / "converter").chmod(0o755)
    os.link(one.folder / "converter", one.folder / "again")
    write_json(one.folder / "units.json", [UNIT])
    about = {"fingerprint": one.fingerprint, "backends": one.recipe.backends, "title": "Burn of a test", "rustc": "r"}
    seal(one.folder / "ready.json", [one.folder / "converter", one.folder / "probe"], **about)
    return one


@pytest.fixture
def other(tmp_path):
    return Cache(tmp_path / "other")


@pytest.fixture
def archive(built, cache, tmp_path):
    return packed.pack(built, cache, tmp_path / packed.name_of(built)).path


def state(folder):
    """Return content, time and mode of every file but the notes, whose seals hold the times of this machine."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file() and path.name != "ready.json"
    }


def test_what_comes_out_is_ready_and_what_went_in_without_models(built, archive, other):
    done = packed.unpack(archive, other)
    there = Workspace.of(other, silent, Target())

    assert done.title == "Burn of a test"
    assert there.ready
    before = {name: one for name, one in state(built.folder.parent).items() if "g_0" not in name}
    assert state(there.folder.parent) == before
    assert (there.folder / "again").samefile(there.folder / "converter")
    assert {path.name for path in disk.compiled(built.folder)} == {path.name for path in disk.compiled(there.folder)}
    assert list((other.root / "unpacking").iterdir()) == []


def test_what_is_there_already_is_left_alone(archive, other):
    packed.unpack(archive, other)
    before = state(other.root / "burn-0.22.1")
    packed.unpack(archive, other)

    assert state(other.root / "burn-0.22.1") == before


def test_the_name_is_that_of_the_content(built, cache):
    assert packed.name_of(built) == packed.name_of(Workspace.of(cache, silent, Target()))
    assert packed.name_of(built) != packed.name_of(Workspace.of(cache, silent, Target(backend="ndarray")))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_is_one_line_and_nothing_is_unpacked(archive, other, share):
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UsageError, match=r"is damaged|is not an archive") as caught:
        packed.unpack(archive, other)

    assert "\n" not in str(caught.value)
    assert not (other.root / "burn-0.22.1").exists()


@pytest.mark.parametrize("place", [10, -20])
def test_an_archive_with_a_flipped_byte_is_damaged(archive, other, place):
    data = bytearray(archive.read_bytes())
    data[place] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(UsageError):
        packed.unpack(archive, other)
    assert not (other.root / "burn-0.22.1").exists()


def changed(archive, change):
    """Write an archive anew, with its list, or the content of its files, changed."""
    plain = zstandard.ZstdDecompressor().stream_reader(archive.read_bytes()).read()
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(plain)) as old, tarfile.open(fileobj=made, mode="w") as new:
        for member in old:
            data = change(member.name, old.extractfile(member).read())
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    archive.write_bytes(zstandard.ZstdCompressor().compress(made.getvalue()))


def listed(**fields):
    """Return a change of the list that keeps its digest right, as somebody with bad intentions would."""

    def change(name, data):
        if name != "toolchain.json":
            return data
        about = {**json.loads(data), **fields}
        return json.dumps({**about, "digest": packed.digest(about)}).encode()

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, data: data.replace(b"burnburn", b"BURNburn"), "has another sha256"),
        (lambda name, data: data.replace(b'"Burn of a test"', b'"Burn"'), "its list was changed"),
        (lambda name, data: b"[]" if name == "toolchain.json" else data, "damaged"),
        (listed(format=2), "is of format 2"),
        (listed(files=[[["../../x"], "0" * 64, 1, 1, 1]]), "lies outside"),
        (listed(files=[[["/etc/x"], "0" * 64, 1, 1, 1]]), "lies outside"),
        (listed(files=[[["x"], "0" * 64, 1, 1, 1]]), "x is missing"),
        (listed(fingerprint="0"), "of no use to another rustc"),
        (listed(burn="0.1"), "Burn '0.1' is not supported"),
        (listed(files=3), "damaged"),
    ],
)
def test_an_archive_that_was_changed_is_refused(archive, other, change, message):
    changed(archive, change)
    with pytest.raises(UsageError, match=message) as caught:
        packed.unpack(archive, other)

    assert "\n" not in str(caught.value)
    assert not (other.root / "burn-0.22.1").exists()


def test_something_else_is_no_archive(tmp_path, other):
    path = tmp_path / "x"
    for content in (b"", b"text", zstandard.ZstdCompressor().compress(b"text" * 500)):
        path.write_bytes(content)
        with pytest.raises(UsageError):
            packed.unpack(path, other)
    with pytest.raises(UsageError, match="cannot be unpacked: No such file"):
        packed.unpack(tmp_path / "gone", other)


def test_what_is_not_compiled_cannot_be_packed(cache, tmp_path):
    with pytest.raises(ToolchainError, match="is not compiled"):
        packed.pack(Workspace.of(cache, silent, Target()), cache, tmp_path / "x")


def test_a_place_that_cannot_be_written_is_said(built, cache, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        packed.pack(built, cache, tmp_path / "file" / "x")
