"""The numbers of one case as text."""

import numpy as np

from burn_verify.report.views.numbers import explanation, histogram
from reported import agrees, output, refused, wrong


def test_every_output_has_its_evidence():
    metrics = (output(0.5, bound="1e-5", reference="stored", max_abs=1e-6),)

    text = explanation(agrees("node/a", metrics=metrics))

    assert text.startswith("node/a: agrees\n")
    assert "seeded, Y: float32[2,3]" in text
    assert "measured against        stored" in text
    assert "headroom                0.5" in text


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
