"""A model.toml becomes hints; every mistake is one line with file, place and what is allowed."""

import numpy as np
import pytest

from burn_verify.cases.own.described import beside, parse, read
from burn_verify.core.case import (
    Distribution,
    Fill,
    Hints,
    ImageHint,
    InputHint,
    OutputTolerance,
    TextHint,
)
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind

WHOLE = """
data = ["calibration.npz", "photos"]

[dims]
batch = [1, 3, 1]
seq = 7
total = "past + seq"

[[inputs]]
name = "ids"
dtype = "int64"
shape = ["batch", "2*seq", 4]
low = 0
high = 30522

[[inputs]]
name = "mask"
fill = "ones"

[[inputs]]
name = "n"
fill = 3

[[inputs]]
name = "x"
distribution = "uniform"
low = -1.5

[[inputs]]
name = "y"
file = "y.npy"

[[tolerances]]
output = "logits"
rtol = 1e-2
reason = "weights in 8 bits"

[images]
resize = 256
crop = 224
layout = "NCHW"
mean = [0.485, 0.456, 0.406]
deviation = 0.5

[texts]
tokenizer = "tokenizer.json"
length = 128
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with everything that `WHOLE` names."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "calibration.npz").touch()
    (tmp_path / "tokenizer.json").touch()
    np.save(tmp_path / "y.npy", np.zeros(2))
    return tmp_path


def test_every_key_of_a_description(folder):
    assert parse(WHOLE, folder) == Hints(
        dims=(("batch", 1), ("seq", 7)),
        sizes=(("batch", (1, 3)), ("seq", (7,))),
        relations=(("total", "past + seq"),),
        inputs=(
            InputHint(name="ids", dtype="int64", shape=("batch", "2*seq", 4), low=0, high=30522),
            InputHint(name="mask", fill=Fill.ONES),
            InputHint(name="n", value=3),
            InputHint(name="x", distribution=Distribution.UNIFORM, low=-1.5),
            InputHint(name="y", file=folder / "y.npy"),
        ),
        tolerances=(OutputTolerance(output="logits", rtol=0.01, atol=0.0, reason="weights in 8 bits"),),
        data=(folder / "calibration.npz", folder / "photos"),
        images=ImageHint(resize=(256,), crop=(224, 224), layout="NCHW", mean=(0.485, 0.456, 0.406), deviation=(0.5,)),
        texts=TextHint(tokenizer=folder / "tokenizer.json", length=128),
    )


def test_an_empty_description_says_nothing(tmp_path):
    assert parse("", tmp_path) == Hints()


BAD = {
    "no TOML": ("[[inputs]\n", "not TOML"),
    "unknown table": (
        "[input]\nname = 'x'",
        "input: no such key: did you mean 'inputs'? allowed are inputs, dims, data",
    ),
    "unknown key": (
        "[[inputs]]\nname = 'x'\nlwo = 1",
        "inputs[0].lwo: no such key: did you mean 'low'? allowed are name",
    ),
    "no name": ("[[inputs]]\nlow = 1", "inputs[0]: the key 'name' is missing: a table of name, shape"),
    "a table, not an array": (
        "[inputs]\nname = 'x'",
        "inputs: an array of tables [[inputs]] is needed, not {'name': 'x'}",
    ),
    "text for a number": ("[[inputs]]\nname = 'x'\nlow = '1'", "inputs[0].low: a number is needed, not '1'"),
    "a truth for a number": ("[[inputs]]\nname = 'x'\nlow = true", "inputs[0].low: a number is needed, not True"),
    "not finite": ("[[inputs]]\nname = 'x'\nhigh = inf", "inputs[0].high: a finite number is needed, not inf"),
    "not a number": ("[images]\nmean = [0.5, nan]", "images.mean[1]: a finite number is needed, not nan"),
    "an empty range": (
        "[[inputs]]\nname = 'x'\nlow = 3\nhigh = 3",
        "inputs[0].high: a number above low, 3, is needed, not 3",
    ),
    "unknown fill": (
        "[[inputs]]\nname = 'x'\nfill = 'twos'",
        'inputs[0].fill: "zeros", "ones", "arange" or a number is needed, not \'twos\'',
    ),
    "two fills": ("[[inputs]]\nname = 'x'\nfill = 'ones'\nvalue = 1", "inputs[0].fill: there is 'value' already"),
    "unknown dtype": (
        "[[inputs]]\nname = 'x'\ndtype = 'flaot32'",
        "inputs[0].dtype: no dtype of ONNX: 'flaot32': did you mean 'float32'?",
    ),
    "unknown distribution": (
        "[[inputs]]\nname = 'x'\ndistribution = 'gamma'",
        'inputs[0].distribution: "normal" or "uniform" is needed, not \'gamma\'',
    ),
    "negative shape": (
        "[[inputs]]\nname = 'x'\nshape = [-1, 3]",
        "inputs[0].shape[0]: a whole number from 0, the name of a dimension",
    ),
    "a call in a shape": (
        "[[inputs]]\nname = 'x'\nshape = ['f(n)']",
        "inputs[0].shape[0]: 'f(n)' is no expression of names",
    ),
    "an input twice": ("[[inputs]]\nname = 'x'\n[[inputs]]\nname = 'x'", "inputs[1].name: 'x' is there twice"),
    "no file": ("[[inputs]]\nname = 'x'\nfile = 'gone.npy'", "inputs[0].file: no such file or folder: 'gone.npy'"),
    "another file": (
        "[[inputs]]\nname = 'x'\nfile = 'x.csv'",
        "inputs[0].file: the path of a .npy file is needed, not 'x.csv'",
    ),
    "negative size": (
        "dims = {n = -1}",
        "dims.n: a whole number from 0, an array of them such as [1, 3], or an expression",
    ),
    "no sizes": ("dims = {n = []}", "dims.n: a whole number from 0, an array of them"),
    "a wrong expression": ("dims = {n = 'a +'}", "dims.n: 'a +' is no expression of names"),
    "a circle": ("dims = {a = 'b', b = 'a + 1'}", "dims: the dimension 'a' depends on itself: a → b → a"),
    "no data": ("data = 'photos-of-last-year'", "data: no such file or folder: 'photos-of-last-year'"),
    "one path of two": ("data = ['.', 'gone']", "data[1]: no such file or folder: 'gone'"),
    "no reason": ("[[tolerances]]\noutput = 'y'\nrtol = 0.1", "tolerances[0]: the key 'reason' is missing"),
    "no allowance": ("[[tolerances]]\noutput = 'y'\nreason = 'r'", "tolerances[0]: 'rtol' or 'atol' is missing"),
    "a negative allowance": (
        "[[tolerances]]\noutput = 'y'\nreason = 'r'\natol = -1",
        "tolerances[0].atol: a number from 0 is needed, not -1",
    ),
    "unknown layout": ("[images]\nlayout = 'CHW'", 'images.layout: "NCHW" or "NHWC" is needed, not \'CHW\''),
    "a crop that is too large": (
        "[images]\nresize = 224\ncrop = 256",
        "images.crop: at most [224, 224], the size after resize",
    ),
    "a deviation of nothing": ("[images]\ndeviation = [1, 0, 1]", "images.deviation: a number above 0, or an array"),
    "no tokenizer": ("[texts]\ntokenizer = 'gone.json'", "texts.tokenizer: no such file or folder: 'gone.json'"),
    "no length": ("[texts]\nlength = 0", "texts.length: a whole number from 1 is needed, not 0"),
    "a date": ("data = 1979-05-27", "data: a path, or an array of paths is needed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_line(name, tmp_path):
    text, words = BAD[name]
    (tmp_path / "model.toml").write_text(text)
    with pytest.raises(LoadError) as caught:
        read(tmp_path / "model.toml")
    assert caught.value.message.startswith(f"model.toml: {words}")
    assert "\n" not in caught.value.message
    assert caught.value.kind is FailureKind.USAGE


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "model.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LoadError, match=r"model\.toml: not TOML: it is no text in UTF-8"):
        read(tmp_path / "model.toml")


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "model.toml").mkdir()
    with pytest.raises(LoadError, match=r"model\.toml: cannot be read: Is a directory"):
        read(tmp_path / "model.toml")


def test_the_description_lies_beside_the_model(tmp_path):
    assert beside(tmp_path / "net.v2") == tmp_path / "net.v2.toml"
