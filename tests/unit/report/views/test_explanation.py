"""A forecast as text and as JSON."""

import dataclasses
import json

import numpy as np
import pytest
from onnx import TensorProto, helper

from burn_verify.core.target import Target
from burn_verify.forecast.cells import cells
from burn_verify.forecast.endings import ENDINGS, Ending
from burn_verify.forecast.model import ModelForecast, forecast
from burn_verify.forecast.typed import typed
from burn_verify.report.views.explanation import as_json, as_text, headline
from evidences import evidence, example, gather, relu, usual
from handmade import model, value


def of(made, doubts=()):
    return forecast(cells(typed(made)), usual(), doubts)


def text(made, doubts=()):
    return as_text("file/m", Target(), of(made, doubts), usual(), 120, ["rewriting: a sentence"])


def test_a_model_that_should_agree():
    found = text(relu())

    assert found.startswith("file/m on Burn 0.22.1 on flex: should agree\n")
    assert "first thing to change" not in found
    assert found.endswith("evidence: 10 cases of 2026-11-30 on Burn 0.22.1 flex with burn-onnx 0.22.0")


def test_a_model_that_will_be_refused_names_what_to_change():
    found = text(gather(axis=1))

    assert "will be refused: 1 node of 1 operator" in found
    assert "first thing to change: Gather g: op/gather-0 agrees, with axis 0 instead of 1" in found
    assert "\nrewriting: a sentence\n" in found
    assert "burn-verify prepare" not in text(relu())


def test_a_model_that_will_not_compile():
    assert headline(of(relu(TensorProto.INT64))) == "will not compile: 1 node of 1 operator"


def test_an_operator_that_is_not_there_is_told():
    node = helper.make_node("Relu", ["x"], ["y"], name="n", domain="com.microsoft")
    found = text(model([node], [value("x", shape=(2, 3))], [value("y", shape=(2, 3))]))

    assert "burn-onnx 0.22.0 has no com.microsoft.Relu; express it in other operators" in found


def test_what_nobody_tried_is_doubted():
    found = forecast(cells(typed(gather())), evidence(example("a", relu())))

    assert headline(found) == "cannot say: nothing near enough was tested for 1 node of Gather"


def test_a_model_with_doubts_is_not_said_to_agree():
    found = text(relu(), ["`W` and `w` differ in case only"])

    assert "cannot say: `W` and `w` differ in case only" in found
    assert "will be refused" in text(gather(axis=1), ["a doubt"])


def test_names_do_nothing_to_a_terminal():
    assert "\x1b" not in text(relu(name="\x1b[31mred"))


def test_json_has_every_node():
    found = as_json("file/m", Target(), of(gather(axis=1), ["a"]), usual())

    assert json.loads(json.dumps(found)) == found
    (node, *_) = found["nodes"]
    assert (found["forecast"], node["operator"], node["state"], node["node"]) == ("refused", "Gather", "refused", "g")
    assert node["case"] == "op/gather-1"
    assert found["doubts"] == ["a"]


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("refused", "will be refused, most likely for Gather g"),
        ("wrong numbers", "will run, and compute wrong numbers, most likely in Gather g"),
    ],
)
def test_where_no_node_is_sure_to_fail_the_likeliest_is_named(ending, said):
    likely = np.full(5, 0.1)
    likely[ENDINGS.index(ending)] = 0.6
    unsure = tuple((placed, dataclasses.replace(found, ending=None)) for placed, found in of(gather()).cells)
    suspect = (unsure[0][0], dataclasses.replace(unsure[0][1], likely=likely))

    assert headline(ModelForecast(ending=Ending(ending), sure=0.95, cells=(*unsure[1:], suspect))) == said
