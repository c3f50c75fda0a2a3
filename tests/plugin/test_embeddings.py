"""Every command of docs/embeddings.md is run as it stands there, on a small encoder, with stand-ins for engines."""

import json
import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.run.kept_outputs import BURN, kept_in
from documented import code_of, commands_of, run, save_tokenizer
from handmade import model, value

TEXT = (Path(__file__).parents[2] / "docs" / "embeddings.md").read_text(encoding="utf-8")
COMMANDS = commands_of(TEXT)
(DESCRIPTION,) = code_of(TEXT, "toml")
WORDS = {"[UNK]": 0, "[PAD]": 1, "a": 2, "small": 3, "cat": 4, "dog": 5}


def encoder():
    """Return a model of a vector for each token, and one for the first: as BERT's outputs are called."""
    table = numpy_helper.from_array(np.random.default_rng(0).normal(size=(6, 4)).astype("f4"), "table")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"]),
        helper.make_node("Gather", ["last_hidden_state", "zero"], ["first"], axis=1),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["mask", "one"], ["top"], keepdims=1),
        helper.make_node("Mul", ["first", "top"], ["pooler_output"]),
    ]
    ids = [value(name, TensorProto.INT64, ["batch", "seq"]) for name in ("input_ids", "attention_mask")]
    outputs = [value("last_hidden_state", shape=["batch", "seq", 4]), value("pooler_output", shape=["batch", 4])]
    zero, one = (numpy_helper.from_array(np.array(number), name) for number, name in ((0, "zero"), ([1], "one")))
    return model(nodes, ids, outputs, [table, zero, one])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with all that the page names."""
    onnx.save(encoder(), tmp_path / "encoder.onnx")
    save_tokenizer(tmp_path / "tokenizer.json", WORDS)
    (tmp_path / "sentences.txt").write_text("a small cat\na dog\n")
    (tmp_path / "pairs.csv").write_text('a cat,"a small cat",4.5\na cat,a dog,1.0\nsmall dog,a dog,3.0\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_every_command_runs(folder, capsys):
    said = "".join(run(command, capsys) for command in COMMANDS)
    assert "2 of 2 samples agree" in said
    assert "spearman" in said
    found = json.loads((folder / "out" / "comparison.json").read_text())
    assert [one["engine"] for one in found["evaluations"]] == ["fake", "burn-flex"]
    assert all("pooler_output" in one.arrays(BURN) for one in kept_in(folder / "kept"))


@pytest.mark.parametrize(
    ("output", "pooling"),
    [("last_hidden_state", "mean"), ("last_hidden_state", "first"), ("pooler_output", "none")],
)
def test_the_description_chooses_the_vector(folder, capsys, output, pooling):
    said = DESCRIPTION.replace('output = "last_hidden_state"', f'output = "{output}"')
    (folder / "encoder.toml").write_text(said.replace('pooling = "mean"', f'pooling = "{pooling}"'))
    run("burn-verify evaluate encoder.onnx --data pairs.csv -o out", capsys)
    (first, *_) = json.loads((folder / "out" / "eval_pairs_fake" / "predictions.json").read_text())
    table = numpy_helper.to_array(encoder().graph.initializer[0]).astype(float)
    left, right = table[[WORDS["a"], WORDS["cat"]]], table[[WORDS["a"], WORDS["small"], WORDS["cat"]]]
    one, two = (left.mean(0), right.mean(0)) if pooling == "mean" else (left[0], right[0])
    assert first["cosine"] == pytest.approx(one @ two / np.linalg.norm(one) / np.linalg.norm(two), abs=1e-6)


def test_the_description_is_valid():
    assert set(tomllib.loads(DESCRIPTION)) == {"task", "texts"}
