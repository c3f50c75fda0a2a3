"""Other values than the stored ones: every kind has what it is for, and stays inside what an operator defines."""

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

import handmade
from burn_verify.reference.varied import NAMES, varied_inputs

POSITIVE = np.arange(1, 41, dtype=np.float32).reshape(5, 8)


def sets_of(op_type, *arrays, **attributes):
    names = [f"x{place}" for place in range(len(arrays))]
    dtypes = [helper.np_dtype_to_tensor_dtype(one.dtype) for one in arrays]
    inputs = [handmade.value(name, dtype) for name, dtype in zip(names, dtypes, strict=True)]
    model = handmade.model([helper.make_node(op_type, names, ["y"], **attributes)], inputs, [handmade.value("y")])
    return varied_inputs(model, arrays, "digest")


def test_every_kind_has_its_values():
    found = {name: inputs[0] for name, inputs in sets_of("Add", POSITIVE, POSITIVE).items()}
    assert tuple(found) == NAMES
    assert (found["varied-near"] > 0).all()
    assert (found["varied-normal"] < 0).any()
    ties = found["varied-ties"]
    assert np.unique(ties).size < ties.size
    assert (ties == 0).any()
    assert (np.abs(ties) % 1 == 0.5).any()
    assert np.abs(found["varied-large"]).max() > 1000
    assert 0 < np.abs(found["varied-small"]).max() < 0.01
    special = found["varied-special"]
    assert np.isnan(special).any()
    assert {-np.inf, np.inf} <= set(special[np.isinf(special)].tolist())


def test_inputs_differ_and_shapes_and_dtypes_are_the_stored_ones():
    half = POSITIVE.astype(ml_dtypes.bfloat16)
    for one, other in sets_of("Sub", half, half).values():
        assert (one.dtype, one.shape) == (half.dtype, half.shape)
        assert one.tobytes() != other.tobytes()


def test_the_same_inputs_give_the_same_values():
    one, other = sets_of("Abs", POSITIVE), sets_of("Abs", POSITIVE)
    assert all(one[name][0].tobytes() == other[name][0].tobytes() for name in one)


def test_nan_is_for_operators_that_define_it():
    assert "varied-special" in sets_of("IsNaN", POSITIVE)
    assert "varied-special" not in sets_of("ReduceMax", POSITIVE)


def test_indices_count_from_the_end_too():
    data = np.ones((4, 3), np.float32)
    for name, (_, indices) in sets_of("Gather", data, np.array([0, 1, 2, 3] * 8, np.int64)).items():
        assert (indices < 0).any(), name
        assert ((indices >= -4) & (indices < 4)).all(), name


@pytest.mark.parametrize("axis", [0, 1])
def test_an_index_that_must_not_occur_twice_does_not(axis):
    data, like = np.ones((3, 4), np.float32), np.zeros((2, 3), np.int64)
    for name, (_, indices, _) in sets_of("ScatterElements", data, like, data[:2, :3], axis=axis).items():
        rows = np.moveaxis(indices % data.shape[axis], axis, -1)
        assert all(np.unique(row).size == row.size for row in rows), name


def test_a_row_of_indices_that_must_not_occur_twice_does_not():
    data, like = np.ones((3, 2), np.float32), np.zeros((5, 2), np.int64)
    negative = []
    for name, (_, indices, _) in sets_of("ScatterND", data, like, np.ones(5, np.float32)).items():
        assert np.unique(indices % (3, 2), axis=0).shape == (5, 2), name
        negative.append(indices[:, 1] < 0)
    assert np.any(negative)


def test_what_decides_a_shape_is_kept():
    shape = np.array([8, 5], np.int64)
    assert all(given[1] is shape for given in sets_of("Reshape", POSITIVE, shape).values())
    assert sets_of("ConstantOfShape", shape) == {}


def test_integers_stay_small_enough_not_to_overflow():
    bytes_ = np.arange(8, dtype=np.uint8)
    for one, other in sets_of("Mul", bytes_, bytes_).values():
        assert (one.astype(int) * other.astype(int)).max() <= 255


def test_a_conversion_to_unsigned_integers_takes_no_negative_numbers():
    for (given,) in sets_of("Cast", POSITIVE, to=TensorProto.UINT8).values():
        assert (given >= 0).all()
        assert (given <= 255).all()


def test_large_inputs_are_asked_few_kinds():
    assert set(sets_of("Abs", np.ones((300, 300), np.float32))) == {"varied-normal", "varied-ties"}
