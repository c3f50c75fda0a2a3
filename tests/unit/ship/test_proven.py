"""Only what passed is shipped."""

from pathlib import Path

import pytest

import shipped
from burn_verify.cli.common import one_case
from burn_verify.core.errors import CompareError, ConvertError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.ship.proven import prove, right
from fakes import Faults

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_a_model_that_passes_comes_with_its_answers(proven):
    assert proven.result.case_id == "file/add"
    assert list(proven.outputs) == ["seeded", "positive", "negative"]
    assert proven.about["verdict"] == "agrees"
    assert "file/add, sha256 `" in proven.about["model"]


def test_a_data_set_that_did_not_pass_is_not_shipped(proven):
    wrong = {**proven.outputs, "positive": [output + 1 for output in proven.outputs["positive"]]}
    assert list(right(proven.ready, wrong, proven.judge)) == ["seeded", "negative"]
    assert list(right(proven.ready, proven.outputs, proven.judge)) == list(proven.outputs)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults({("convert", "add"): ConvertError("refused")}), ConvertError),
        (Faults({("run", "add"): lambda outputs: [output + 1 for output in outputs]}), CompareError),
    ],
)
def test_a_model_that_does_not_pass_is_an_error(cache, faults, error):
    case = one_case(str(ADD), Settings(), cache)

    with pytest.raises(error):
        prove(Settings(), cache, case, shipped.seams(faults), silent)


def test_one_model_is_named(cache):
    with pytest.raises(UsageError, match="models: name one"):
        one_case(str(ADD.parent), Settings(), cache)
