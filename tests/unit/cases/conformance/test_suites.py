"""The suites of ONNX's own cases, by name."""

import pytest

from burn_verify.cases.conformance.suites import LIGHT, SUITES, light_cases, suites_of
from burn_verify.core.case import Seeded
from burn_verify.core.errors import UsageError


def test_names_become_suites_each_once_in_a_fixed_order():
    assert suites_of(["pytorch", "Node", "pytorch-converted"]) == ("node", "pytorch-converted", "pytorch-operator")
    assert suites_of(["all"]) == SUITES


def test_an_unknown_suite_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no suite is called 'nodes': choose from all, pytorch, node"):
        suites_of(["nodes"])


def test_the_light_suite_has_random_weights_and_says_so():
    cases = light_cases()

    assert cases
    assert all(case.id.startswith(f"{LIGHT}/") and isinstance(case.source, Seeded) for case in cases)
    assert all("random weights" in case.note for case in cases)
