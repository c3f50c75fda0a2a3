"""The tables against onnx and safetensors themselves."""

import json

import ml_dtypes
import numpy as np
import onnx
import pytest
from safetensors.numpy import save

from burn_verify.graph import dtypes

NUMBERED = sorted(number for number in onnx.TensorProto.DataType.values() if number)


@pytest.mark.parametrize("number", NUMBERED)
def test_every_elem_type_of_onnx_has_the_dtype_onnx_gives_it(number):
    dtype = onnx.helper.tensor_dtype_to_np_dtype(number)
    assert dtypes.numpy_dtype(dtypes.dtype_of(number)) == dtype
    assert dtypes.dtype_name(dtype) == dtypes.dtype_of(number)


def test_numbers_and_names_are_inverse():
    assert {dtypes.elem_type_of(name): name for name in dtypes.ELEM_TYPES.values()} == dict(dtypes.ELEM_TYPES)


@pytest.mark.parametrize("number", [0, -1, 99])
def test_an_unknown_number_is_an_error(number):
    with pytest.raises(ValueError, match=f"elem_type {number}"):
        dtypes.dtype_of(number)


@pytest.mark.parametrize("name", ["", "sequence", "seq(tensor(float))", "float", "object", "float8_e3m4"])
def test_an_unknown_name_is_an_error(name):
    with pytest.raises(ValueError, match="no ONNX elem_type"):
        dtypes.numpy_dtype(name)


@pytest.mark.parametrize("array", [np.array(["a"]), np.array(["a"], dtype=object), np.array([b"a"])])
def test_any_text_is_string(array):
    assert dtypes.dtype_name(array.dtype) == "string"


def test_byte_order_is_not_part_of_the_name():
    assert dtypes.dtype_name(np.dtype(">f4")) == "float32"


def test_safetensors_codes_are_inverse_and_as_wide_as_their_dtypes():
    assert {dtypes.SAFETENSORS_NAMES[code]: code for code in dtypes.SAFETENSORS_NAMES} == dtypes.SAFETENSORS_DTYPES
    for name, code in dtypes.SAFETENSORS_DTYPES.items():
        bits = 8 if code == "BOOL" else int(code.partition("_")[0].lstrip("BFIU"))
        assert dtypes.numpy_dtype(name).itemsize * 8 == bits


@pytest.mark.parametrize("name", sorted(dtypes.SAFETENSORS_DTYPES))
def test_codes_are_those_safetensors_writes(name):
    data = save({"x": np.zeros(2).astype(dtypes.numpy_dtype(name))})
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["x"]["dtype"] == dtypes.SAFETENSORS_DTYPES[name]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("float", ["float64", "float32", "float16", "bfloat16"]),
        ("int", ["int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"]),
        ("bool", ["bool"]),
        (None, ["string", "int4", "uint4", "float8_e4m3fn", "float8_e5m2", "complex64", "sequence", ""]),
    ],
)
def test_burn_kinds(kind, names):
    assert {dtypes.burn_kind(name) for name in names} == {kind}


def test_every_dtype_of_burn_can_be_stored():
    held = {name for name in dtypes.ELEM_TYPES.values() if dtypes.burn_kind(name)}
    assert held <= set(dtypes.SAFETENSORS_DTYPES)


def test_ml_dtypes_come_without_having_been_registered_by_the_caller():
    assert dtypes.numpy_dtype("bfloat16") == np.dtype(ml_dtypes.bfloat16)
