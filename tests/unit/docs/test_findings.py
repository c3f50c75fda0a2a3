"""Every graph that the findings name is one that is generated."""

import re
from pathlib import Path

import pytest

from burn_verify.cases.generated.build import Space, label
from burn_verify.cases.generated.registry import operator_specs

FINDINGS = Path(__file__).parents[3] / "docs" / "findings-burn-0.22.1.md"
IDS = sorted(set(re.findall(r"`(op/[^`]+)`", FINDINGS.read_text(encoding="utf-8"))))


def test_there_are_findings():
    assert len(IDS) > 40


@pytest.mark.parametrize("case_id", IDS)
def test_a_graph_that_is_named_exists(case_id):
    _, name, dtype, changed = case_id.split("/", 3)
    operator, _, version = name.rpartition("-")
    space = Space(operator_specs()[operator], int(version))
    default = {axis: label(axis, value) for axis, value in space.default.items()}
    axes = [] if changed == "default" else [part.split("=", 1) for part in changed.split(",")]
    choice = space.choice_of(dtype, {**default, **dict(axes)})
    assert choice is not None
    assert choice.id == case_id
