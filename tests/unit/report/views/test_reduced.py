"""A reduction as text."""

from pathlib import Path

import pytest

from burn_verify.core.reduced import Reduced, Reduction
from burn_verify.core.stage import Stage
from burn_verify.report.views.reduced import reduced_text

FOUND = Reduced(
    model="file/m",
    target="Burn",
    reduction=Reduction.REDUCED,
    stage=Stage.COMPARE,
    reason="wrong values",
    guilty="burn",
    op_types=("Exp",),
    nodes=(12, 1),
    elements=(100, 3),
    changes=("size 5 to 1",),
    batches=4,
    seconds=61.2,
)


def test_what_was_kept_and_saved():
    text = reduced_text(FOUND, Path("tiny.onnx"))
    for words in (
        "compare: wrong values, guilty: burn",
        "12 nodes -> 1 node: Exp",
        "size 5 to 1",
        "4 compilations in 61 s",
    ):
        assert words in text
    assert text.endswith("written: tiny.onnx")


@pytest.mark.parametrize("reduction", sorted(set(Reduction) - {Reduction.REDUCED}))
def test_nothing_is_written_where_nothing_was_reduced(reduction):
    text = reduced_text(Reduced(model="m", target="t", reduction=reduction), Path("tiny.onnx"))
    assert text == f"m on t: {reduction}"
