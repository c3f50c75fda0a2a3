"""Values of an input as its hint asks for them."""

import numpy as np
import pytest

from burn_verify.core.case import Distribution, Fill, InputHint, TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.reference.fills import filled


def fill(declared="float32", shape=(1000,), **hint):
    spec = TensorSpec(name="x", dtype=declared, shape=shape)
    return filled(np.random.default_rng(0), shape, spec, InputHint(name="x", **hint))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint8", "float16"])
def test_zeros_and_ones(dtype):
    assert not fill(dtype, (2, 3), fill=Fill.ZEROS).any()
    ones = fill(dtype, (2, 3), fill=Fill.ONES)
    assert ones.all()
    assert (ones.dtype, ones.shape) == (np.dtype(dtype), (2, 3))


@pytest.mark.parametrize(("shape", "last"), [((2, 3), [0, 1, 2]), ((4,), [0, 1, 2, 3]), ((), 0), ((2, 0), [])])
def test_positions_count_along_the_last_axis(shape, last):
    made = fill("int64", shape, fill=Fill.ARANGE)
    assert made.shape == shape
    assert all(row.tolist() == last for row in (made if len(shape) > 1 else [made]))


def test_floats_with_two_limits_are_uniform_between_them():
    drawn = fill(low=-1.5, high=2.5)
    assert -1.5 <= drawn.min() < -1.4
    assert 2.4 < drawn.max() <= 2.5


@pytest.mark.parametrize(
    ("hint", "least", "most"),
    [
        ({"low": 0.0}, 0.0, np.inf),
        ({"high": -1.0}, -np.inf, -1.0),
        ({"low": -0.5, "high": 0.5, "distribution": Distribution.NORMAL}, -0.5, 0.5),
        ({"distribution": Distribution.UNIFORM}, 0.0, 1.0),
        ({"distribution": Distribution.UNIFORM, "low": 2.0, "high": 3.0}, 2.0, 3.0),
    ],
)
def test_limits_hold_and_values_differ(hint, least, most):
    drawn = fill(**hint)
    assert least <= drawn.min()
    assert drawn.max() <= most
    assert len(np.unique(drawn)) > 500


def test_integers_take_whole_limits_written_as_floats():
    assert set(fill("int64", low=3.0, high=5.0).tolist()) == {3, 4}


@pytest.mark.parametrize(
    ("dtype", "hint", "words"),
    [
        ("int64", {"low": 0.5}, "0.5 is no value of int64"),
        ("int8", {"low": 0, "high": 300}, r"\[0, 300\) is not a range of int8"),
        ("uint8", {"value": -1}, "-1 is no value of uint8"),
        ("uint8", {"fill": Fill.ARANGE}, "0 to 999 is no range of uint8"),
        ("float32", {"dtype": "int64"}, "the hint says int64, the model says float32"),
    ],
)
def test_what_the_dtype_cannot_hold_is_one_line(dtype, hint, words):
    with pytest.raises(OracleError, match=words):
        fill(dtype, **hint)


def test_a_file_is_fed(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(6, dtype="f8").reshape(2, 3))
    made = fill("float32", (2, 3), file=tmp_path / "x.npy")
    assert (made.dtype, made.tolist()) == (np.float32, [[0, 1, 2], [3, 4, 5]])


def test_a_file_of_another_kind_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(OracleError, match="the file holds float64, the model takes int64"):
        fill("int64", (3,), file=tmp_path / "x.npy")
    with pytest.raises(OracleError, match=r"input x: text\.npy is no \.npy file that can be read"):
        fill("int64", (3,), file=tmp_path / "text.npy")
