"""Paths become samples, by the names of files alone."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.opened import opened

X = {"x": ("float32", ["batch", 2])}
ROWS = np.arange(6, dtype="f4").reshape(3, 2)


def test_several_paths_in_their_order(tmp_path, model):
    np.savez(tmp_path / "a.npz", x=ROWS)
    np.save(tmp_path / "b.npy", ROWS[:1])
    found = opened([tmp_path / "b.npy", tmp_path / "a.npz", tmp_path / "b.npy"], model(X))
    assert found.names == ["b.npy", "a.npz[0]", "a.npz[1]", "a.npz[2]", "b.npy#2"]
    assert found.read(2).inputs["x"].tolist() == [[2, 3]]
    assert found.place_of("a.npz[2]") == 3
    with pytest.raises(Wrong, match=r"the data hold no sample 'a.npz\[7\]': they are b.npy to b.npy#2"):
        found.place_of("a.npz[7]")


def test_a_folder_of_files(tmp_path, model):
    (tmp_path / "README.md").write_text("about")
    np.save(tmp_path / "b.npy", ROWS[:1])
    assert opened([tmp_path], model(X)).names == [f"{tmp_path.name}/b.npy"]


def test_a_folder_of_images_leaves_other_files_out(tmp_path, model):
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "below").mkdir()
    (tmp_path / "labels.txt").write_text("cat")
    pillow.fromarray(np.zeros((2, 2, 3), "u1")).save(tmp_path / "below" / "a.PNG")
    found = opened([tmp_path], model({"x": ("float32", [1, 3, 2, 2])}))
    assert found.names == [f"{tmp_path.name}/below/a.PNG"]


def save_pb(path, array):
    path.parent.mkdir(exist_ok=True)
    onnx.save_tensor(numpy_helper.from_array(array), path)


def test_folders_of_protobuf(tmp_path, model):
    for place in range(2):
        save_pb(tmp_path / f"test_data_set_{place}" / "input_0.pb", ROWS[place : place + 1])
        save_pb(tmp_path / f"test_data_set_{place}" / "output_0.pb", ROWS[place : place + 1])
    for folder, count in ((tmp_path, 2), (tmp_path / "test_data_set_1", 1)):
        found = opened([folder], model(X))
        assert len(found) == count
        assert found.read(count - 1).outputs["y"].tolist() == [[2, 3]]


def test_protobuf_of_another_dtype_is_refused_like_any_other_file(tmp_path, model):
    save_pb(tmp_path / "test_data_set_0" / "input_0.pb", ROWS)
    with pytest.raises(Wrong, match="it is of float32, the model takes int64"):
        opened([tmp_path], model({"x": ("int64", ["batch", 2])})).read(0)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"1,2", "nothing that can be fed: .npz, .npy"),
        ("folder/a.csv", b"1,2", "a folder of 1 file, none of which can be fed"),
        ("gone.npz", None, "no such file or folder"),
        ("test_data_set_0/input_0.pb", b"\xff", "stored test data cannot be read"),
    ],
)
def test_what_cannot_be_fed(tmp_path, model, name, content, words):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Wrong) as caught:
        opened([path if path.parent == tmp_path else path.parent], model(X)).read(0)
    assert words in caught.value.text
    assert str(tmp_path) not in caught.value.text
