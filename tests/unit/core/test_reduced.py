"""A reduction as JSON."""

import json

from burn_verify.core.reduced import Reduced, Reduction
from burn_verify.core.stage import Stage


def test_a_reduction_is_json():
    found = Reduced(model="m", target="t", reduction=Reduction.REDUCED, stage=Stage.RUN, nodes=(9, 1))
    said = json.loads(json.dumps(found.to_json()))
    assert (said["reduction"], said["stage"], said["nodes"]) == ("reduced", "run", [9, 1])
