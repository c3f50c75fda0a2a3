"""Data sets in the layout of onnx: in a folder of the model's name, or beside the only model of a folder."""

from burn_verify.cases.datasets import beside, data_sets


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_files_in_the_order_of_their_numbers(tmp_path):
    make(tmp_path, *(f"test_data_set_0/input_{number}.pb" for number in (10, 9, 0)), "test_data_set_0/input_x.pb")
    (found,) = data_sets(tmp_path)
    assert [path.name for path in found.inputs] == ["input_0.pb", "input_9.pb", "input_10.pb"]
    assert found.outputs == ()


def test_beside_the_only_model_of_a_folder(tmp_path):
    make(tmp_path, "model.onnx", "test_data_set_0/input_0.pb")
    assert [one.name for one in beside(tmp_path / "model")] == ["test_data_set_0"]
    make(tmp_path, "other.onnx.gz")
    assert beside(tmp_path / "model") == ()


def test_a_folder_of_the_models_name_comes_first(tmp_path):
    make(tmp_path, "model.onnx", "test_data_set_0/input_0.pb", "model/test_data_set_7/input_0.pb")
    assert [one.name for one in beside(tmp_path / "model")] == ["test_data_set_7"]
