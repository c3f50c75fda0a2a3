"""Frames and tensors: the same back, and nothing but ValueError for what no honest peer sends."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.graph.dtypes import SAFETENSORS_DTYPES, numpy_dtype
from burn_verify.system import wire

SHAPES = st.lists(st.integers(min_value=0, max_value=4), max_size=4).map(tuple)
HEADERS = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=5)


@st.composite
def arrays(draw):
    dtype = numpy_dtype(draw(st.sampled_from(sorted(SAFETENSORS_DTYPES))))
    shape = draw(SHAPES)
    size = int(np.prod(shape))
    if dtype == np.bool_:
        values = draw(st.lists(st.booleans(), min_size=size, max_size=size))
        return np.array(values, dtype=np.bool_).reshape(shape)
    # Any bits, so that every not-a-number and both zeros come along.
    bits = draw(st.binary(min_size=size * dtype.itemsize, max_size=size * dtype.itemsize))
    return np.frombuffer(bits, dtype=dtype).reshape(shape)


def assert_same(actual, desired):
    assert actual.dtype == desired.dtype
    assert actual.shape == desired.shape
    assert actual.tobytes() == desired.tobytes()


@given(st.lists(arrays(), max_size=4))
@settings(deadline=None, derandomize=True)
def test_arrays_come_back_bit_for_bit(values):
    back = wire.decode(wire.encode(values))

    assert len(back) == len(values)
    for actual, desired in zip(back, values, strict=True):
        assert_same(actual, desired)


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name != "__metadata__"), arrays(), max_size=4))
@settings(deadline=None, derandomize=True)
def test_names_come_back(values):
    back = wire.decode_named(wire.encode_named(values))

    assert set(back) == set(values)
    for name, desired in values.items():
        assert_same(back[name], desired)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,), (2, 3)], ids=str)
@pytest.mark.parametrize("name", SAFETENSORS_DTYPES)
def test_every_dtype_has_every_shape(name, shape):
    desired = np.ones(shape, dtype=numpy_dtype(name))
    (actual,) = wire.decode(wire.encode([desired]))
    assert_same(actual, desired)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int32).reshape(2, 3).T,
        np.arange(10, dtype=np.float32)[::-2],
        np.arange(6, dtype=">i4"),
        np.broadcast_to(np.float32(1.5), (2, 2)),
    ],
    ids=["transposed", "strided", "big-endian", "broadcast"],
)
def test_the_layout_in_memory_does_not_matter(array):
    (actual,) = wire.decode(wire.encode([array]))
    np.testing.assert_array_equal(actual, array, strict=False)
    assert actual.shape == array.shape


def test_order_is_kept_beyond_three_digits():
    back = wire.decode(wire.encode([np.array(place, dtype=np.int32) for place in range(1203)]))
    assert [int(array) for array in back] == list(range(1203))


@pytest.mark.parametrize(
    ("arrays", "dtype"),
    [
        ([], None),
        ([np.zeros(1, np.float32), np.zeros(1, numpy_dtype("bfloat16"))], None),
        ([np.zeros(1, np.float32), np.zeros(1, numpy_dtype("int4"))], "int4"),
        ([np.array(["text"], dtype=object)], "string"),
        ([np.array(["text"])], "string"),
        ([np.zeros(1, np.complex64), np.zeros(1, numpy_dtype("uint4"))], "complex64"),
    ],
)
def test_the_first_dtype_without_a_place_on_the_wire_is_named(arrays, dtype):
    assert wire.unsupported_dtype(arrays) == dtype


@given(HEADERS, st.binary(max_size=64))
@settings(deadline=None, derandomize=True)
def test_a_frame_comes_back(header, payload):
    frame = wire.pack(header, payload)
    prefix, rest = frame[: wire.PREFIX.size], frame[wire.PREFIX.size :]
    header_len, payload_len = wire.unpack_prefix(prefix)

    assert len(rest) == header_len + payload_len
    assert wire.unpack_header(rest[:header_len]) == header
    assert rest[header_len:] == payload


def test_the_layout_of_a_frame():
    assert wire.pack({"a": 1}, b"xyz") == b"\x08\0\0\0" + b"\x03\0\0\0\0\0\0\0" + b'{"a": 1}xyz'


@pytest.mark.parametrize("lengths", [(0, 0), (wire.MAX_HEADER, wire.MAX_PAYLOAD)])
def test_honest_lengths(lengths):
    assert wire.unpack_prefix(wire.PREFIX.pack(*lengths)) == lengths


@pytest.mark.parametrize(
    "prefix",
    [
        wire.PREFIX.pack(wire.MAX_HEADER + 1, 0),
        wire.PREFIX.pack(0, wire.MAX_PAYLOAD + 1),
        b"\xff" * wire.PREFIX.size,
        b"HTTP/1.1 200",
        b"",
        b"\0" * (wire.PREFIX.size - 1),
        b"\0" * (wire.PREFIX.size + 1),
    ],
)
def test_a_broken_prefix(prefix):
    with pytest.raises(ValueError, match=r"announced|a prefix has 12 bytes"):
        wire.unpack_prefix(prefix)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"3", b"null", b'"text"', b"\xff{}", b"{} {}", b"[" * 100_000], ids=lambda text: text[:9]
)
def test_a_broken_header(text):
    with pytest.raises(ValueError):  # noqa: PT011 - json's own and ours
        wire.unpack_header(text)


@given(st.binary(max_size=200))
@settings(deadline=None, derandomize=True)
def test_a_random_header_is_an_object_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert isinstance(wire.unpack_header(text), dict)


@given(st.binary(max_size=200))
@settings(deadline=None, derandomize=True)
def test_random_bytes_decode_or_are_a_value_error(payload):
    with contextlib.suppress(ValueError):
        wire.decode(payload)


def payload_of(header, data=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


CODES = st.sampled_from(["F32", "BF16", "BOOL", "I64", "F4", "F8_E8M0", "C64", "f32", "", "F6_E2M3"])
TENSORS = st.fixed_dictionaries(
    {
        "dtype": CODES,
        "shape": st.lists(st.integers(min_value=-1, max_value=5), max_size=3),
        "data_offsets": st.lists(st.integers(min_value=-1, max_value=64), min_size=1, max_size=3),
    }
)


@given(st.dictionaries(st.text(max_size=4), TENSORS | st.none() | st.integers(), max_size=3), st.binary(max_size=64))
@settings(deadline=None, derandomize=True)
def test_a_made_up_table_of_tensors_decodes_or_is_a_value_error(header, data):
    with contextlib.suppress(ValueError):
        wire.decode(payload_of(header, data))


@given(arrays(), st.data())
@settings(deadline=None, derandomize=True)
def test_a_damaged_payload_decodes_or_is_a_value_error(array, data):
    payload = bytearray(wire.encode([array]))
    place = data.draw(st.integers(min_value=0, max_value=len(payload) - 1))
    payload[place] = data.draw(st.integers(min_value=0, max_value=255))
    with contextlib.suppress(ValueError):
        wire.decode(bytes(payload))


@given(arrays(), st.data())
@settings(deadline=None, derandomize=True)
def test_a_cut_payload_is_a_value_error(array, data):
    payload = wire.encode([array])
    with pytest.raises(ValueError, match="not safetensors"):
        wire.decode(payload[: data.draw(st.integers(min_value=0, max_value=len(payload) - 1))])


@pytest.mark.parametrize(
    "shape",
    [[0, 2**63], [0, 2**64 - 1], [0, 2**62, 2**62], [1] * 65, [2**63, 2**63], [-1], [1.0], ["1"], [[1]], None, 1],
)
def test_a_shape_that_no_array_has_is_a_value_error(shape):
    size = 4 if shape == [1] * 65 else 0
    payload = payload_of({"0": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}, b"\0" * size)
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's own, or ours for safetensors'
        wire.decode(payload)


def test_a_dtype_that_numpy_lacks_is_named():
    with pytest.raises(ValueError, match="F8_E8M0"):
        wire.decode(payload_of({"0": {"dtype": "F8_E8M0", "shape": [1], "data_offsets": [0, 1]}}, b"\0"))
