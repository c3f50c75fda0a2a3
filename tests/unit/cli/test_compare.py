"""``burn-verify compare``: exit codes and one line for a mistake."""

from pathlib import Path

import pytest

from fakes import Faults, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def off(outputs):
    return [output + 1 for output in outputs]


def test_what_agrees_is_exit_code_0(command, tmp_path):
    assert command("verify", ADD, "--keep-outputs", tmp_path / "kept", seams=seams())[0] == 0

    code, out, _ = command("compare", tmp_path / "kept", ADD, seams=seams())

    assert code == 0
    assert "A and B agree: " in out


def test_verify_says_where_answers_are_kept(command, tmp_path):
    _, out, _ = command("verify", ADD, "--keep-outputs", tmp_path / "kept", seams=seams())

    assert f"answers are kept in {tmp_path / 'kept'}" in out


def test_what_differs_is_exit_code_1(command, tmp_path):
    faults = Faults({("run", "add"): off})
    assert command("verify", ADD, "--keep-outputs", tmp_path / "kept", seams=seams(faults))[0] == 1

    code, out, _ = command("compare", tmp_path / "kept", ADD, seams=seams())

    assert code == 1
    assert "A and B do not agree: 0 of " in out
    assert command("compare", tmp_path / "kept", ADD, "--answers", "reference", seams=seams())[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required: A, B"),
        (["FOLDER"], "the following arguments are required: B"),
        (["nowhere.onnx", ADD], "nowhere.onnx: no such file or folder"),
        ([ADD, "nowhere"], "nowhere: no such file or folder"),
        (["FOLDER", ADD], "holds no answers that were kept"),
        (["FOLDER", "FOLDER"], "holds no answers that were kept"),
        ([ADD, __file__], "not an ONNX file"),
        ([ADD, ADD, "--answers", "mine"], "--answers: invalid choice: 'mine'"),
        ([ADD, ADD, "--judge", "kind"], "--judge: default, strict, onnx are known"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(command, tmp_path, words, said):
    (tmp_path / "empty").mkdir()
    code, out, err = command(
        "compare", *(tmp_path / "empty" if word == "FOLDER" else word for word in words), seams=seams()
    )

    assert (code, out) == (4, "")
    assert said in err
    assert "Traceback" not in err


def test_a_file_in_place_of_the_folder(command, tmp_path):
    (tmp_path / "file").touch()

    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        code, _, err = command("verify", ADD, "--keep-outputs", place, seams=seams())
        assert code == 4
        assert "--keep-outputs" in err
