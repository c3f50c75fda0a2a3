"""What a file is by its first bytes, whatever it is called; a file that is an ONNX model is never taken for another."""

import io
import pickle
import struct
import zipfile

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from safetensors.numpy import save

from burn_verify.cases import formats
from burn_verify.cases.recognise import by_beginning, by_content
from handmade import model, value


def archive(*names):
    """A ZIP archive with these empty files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return data.getvalue()


def message(*fields):
    """A protobuf message of length-delimited and varint fields."""
    out = b""
    for number, content in fields:
        if isinstance(content, int):
            out += bytes([number << 3, content])
        else:
            out += bytes([number << 3 | 2, len(content)]) + content
    return out


RELU = model([helper.make_node("Relu", ["x"], ["y"])], [value("x", shape=[2])], [value("y", shape=[2])])
NODE = message((1, b"x"), (2, b"Placeholder"))
SAVED = message((1, 1), (2, message((1, message((4, b"serve"), (5, b"2.16"))))))
CORE_ML = message((1, 8), (2, message((1, message((1, b"image"))))))
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n"
TELLING = [
    (struct.pack("<I", 24) + b"ORTM" + bytes(16), formats.ORT),
    (struct.pack("<I", 28) + b"TFL3" + bytes(16), formats.TFLITE),
    (struct.pack("<I", 28) + b"ET12" + bytes(16), formats.EXECUTORCH),
    (archive("model/data.pkl", "model/data/0", "model/version"), formats.PYTORCH),
    (archive("m/code/x.py", "m/constants.pkl", "m/data.pkl"), formats.TORCHSCRIPT),
    (archive("m/archive_format", "m/models/model.json"), formats.EXPORTED),
    (archive("metadata.json", "config.json", "model.weights.h5"), formats.KERAS),
    (archive("a.npy", "b.npy"), formats.ARRAYS),
    (archive("model.onnx"), formats.ARCHIVE),
    (archive(), formats.ARCHIVE),
    (b"PK\x03\x04 cut short", formats.ARCHIVE),
    (b"\x89HDF\r\n\x1a\n" + bytes(8), formats.HDF5),
    (b"GGUF\x03\x00\x00\x00", formats.GGUF),
    (b"\x1f\x8b\x08\x00", formats.GZIP),
    (b"\x28\xb5\x2f\xfd\x00", formats.ZSTANDARD),
    (LFS, formats.POINTER),
]
"""Contents that no ONNX model begins with."""
UNREADABLE = [
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", formats.PYTORCH),
    (pickle.dumps({"a": 1}, 2), formats.PICKLE),
    (pickle.dumps([1.0] * 9, 5), formats.PICKLE),
    (save({"w": np.zeros(3, np.float32)}), formats.SAFETENSORS),
    (SAVED, formats.SAVED_MODEL),
    (message((1, NODE), (1, NODE)), formats.FROZEN),
    (CORE_ML, formats.CORE_ML),
    (b"<!DOCTYPE html>\n<html><body>404</body></html>", formats.PAGE),
    (b'<?xml version="1.0"?>\n<net name="m" version="11">', formats.OPENVINO),
    (b'<\n  ir_version: 8,\n  opset_import: ["" : 17]\n>\nagraph', formats.ONNX_TEXT),
    (b'ir_version: 8\nproducer_name: "x"\n', formats.ONNX_TEXT),
    (b'{"irVersion": "8"}', formats.ONNX_TEXT),
]
"""Contents that are told once a file is known to be no ONNX model."""


@pytest.mark.parametrize(("content", "kind"), TELLING, ids=[f"{place}" for place in range(len(TELLING))])
@pytest.mark.parametrize("name", ["model.onnx", "model"])
def test_by_beginning(tmp_path, content, kind, name):
    path = tmp_path / name
    path.write_bytes(content)

    assert by_beginning(path) is kind
    assert by_content(path) is kind


@pytest.mark.parametrize(("content", "kind"), UNREADABLE, ids=[f"{place}" for place in range(len(UNREADABLE))])
def test_by_content(tmp_path, content, kind):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    assert by_content(path) is kind


@pytest.mark.parametrize("content", [b"", b"a", bytes(64), b"not a model at all", bytes(range(256))])
def test_what_says_nothing_is_told_by_its_name(tmp_path, content):
    for name, kind in {"model.onnx": None, "model": None, "model.caffemodel": formats.CAFFE}.items():
        path = tmp_path / name
        path.write_bytes(content)

        assert by_beginning(path) is None
        assert by_content(path) is kind


@given(st.text(max_size=12), st.integers(0, 14), st.text(max_size=12))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_no_model_is_taken_for_another_kind(tmp_path_factory, producer, version, name):
    made = onnx.ModelProto()
    made.CopyFrom(RELU)
    made.producer_name, made.ir_version, made.graph.name = producer, version, name
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    path.write_bytes(made.SerializeToString())

    assert by_beginning(path) is None


@given(st.binary(max_size=64))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_any_bytes_have_an_answer(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "model.onnx"
    path.write_bytes(content)

    assert by_content(path) in (None, *formats.FORMATS)
