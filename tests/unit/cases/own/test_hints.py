"""Options over the description beside the model, for files of the user's own only."""

import pytest

from burn_verify.cases.own.hints import hints_for
from burn_verify.core.case import Case, Hints, InputHint, ModelFacts, ModelFile, TensorSpec
from burn_verify.core.errors import LoadError

FACTS = ModelFacts(op_types=(), opset=18, inputs=(TensorSpec(name="x", dtype="float32", shape=("n", 3)),), outputs=())


def hints(path, text=None, corpus="file", **said):
    if text is not None:
        path.with_name("model.toml").write_text(text)
    case = Case(id="file/model", corpus=corpus, source=ModelFile(path=path), hints=Hints(**said))
    return hints_for(case, path, FACTS)


def test_without_a_description(tmp_path):
    assert hints(tmp_path / "model", dims=(("n", 2),)) == Hints(dims=(("n", 2),))


def test_options_win_over_the_description(tmp_path):
    text = "dims = {n = 7}\n[[inputs]]\nname = 'x'\nlow = 0\nhigh = 1\nshape = ['n', 3]"
    found = hints(tmp_path / "model", text, dims=(("n", 2),), inputs=(InputHint(name="x", value=1.0),))
    assert found.dims == (("n", 2),)
    assert found.inputs == (InputHint(name="x", value=1.0, shape=("n", 3)),)


def test_a_description_that_does_not_fit_names_file_and_place(tmp_path):
    with pytest.raises(LoadError, match=r"model\.toml: dims\.m: the model has no dimension 'm'"):
        hints(tmp_path / "model", "dims = {m = 7}")


def test_an_option_of_another_dtype_names_the_option(tmp_path):
    with pytest.raises(LoadError, match=r"--input \(--burn-input\): the input 'x' is of float32, not int64"):
        hints(tmp_path / "model", inputs=(InputHint(name="x", dtype="int64"),))


def test_a_model_of_the_zoo_has_no_description_of_the_user(tmp_path):
    assert hints(tmp_path / "model", "nonsense = 1", corpus="zoo") == Hints()
