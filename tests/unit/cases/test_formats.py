"""Kinds of files that are no ONNX models: by name, and the line that exports them."""

from pathlib import PurePosixPath

import pytest

from burn_verify.cases import formats


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.pt", formats.PYTORCH),
        ("MODEL.PTH", formats.PYTORCH),
        ("a.b.safetensors", formats.SAFETENSORS),
        ("m.ort", formats.ORT),
        ("m.tflite", formats.TFLITE),
        ("m.keras", formats.KERAS),
        ("m.h5", formats.HDF5),
        ("frozen.pb", formats.FROZEN),
        ("m.mlmodel", formats.CORE_ML),
        ("m.mlpackage", formats.CORE_ML_PACKAGE),
        ("m.onnx.json", formats.ONNX_TEXT),
        ("m.tar", formats.ARCHIVE),
        ("model.onnx", None),
        ("model.onnx.gz", None),
        ("mnist-12", None),
        ("pt", None),
    ],
)
def test_by_name(name, kind):
    assert formats.by_name(name) is kind


@pytest.mark.parametrize("kind", formats.FORMATS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", ["model.x", "my model's {stem}.x", ".x", "modèle.x"])
def test_a_refusal_is_one_line_that_names_the_file(kind, name):
    said = kind.refusal(PurePosixPath("folder") / name)

    assert said.startswith(f"folder/{name}: {kind.name}, not an ONNX model: ")
    assert "\n" not in said


def test_no_two_kinds_share_a_suffix():
    suffixes = [suffix for kind in formats.FORMATS for suffix in kind.suffixes]

    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


def test_a_name_in_a_shell_is_quoted():
    assert "--tflite 'my model.tflite' --output my_model.onnx" in formats.TFLITE.refusal(
        PurePosixPath("my model.tflite")
    )


@pytest.mark.parametrize(
    ("inside", "name", "kind"),
    [
        ("saved_model.pb", "folder", formats.SAVED_MODEL),
        ("Manifest.json", "m.mlpackage", formats.CORE_ML_PACKAGE),
        ("model.pt", "folder", None),
    ],
)
def test_of_a_folder(tmp_path, inside, name, kind):
    folder = tmp_path / name
    folder.mkdir()
    (folder / inside).touch()

    assert formats.of_folder(folder) is kind
