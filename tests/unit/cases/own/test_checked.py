"""Hints that do not fit the model: a line with what the model has."""

import numpy as np
import pytest

from burn_verify.cases.own.checked import check, dimensions, misfit, unknown
from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import Hints, ImageHint, InputHint, ModelFacts, OutputTolerance, TensorSpec

FACTS = ModelFacts(
    op_types=("Add",),
    opset=18,
    inputs=(
        TensorSpec(name="input_ids", dtype="int64", shape=("batch", "seq")),
        TensorSpec(name="past", dtype="float32", shape=("batch", 4, None, 8)),
    ),
    outputs=(TensorSpec(name="logits", dtype="float32", shape=("batch", 10)),),
)


@pytest.mark.parametrize(
    ("hints", "place", "words"),
    [
        (
            Hints(inputs=(InputHint(name="input_id"),)),
            "inputs[0].name",
            "no input 'input_id': did you mean 'input_ids'?",
        ),
        (Hints(inputs=(InputHint(name="zzz"),)), "inputs[0].name", "no input 'zzz': it has input_ids, past"),
        (
            Hints(inputs=(InputHint(name="input_ids", dtype="int32"),)),
            "inputs[0].dtype",
            "the input 'input_ids' is of int64, not int32",
        ),
        (
            Hints(inputs=(InputHint(name="past", shape=(1, 5, "n", 8)),)),
            "inputs[0].shape",
            "'past' is of shape [batch, 4, ?, 8], not [1, 5, n, 8]",
        ),
        (
            Hints(inputs=(InputHint(name="past", shape=(1, 4)),)),
            "inputs[0].shape",
            "is of shape [batch, 4, ?, 8], not [1, 4]",
        ),
        (Hints(dims=(("bach", 1),)), "dims.bach", "no dimension 'bach': did you mean 'batch'?"),
        (Hints(relations=(("whole", "seq + 1"),)), "dims.whole", "no dimension 'whole': it has batch, seq"),
        (
            Hints(tolerances=(OutputTolerance(output="logit", rtol=0, atol=1, reason="r"),)),
            "tolerances[0].output",
            "no output 'logit': did you mean 'logits'?",
        ),
        (Hints(images=ImageHint(input="pixels")), "images.input", "no input 'pixels'"),
    ],
)
def test_what_a_model_does_not_have(hints, place, words):
    with pytest.raises(Wrong) as caught:
        check(hints, FACTS)
    assert caught.value.place == place
    assert words in caught.value.text


def test_what_fits():
    check(
        Hints(
            dims=(("batch", 3), ("n", 2)),
            relations=(("seq", "2*n"),),
            inputs=(InputHint(name="past", dtype="float32", shape=("batch", 4, "n", 8)),),
        ),
        FACTS,
    )


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((1, 3), "f4"), "the file holds float32, the model takes int64"),
        (np.zeros(3, "i8"), "is of shape [batch, seq], not [3]"),
    ],
)
def test_a_file_that_does_not_fit(tmp_path, array, words):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(Wrong) as caught:
        check(Hints(inputs=(InputHint(name="input_ids", file=tmp_path / "x.npy"),)), FACTS)
    assert caught.value.place == "inputs[0].file"
    assert words in caught.value.text


def test_options_that_no_model_knows():
    hints = Hints(inputs=(InputHint(name="input_ids"), InputHint(name="masc")), dims=(("seq", 3), ("zzz", 2)))
    assert list(unknown(hints, [FACTS])) == [
        "--input (--burn-input): the model has no input 'masc': it has input_ids, past",
        "--dim (--burn-dim): the model has no dimension 'zzz': it has batch, seq",
    ]


def test_the_dimensions_of_a_model():
    assert dimensions(FACTS) == ["batch", "seq"]


def test_any_size_fits_an_unknown_dimension():
    assert misfit((5, 4, 3, 8), FACTS.inputs[1]) == ""
    assert misfit((5, 4, 3, 9), FACTS.inputs[1])
