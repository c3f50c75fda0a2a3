"""Where a model's data may lie: the layouts that people have, and what reaches out of them."""

import os

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnx.external_data_helper import set_external_data

from burn_verify.cases import external
from burn_verify.cases.load import prepare
from burn_verify.cases.packed import FOLDER
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind
from handmade import model, value

WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)


def adder(location, offset=0, length=WEIGHTS.nbytes):
    """A model that adds weights that are elsewhere."""
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    set_external_data(tensor, location, offset=offset, length=length)
    tensor.ClearField("raw_data")
    shape = [2, 3]
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    return model(nodes, [value("x", shape=shape)], [value("y", shape=shape)], [tensor]).SerializeToString()


def hub(top, below="", location="model.onnx_data"):
    """The cache of a model hub: links to blobs that are called by their digests."""
    blobs = top / "models--me--adder" / "blobs"
    snapshot = top / "models--me--adder" / "snapshots" / "0123abc" / below
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for name, digest, content in (("model.onnx", "aa11", adder(location)), (location, "bb22", WEIGHTS.tobytes())):
        (blobs / digest).write_bytes(content)
        (snapshot / name).symlink_to(os.path.relpath(blobs / digest, snapshot))
    return snapshot / "model.onnx"


def plain(folder, location="w.bin", **place):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.onnx").write_bytes(adder(location, **place))
    return folder / "m.onnx"


def load(path, cache):
    return prepare(Case(id="file/m", corpus="file", source=ModelFile(path=path)), cache)


def refusal(path, cache):
    with pytest.raises(LoadError) as caught:
        load(path, cache)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def answers(path):
    """Return what ONNX Runtime answers, and check that onnx reads the data too."""
    loaded = onnx.load(path)
    assert numpy_helper.to_array(loaded.graph.initializer[0]).tolist() == WEIGHTS.tolist()
    session = onnxruntime.InferenceSession(str(path))
    return session.run(None, {"x": np.zeros((2, 3), np.float32)})[0].tolist()


def copies(cache):
    return sorted(path.name for path in (cache.root / FOLDER).glob("*/*") if path.name != "done.json")


def both_links(top):
    plain(top / "store")
    (top / "store" / "w.bin").write_bytes(WEIGHTS.tobytes())
    (top / "here").mkdir()
    for name in ("m.onnx", "w.bin"):
        (top / "here" / name).symlink_to(top / "store" / name)
    return top / "here" / "m.onnx"


def link_inside(top):
    path = plain(top / "a")
    (top / "a" / "real.bin").write_bytes(WEIGHTS.tobytes())
    (top / "a" / "w.bin").symlink_to("real.bin")
    return path


def linked_folder(top):
    path = plain(top / "a", "data/w.bin")
    (top / "a" / "real").mkdir()
    (top / "a" / "real" / "w.bin").write_bytes(WEIGHTS.tobytes())
    (top / "a" / "data").symlink_to("real")
    return path


def hard_link(top):
    path = plain(top / "a")
    (top / "elsewhere.bin").write_bytes(WEIGHTS.tobytes())
    os.link(top / "elsewhere.bin", top / "a" / "w.bin")
    return path


def only_the_model_is_a_link(top):
    plain(top / "store")
    (top / "a").mkdir()
    (top / "a" / "m.onnx").symlink_to(top / "store" / "m.onnx")
    (top / "a" / "w.bin").write_bytes(WEIGHTS.tobytes())
    return top / "a" / "m.onnx"


