"""Texts become token ids, masks and segments."""

import json

import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.texts import Tokens
from burn_verify.core.case import TextHint
from documented import save_tokenizer

pytest.importorskip("tokenizers")
IDS = {name: ("int64", ["batch", "seq"]) for name in ("input_ids", "attention_mask", "token_type_ids")}


@pytest.fixture
def tokenizer(tmp_path):
    """A tokenizer of four words."""
    save_tokenizer(tmp_path / "tokenizer.json", {"[UNK]": 0, "a": 1, "small": 2, "cat": 3})
    return tmp_path / "tokenizer.json"


def tokens(model, inputs, tokenizer, **hint):
    return Tokens("texts.txt", model(inputs, texts=TextHint(tokenizer=tokenizer, **hint)))


def test_ids_mask_and_segments(model, tokenizer):
    found = tokens(model, IDS, tokenizer).inputs("texts.txt:1", ["a small cat"])
    assert {name: array.tolist() for name, array in found.items()} == {
        "input_ids": [[1, 2, 3]],
        "attention_mask": [[1, 1, 1]],
        "token_type_ids": [[0, 0, 0]],
    }


def test_a_length_cuts_and_pads(model, tokenizer):
    made = tokens(model, IDS, tokenizer, length=2)
    assert made.inputs("a", ["a small cat"])["input_ids"].tolist() == [[1, 2]]
    assert made.inputs("b", ["cat"])["attention_mask"].tolist() == [[1, 0]]
    assert made.how == "tokens by tokenizer.json, 2 of each text"


def test_a_length_that_the_model_fixes(model, tokenizer):
    made = tokens(model, {"ids": ("int32", [2, 4])}, tokenizer)
    assert made.batch == 2
    assert made.inputs("a", ["a", "a cat"])["ids"].tolist() == [[1, 0, 0, 0], [1, 3, 0, 0]]


def test_the_only_integers_are_the_ids(model, tokenizer):
    assert tokens(model, {"z": ("int64", ["n", "s"])}, tokenizer).inputs("a", ["cat"])["z"].tolist() == [[3]]


def test_a_text_without_a_token(model, tokenizer):
    with pytest.raises(Wrong, match="the text has no token"):
        tokens(model, IDS, tokenizer).inputs("a", [" "])


def test_no_tokenizer(model):
    with pytest.raises(Wrong, match="texts need a tokenizer"):
        tokens(model, IDS, None)


def test_a_tokenizer_that_cannot_be_read(model, tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": 3}))
    with pytest.raises(Wrong, match="no tokenizer that can be read"):
        tokens(model, IDS, tmp_path / "tokenizer.json")


def test_a_model_without_tokens(model, tokenizer):
    with pytest.raises(Wrong, match="the model takes no token ids: its inputs are x"):
        tokens(model, {"x": ("float32", ["n", 3])}, tokenizer)
