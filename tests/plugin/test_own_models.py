"""Models of one's own: 25 bad descriptions and data files in one run, one line each, and the other models' results."""

import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.cli import main
from fakes import Faults, seams
from handmade import model, value

GOOD = np.ones((2, 2), "f4")


def npz(**arrays):
    def write(path):
        np.savez(path, **arrays)

    return write


def text(content):
    return lambda path: path.write_text(content)


def binary(content):
    return lambda path: path.write_bytes(content)


def truncated(path):
    np.savez(path, x=np.ones((64, 2), "f4"))
    path.write_bytes(path.read_bytes()[:200])


def foreign_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.md", "none")


DESCRIPTIONS = {
    "not-toml": ("[[inputs]", "not TOML"),
    "unknown-key": ("[[inputs]]\nname = 'x'\nhihg = 1", "inputs[0].hihg: no such key: did you mean 'high'?"),
    "unknown-input": ("[[inputs]]\nname = 'z'", "inputs[0].name: the model has no input 'z': it has x"),
    "another-dtype": ("[[inputs]]\nname = 'x'\ndtype = 'int64'", "inputs[0].dtype: the input 'x' is of float32"),
    "another-rank": ("[[inputs]]\nname = 'x'\nshape = [1, 2, 3]", "inputs[0].shape: 'x' is of shape [n, 2]"),
    "another-size": ("[[inputs]]\nname = 'x'\nshape = ['n', 3]", "inputs[0].shape: 'x' is of shape [n, 2]"),
    "unknown-dimension": ("dims = {m = 3}", "dims.m: the model has no dimension 'm': it has n"),
    "wrong-expression": ("dims = {n = '2**k'}", "dims.n: '2**k' is no expression of names"),
    "impossible-size": ("dims = {n = [1, -3]}", "dims.n: a whole number from 0, an array of them"),
    "unknown-output": (
        "[[tolerances]]\noutput = 'z'\nrtol = 1\nreason = 'r'",
        "tolerances[0].output: the model has no",
    ),
    "an-empty-range": ("[[inputs]]\nname = 'x'\nlow = 1\nhigh = 0", "inputs[0].high: a number above low, 1, is needed"),
    "no-such-data": ("data = 'gone.npz'", "data: no such file or folder: 'gone.npz'"),
    "no-sample-for-it": ("data = 'no-sample-for-it.toml'", "nothing that can be fed: .npz, .npy"),
}
DATA = {
    "no-archive.npz": (binary(b"text"), "no-archive.npz: it cannot be read"),
    "truncated.npz": (truncated, "truncated.npz: it cannot be read"),
    "no-arrays.npz": (foreign_archive, "no-arrays.npz: it holds no array"),
    "wrong-name.npz": (npz(pixels=GOOD), "wrong-name.npz: 'pixels' is neither an input nor an output"),
    "wrong-shape.npz": (npz(x=np.ones((2, 5), "f4")), "'x' is of shape [n, 2], not [1, 5]"),
    "wrong-dtype.npz": (npz(x=np.array([["a", "b"]])), "it is of string, the model takes float32"),
    "unequal.npz": (
        npz(x=GOOD, y=np.ones((3, 2), "f4")),
        "as many samples of each array are needed, not 2 of 'x', 3 of 'y'",
    ),
    "cut-short.npy": (binary(b"\x93NUMPY"), "cut-short.npy: it cannot be read"),
    "damaged.safetensors": (binary(b"\x00" * 40), "damaged.safetensors: it cannot be read"),
    "no-json.jsonl": (text("{'x': 1}"), "no-json.jsonl:1: no JSON"),
    "ragged.jsonl": (text('{"x": [[1, 2], [3]]}'), "ragged.jsonl:1: x: an array of float32 is needed"),
    "empty.jsonl": (text("\n"), "empty.jsonl: it holds no line"),
    "an-image.png": (binary(b"\x89PNG"), "no input of four dimensions for an image"),
}


@pytest.fixture
def folder(tmp_path):
    """A folder of models, all of which but two have a description or data that are wrong."""
    made = model(
        [helper.make_node("Add", ["x", "x"], ["y"])], [value("x", shape=["n", 2])], [value("y", shape=["n", 2])]
    )
    for name in ("good", "plain", *DESCRIPTIONS, *(name.partition(".")[0] for name in DATA)):
        onnx.save(made, tmp_path / f"{name}.onnx")
    for name, (description, _) in DESCRIPTIONS.items():
        (tmp_path / f"{name}.toml").write_text(description)
    for name, (write, _) in DATA.items():
        write(tmp_path / name)
        (tmp_path / f"{name.partition('.')[0]}.toml").write_text(f"data = '{name}'")
    np.savez(tmp_path / "good.npz", x=GOOD)
    (tmp_path / "good.toml").write_text("data = 'good.npz'\n[[inputs]]\nname = 'x'\nlow = 0\nhigh = 1\n")
    return tmp_path


def test_each_is_one_line_and_the_others_keep_their_results(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder), "--burn-cache-dir", str(folder / "cache")], seams(Faults()))
    out, err = capsys.readouterr()
    assert ended.value.code == 4
    assert f"2 of {len(DESCRIPTIONS) + len(DATA) + 2} agree" in out
    assert "file/good: 2 of 2 samples agree" in out
    assert "Traceback" not in err
    stopped = {
        line.partition(" stopped at LOAD: ")[0].split()[-1]: line for line in err.splitlines() if "stopped at" in line
    }
    assert len(stopped) == len(DESCRIPTIONS) + len(DATA) >= 25
    for name, (_, words) in {**DESCRIPTIONS, **DATA}.items():
        assert words in stopped[f"file/{name.partition('.')[0]}"]
        assert str(folder) not in stopped[f"file/{name.partition('.')[0]}"]


def test_pytest_ends_with_the_code_of_a_usage_error(folder, pytester, as_a_user):
    for name in ("good.onnx", "good.toml", "good.npz", "unknown-key.onnx", "unknown-key.toml"):
        (folder / name).rename(pytester.path / name)
    tests = Path(__file__).parents[1]
    pytester.makeini(f"[pytest]\npythonpath = {tests}\n")
    pytester.makeconftest("from fakes import seams\n\n\ndef pytest_burn_verify_seams():\n    return seams()\n")
    done = pytester.runpytest_subprocess("--models=.", f"--burn-cache-dir={folder / 'cache'}")
    assert done.ret == 4
    done.assert_outcomes(passed=1, failed=1)