LAYOUTS = (
    hub,
    lambda top: hub(top, "onnx"),
    lambda top: hub(top, "", "poids é.bin"),
    both_links,
    link_inside,
    linked_folder,
    hard_link,
    only_the_model_is_a_link,
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_data_behind_links_are_copied_for_every_reader(tmp_path, cache, layout):
    path = layout(tmp_path)
    before = {file: os.lstat(file) for file in tmp_path.rglob("*")}

    prepared = load(path, cache)

    assert answers(prepared.model) == WEIGHTS.tolist()
    assert prepared.model.name == path.name
    assert len(copies(cache)) == 2
    assert load(path, cache) == prepared
    after = {file: os.lstat(file) for file in tmp_path.rglob("*") if file in before}
    assert [(found.st_ino, found.st_mtime_ns) for found in after.values()] == [
        (found.st_ino, found.st_mtime_ns) for found in before.values()
    ]


def test_plain_data_are_not_copied(tmp_path, cache):
    path = plain(tmp_path / "a")
    (tmp_path / "a" / "w.bin").write_bytes(WEIGHTS.tobytes())

    assert load(path, cache).model == path
    assert copies(cache) == []


def test_a_linked_folder_of_plain_files_is_not_copied(tmp_path, cache):
    path = plain(tmp_path / "a")
    (tmp_path / "a" / "w.bin").write_bytes(WEIGHTS.tobytes())
    (tmp_path / "b").symlink_to("a")

    assert load(tmp_path / "b" / path.name, cache).model == tmp_path / "b" / path.name
    assert copies(cache) == []


def test_a_link_without_external_data_is_taken_as_it_is(tmp_path, cache, identity):
    link = tmp_path / "link.onnx"
    link.symlink_to(identity())

    assert load(link, cache).model == link


def test_a_copy_has_the_digest_of_what_it_was_made_from(tmp_path, cache):
    path = both_links(tmp_path)

    assert load(path, cache).digest == load(tmp_path / "store" / "m.onnx", cache).digest


def test_new_data_make_a_new_copy(tmp_path, cache):
    path = hub(tmp_path)
    first = load(path, cache)
    (tmp_path / "models--me--adder" / "blobs" / "bb22").write_bytes((WEIGHTS + 1).tobytes())
    second = load(path, cache)

    assert first.digest != second.digest
    assert first.model != second.model


def outside_target(top):
    path = plain(top / "a")
    (top / "secret.bin").write_bytes(WEIGHTS.tobytes())
    (top / "a" / "w.bin").symlink_to(top / "secret.bin")
    return path


def two_stores(top):
    path = both_links(top)
    (top / "other").mkdir()
    (top / "store" / "w.bin").rename(top / "other" / "w.bin")
    path.with_name("w.bin").unlink()
    path.with_name("w.bin").symlink_to(top / "other" / "w.bin")
    return path


def above_the_blobs(top):
    path = hub(top, location="data.bin")
    (top / "secret.bin").write_bytes(WEIGHTS.tobytes())
    path.with_name("data.bin").unlink()
    path.with_name("data.bin").symlink_to(top / "secret.bin")
    return path


@pytest.mark.parametrize(
    "layout",
    [
        lambda top: plain(top / "a", "../../../../../../../../etc/passwd"),
        lambda top: plain(top / "a", "/etc/passwd"),
        lambda top: plain(top / "a", "below/../../secret.bin"),
        outside_target,
        two_stores,
        above_the_blobs,
    ],
    ids=["up", "absolute", "down and up", "link out", "links to two places", "link out of the hub"],
)
def test_what_reaches_out_is_refused(tmp_path, cache, layout):
    error = refusal(layout(tmp_path), cache)

    assert (error.reason, error.kind) == (external.OUTSIDE, FailureKind.REFUSED)
    assert "put the file into the folder" in error.message
    assert copies(cache) == []


def test_the_model_is_a_link_and_its_data_are_beside_the_real_one(tmp_path, cache):
    path = both_links(tmp_path)
    path.with_name("w.bin").unlink()

    error = refusal(path, cache)
    assert (error.reason, error.kind) == (external.MISSING, FailureKind.MACHINE)
    assert f"the model is a link, and they are beside {tmp_path / 'store' / 'm.onnx'}" in error.message


@pytest.mark.parametrize(("size", "offset"), [(0, 0), (23, 0), (24, 4)])
def test_data_that_are_cut_short(tmp_path, cache, size, offset):
    path = plain(tmp_path / "a", offset=offset)
    (tmp_path / "a" / "w.bin").write_bytes(bytes(size))

    error = refusal(path, cache)
    assert (error.reason, error.kind) == ("external data cut short", FailureKind.MACHINE)
    assert f"up to byte {offset + 24}, and that has {size}" in error.message


def test_data_whose_length_only_the_tensor_tells(tmp_path, cache):
    path = plain(tmp_path / "a")
    model = onnx.load(path, load_external_data=False)
    (tensor,) = model.graph.initializer
    kept = [entry for entry in tensor.external_data if entry.key == "location"]
    del tensor.external_data[:]
    tensor.external_data.extend(kept)
    onnx.save(model, path)
    (tmp_path / "a" / "w.bin").write_bytes(bytes(20))

    assert "up to byte 24, and that has 20" in refusal(path, cache).message


def test_a_pointer_in_place_of_the_data(tmp_path, cache):
    path = plain(tmp_path / "a", length=1 << 20)
    (tmp_path / "a" / "w.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")

    assert "git lfs pull" in refusal(path, cache).message


def test_data_of_more_than_two_gibibytes(tmp_path):
    far = 5 << 29
    path = plain(tmp_path / "a", offset=far)
    with (tmp_path / "a" / "w.bin").open("wb") as file:
        file.seek(far)
        file.write(WEIGHTS.tobytes())

    # Not `load`, which takes the digest of all of it.
    (found,) = external.external_files(onnx.load(path, load_external_data=False), path)

    assert found == external.ExternalFile(location="w.bin", path=tmp_path / "a" / "w.bin", plain=True)
    assert answers(path) == WEIGHTS.tolist()


def test_the_size_of_a_model_counts_its_data(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(adder("weights.bin"))
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    assert external.size_of(path) == path.stat().st_size + WEIGHTS.nbytes


def test_a_file_is_there_or_not_or_nobody_can_tell(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")

    assert external.is_there(tmp_path / "file")
    assert not any(external.is_there(tmp_path / name) for name in (".", "gone", "file/in", "loop", "a\0b"))
    with pytest.raises(OSError, match="too long"):
        external.is_there(tmp_path / ("n" * 300))
