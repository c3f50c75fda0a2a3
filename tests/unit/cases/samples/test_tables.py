"""Files of arrays: read in part, and one line where they are damaged."""

import contextlib

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.tables import archived, table
from burn_verify.system.wire import encode_named

ROWS = np.arange(12, dtype="f4").reshape(4, 3)


@pytest.fixture
def net(model):
    return model({"x": ("float32", ["batch", 3])})


def third(path, net):
    found = table(path, path.name, net)
    assert len(found.names) == 4
    return found.read(2).inputs["x"].tolist()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, net, save):
    save(tmp_path / "a.npz", x=ROWS)
    assert third(tmp_path / "a.npz", net) == [[6, 7, 8]]


def test_npz_in_the_order_of_fortran(tmp_path, net):
    np.savez(tmp_path / "a.npz", x=np.asfortranarray(ROWS))
    assert third(tmp_path / "a.npz", net) == [[6, 7, 8]]


def test_npz_without_names(tmp_path, net):
    np.savez(tmp_path / "a.npz", ROWS)
    assert third(tmp_path / "a.npz", net) == [[6, 7, 8]]


def test_npy(tmp_path, net):
    np.save(tmp_path / "a.npy", ROWS)
    assert third(tmp_path / "a.npy", net) == [[6, 7, 8]]


def test_safetensors(tmp_path, net):
    save_file({"x": ROWS}, tmp_path / "a.safetensors", {"made": "here"})
    assert third(tmp_path / "a.safetensors", net) == [[6, 7, 8]]


def test_safetensors_of_bfloat16(tmp_path, model):
    (tmp_path / "a.safetensors").write_bytes(encode_named({"x": ROWS.astype(ml_dtypes.bfloat16)}))
    net = model({"x": ("bfloat16", ["batch", 3])})
    assert third(tmp_path / "a.safetensors", net) == [[6, 7, 8]]


def test_arrays_are_mapped_not_loaded(tmp_path, net):
    np.savez(tmp_path / "a.npz", x=np.zeros((1000, 3), "f4"))
    (column,) = (opened() for opened in archived(tmp_path / "a.npz").values())
    assert isinstance(column, np.memmap)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY\x01\x00", b"\xff" * 64])
def test_a_damaged_file_is_one_line(tmp_path, net, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Wrong) as caught:
        table(tmp_path / name, name, net)
    assert caught.value.place == name
    assert "\n" not in caught.value.text


def test_python_objects_are_not_read(tmp_path, net):
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(Wrong, match=r"it cannot be read"):
        table(tmp_path / "a.npz", "a.npz", net)


def test_an_empty_archive(tmp_path, net):
    np.savez(tmp_path / "a.npz")
    with pytest.raises(Wrong, match="it holds no array"):
        table(tmp_path / "a.npz", "a.npz", net)


def test_a_truncated_file(tmp_path, net):
    save_file({"x": ROWS}, tmp_path / "a.safetensors")
    whole = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(whole[:-8])
    with pytest.raises(Wrong, match="damaged"):
        table(tmp_path / "a.safetensors", "a.safetensors", net)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_whatever_the_bytes_of_a_header_are_nothing_but_a_mistake_is_raised(tmp_path, net, name):
    save = np.save if name.endswith("npy") else np.savez
    save(tmp_path / name, ROWS)
    whole = (tmp_path / name).read_bytes()
    begin = whole.index(b"NUMPY")
    for place in range(begin, begin + 120):
        (tmp_path / name).write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(Wrong):
            table(tmp_path / name, name, net).read(0)


def test_one_array_is_for_one_input(tmp_path, model):
    np.save(tmp_path / "a.npy", ROWS)
    with pytest.raises(Wrong, match="one array, and the model has the inputs x, y"):
        table(tmp_path / "a.npy", "a.npy", model({"x": ("float32", ["batch", 3]), "y": ("float32", ["batch", 3])}))


@pytest.mark.parametrize(
    ("values", "dtype", "said"),
    [
        (np.full((2, 3), 2**63, "u8"), "int64", "9223372036854775808 is no value of int64"),
        (np.full((2, 3), 300, "i8"), "int8", "300 is no value of int8"),
        (np.full((2, 3), 1e300), "float32", "1e[+]300 is no value of float32"),
    ],
)
def test_values_that_the_model_cannot_hold_are_refused(tmp_path, model, values, dtype, said):
    np.savez(tmp_path / "a.npz", x=values)
    with pytest.raises(Wrong, match=said):
        table(tmp_path / "a.npz", "a.npz", model({"x": (dtype, ["batch", 3])})).read(0)


def test_values_of_another_width_are_taken_where_they_fit(tmp_path, model):
    values = np.array([[1.5, np.inf, np.nan]])
    np.savez(tmp_path / "a.npz", x=values)
    found = table(tmp_path / "a.npz", "a.npz", model({"x": ("float32", ["batch", 3])})).read(0).inputs["x"]
    assert found.dtype == np.float32
    assert np.array_equal(found, values, equal_nan=True)
