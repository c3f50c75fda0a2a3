"""When two sides agree: all of either side was compared, and nothing differs."""

import pytest

from burn_verify.core.comparison import ComparedOutput, Comparison, NotCompared
from burn_verify.core.result import OutputMetrics

METRICS = OutputMetrics(data_set="seeded", name="y", dtype="float32", shape=(1,), elements=1, mismatching=0)
ABOUT = {"case": "file/a", "data_set": "seeded"}
SAME = ComparedOutput(**ABOUT, name="y", other="y", by_name=True, verdict="agrees", metrics=METRICS)
OTHER = ComparedOutput(
    **ABOUT, name="z", other="z", by_name=True, verdict="differs", metrics=METRICS, difference="z: differs"
)
LEFT = NotCompared(**ABOUT, why="other inputs")


@pytest.mark.parametrize(
    ("compared", "left_out", "agrees"),
    [
        ((SAME,), (), True),
        ((SAME, SAME), (), True),
        ((SAME, OTHER), (), False),
        ((SAME,), (LEFT,), False),
        ((), (), False),
        ((), (LEFT,), False),
    ],
)
def test_two_sides_agree_only_where_everything_was_compared(compared, left_out, agrees):
    assert Comparison(sides=("", ""), compared=compared, left_out=left_out).agrees is agrees
