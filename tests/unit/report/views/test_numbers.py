"""The numbers of one case as text."""

import math

import numpy as np
import pytest

from burn_verify.core.result import Mismatch
from burn_verify.report.views.numbers import explanation, histogram
from reported import agrees, output, refused, wrong


def test_every_output_has_its_evidence():
    metrics = (output(0.5, bound="1e-5", reference="stored", max_abs=1e-6),)

    text = explanation(agrees("node/a", metrics=metrics))

    assert text.startswith("node/a: agrees\n")
    assert "seeded, Y: float32[2,3]" in text
    assert "measured against          stored" in text
    assert "headroom                  0.5" in text


@pytest.mark.parametrize(("share", "said"), [(0.25, "25.00%"), (9.036e5, "9.04e+05 times")])
def test_a_share_of_rounding_is_a_percentage_or_a_multiple(share, said):
    text = explanation(agrees("node/a", metrics=(output(0.5, rounding_share=share),)))
    assert f"of what rounding explains {said}" in text


def test_a_case_without_a_verdict_says_where_it_stopped():
    assert explanation(refused("node/a")) == "node/a: none: it stopped at convert"


def test_a_message_is_shown():
    assert "Y: 4/6 elements differ" in explanation(wrong("node/a"))


def test_answers_add_a_histogram():
    metrics = (output(0.5),)
    one = np.ones(4, np.float32)

    text = explanation(agrees("node/a", metrics=metrics), {("seeded", "Y"): (one, one)})

    assert "ULP" in text


def test_classes_of_a_histogram_double():
    desired = np.ones(4, np.float32)
    steps = np.array([0, 1, 3, 5])
    actual = (desired.view(np.int32) + steps.astype(np.int32)).view(np.float32)

    counts = [line.split()[-2] for line in histogram(actual, desired)[1:]]

    assert counts == ["1", "1", "1", "1"]
    assert histogram(np.array([1]), np.array([2])) == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (output(12.0, mismatching=2), "  2/6 elements outside of what is allowed"),
        (output(math.inf, mismatching=1), "  1/6 elements outside of what is allowed"),
        (output(0.4, mismatching=2), "  no element outside of what is allowed, but 2/6 elements together further off"),
        (output(0.4), "  0/6 elements outside of what is allowed"),
        (output(mismatching=2), "  2/6 elements outside of what is allowed"),
        (output(mismatching=6, problem=Mismatch.SHAPE), "  wrong shape"),
    ],
)
def test_headroom_and_what_is_allowed_do_not_contradict_each_other(entry, said):
    assert said in explanation(wrong("node/a", metrics=(entry,)))


def test_what_verifies_nothing_and_what_was_left_out_is_told():
    entry = output(0.4, insensitive="the output is all zero")
    text = explanation(agrees("file/a", metrics=(entry,), details={"doubt": "Y is 1 and NaN"}))

    assert "verifies nothing          the output is all zero" in text
    assert "left out, as it accuses nobody: Y is 1 and NaN" in text
