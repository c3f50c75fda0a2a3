"""The titles of causes."""

import pytest

from burn_verify.core.stage import Stage
from burn_verify.report.summary.causes import NO_CODE, title_of


@pytest.mark.parametrize(
    ("stage", "key", "operator", "title"),
    [
        (Stage.COMPILE, "E0599", "", "a method the generated code calls does not exist: E0599"),
        (Stage.COMPILE, "E9999", "", "rustc refuses the generated code: E9999"),
        (Stage.COMPILE, NO_CODE, "", "the generated code does not compile: rustc names no code"),
        (Stage.COMPARE, "wrong values", "Conv", "wrong values: Conv"),
        (Stage.RUN, "panic: E0599", "", "panic: E0599"),
    ],
)
def test_a_cause_has_a_title(stage, key, operator, title):
    assert title_of(stage, key, operator) == title
