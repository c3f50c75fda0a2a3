"""Tables of samples and labels."""

import numpy as np
import pytest

from burn_verify.cases.labelled.entry import Labels
from burn_verify.cases.labelled.tables import labelled_table
from burn_verify.cases.own.schema import Wrong
from labelled import readable, rows


def read(path, labels=Labels.CLASS):
    return labelled_table(path, "t", labels, readable())


def test_rows_are_read_one_at_a_time(tmp_path):
    found = read(rows(tmp_path / "a.npz"))
    assert [one.label for one in found.entries] == [0, 1, 2, 1]
    assert [one.name for one in found.entries][:2] == ["a.npz[0]", "a.npz[1]"]
    assert np.array_equal(found.entries[1].items[0].read()["x"], [[0, 1, 0]])


def test_one_array_of_another_name_is_for_the_only_input(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.ones((2, 3)), y=np.array([1, 2]))
    found = read(tmp_path / "a.npz")
    assert list(found.entries[0].items[0].read()) == ["x"]


def test_labels_that_are_no_classes_are_told(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((4, 3)), labels=np.array([1, -1, 0.5, np.nan]))
    found = read(tmp_path / "a.npz")
    assert len(found.entries) == 1
    assert [line.partition(":")[0] for line in found.broken] == ["a.npz[1]", "a.npz[2]", "a.npz[3]"]


def test_values(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)), values=np.array([[1, 2], [3, np.inf]]))
    found = read(tmp_path / "a.npz", Labels.VALUES)
    assert found.entries[0].label == (1.0, 2.0)
    assert len(found.broken) == 1


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.ones((2, 3))}, "it has no labels: an array named labels or label"),
        ({"labels": np.ones(2)}, "none of the inputs x"),
        ({"x": np.ones((2, 3)), "z": np.ones(2), "labels": np.ones(2)}, "'z' is none of the inputs x"),
        ({"x": np.ones((3, 3)), "labels": np.ones(2)}, "'labels' has 2 rows, and 'x' has 3"),
        ({"x": np.ones((0, 3)), "labels": np.ones(0)}, "it holds no sample"),
    ],
)
def test_a_table_that_is_none_is_told(tmp_path, arrays, said):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(Wrong, match=said):
        read(tmp_path / "a.npz")


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK no zip")
    with pytest.raises(Wrong, match="it cannot be read"):
        read(tmp_path / "a.npz")
