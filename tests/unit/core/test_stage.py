"""Stages: their order, and words that are fit for a record."""

import json

from burn_verify.core.stage import Outcome, Stage


def test_a_model_is_converted_and_compiled_before_its_reference_counts():
    order = list(Stage)

    assert order.index(Stage.CONVERT) < order.index(Stage.COMPILE) < order.index(Stage.REFERENCE)
    assert order[0] is Stage.LOAD
    assert order[-1] is Stage.COMPARE


def test_a_stage_is_its_word_in_json():
    assert json.dumps([Stage.RUN, Outcome.PASSED]) == '["run", "passed"]'
    assert Stage("run") is Stage.RUN
