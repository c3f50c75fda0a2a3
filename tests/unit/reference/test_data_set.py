"""One set of inputs and expected outputs."""

import numpy as np
import pytest

from burn_verify.core.errors import OracleError
from burn_verify.reference.data_set import DataSet, inputs_in
from burn_verify.system.wire import encode_named, placed


def test_the_first_opinion_is_the_opinion():
    assert DataSet(inputs=[], desired=[]).opinion is None
    assert DataSet(inputs=[], desired=[], opinions={"a": [], "b": [np.ones(1)]}).opinion == []


def test_inputs_are_read_by_place(tmp_path):
    path = tmp_path / "data.safetensors"
    path.write_bytes(encode_named({**placed(0, "in", [np.zeros(1)]), **placed(1, "in", [np.ones(2)])}))
    (found,) = inputs_in(path, 1)
    np.testing.assert_array_equal(found, np.ones(2))


def test_a_damaged_file_is_an_error_of_the_case(tmp_path):
    path = tmp_path / "data.safetensors"
    path.write_bytes(b"short")
    with pytest.raises(OracleError, match=r"data\.safetensors"):
        inputs_in(path, 0)
