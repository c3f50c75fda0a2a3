"""Samples that calibrate are chosen evenly, and written for another process."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.errors import LoadError
from burn_verify.core.progress import silent
from burn_verify.run.quantise.calibration import evenly, first_name, written_samples
from burn_verify.system.wire import decode
from quantisable import network, samples


@pytest.fixture
def prepared(tmp_path, cache):
    onnx.save(network(), tmp_path / "net.onnx")
    np.savez(tmp_path / "data.npz", x=samples())
    case = Case(id="net", corpus="file", source=ModelFile(path=tmp_path / "net.onnx"))
    return prepare(replace(case, hints=Hints(data=(tmp_path / "data.npz",))), cache)


@pytest.mark.parametrize(("count", "limit", "places"), [(3, 9, [0, 1, 2]), (9, 3, [0, 3, 6]), (10, 4, [0, 2, 5, 7])])
def test_places_are_spread_over_all_samples(count, limit, places):
    assert evenly(count, limit) == places


def test_samples_are_written_in_the_order_of_the_graph(prepared, tmp_path):
    names = written_samples(prepared, 4, tmp_path, silent)
    found = [decode((tmp_path / name).read_bytes())[0] for name in names]
    np.testing.assert_array_equal(np.concatenate(found), samples()[[0, 2, 5, 7]])


def test_numbers_that_are_not_finite_calibrate_nothing(prepared, tmp_path):
    wrong = samples()
    wrong[2, ...] = np.nan
    np.savez(tmp_path / "data.npz", x=wrong)
    with pytest.raises(LoadError, match=r"data.npz\[2\]: 'x' holds numbers that are not finite"):
        written_samples(prepared, 10, tmp_path, silent)


def test_the_first_one_has_a_name(prepared):
    assert first_name(prepared) == "data.npz[0]"


def test_without_data_there_is_nothing(prepared, tmp_path):
    bare = replace(prepared, case=replace(prepared.case, hints=Hints()))
    assert written_samples(bare, 4, tmp_path, silent) == []
    assert first_name(bare) == ""


def test_data_that_went_away_are_one_line(prepared, tmp_path):
    (tmp_path / "data.npz").unlink()
    with pytest.raises(LoadError, match=r"data.npz: no such file") as told:
        written_samples(prepared, 4, tmp_path, silent)
    assert "\n" not in str(told.value)
