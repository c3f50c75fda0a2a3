"""Node data for Model Explorer."""

import json

from burn_verify.core.located import Finding, Located, NodeState
from burn_verify.report.views.node_data import node_data


def state(name, headroom=None, *, fails=False, known=True):
    return NodeState(name=name, op_type="Add", value=f"{name}:0", fails=fails, known=known, headroom=headroom)


def test_each_node_is_found_by_its_value_and_the_named_one_is_red():
    states = state("right", 0.25), state("wrong", 30.0, fails=True), state("none", known=False)
    made = json.loads(node_data(Located(model="m", target="t", finding=Finding.NODE, states=states)))
    assert made["results"]["right:0"] == {"value": 0.25}
    assert made["results"]["wrong:0"]["bgColor"] == made["thresholds"][-1]["bgColor"]
    assert made["results"]["none:0"]["bgColor"] not in {one["bgColor"] for one in made["thresholds"]}
    assert [one["value"] for one in made["thresholds"]] == sorted(one["value"] for one in made["thresholds"])
