"""The nodes of a model with their errors as node data for Model Explorer. Pure.

Model Explorer finds a node by the name of a value that it gives, and takes the JSON by ``--node_data``, or by *upload*.
"""

import json
import math
from typing import Final

from burn_verify.core.located import Located, NodeState

_FAILS: Final = "#d93025"
_UNKNOWN: Final = "#bdc1c6"
_THRESHOLDS: Final = ((0.1, "#ceead6"), (0.5, "#81c995"), (1.0, "#fdd663"))
_MOST: Final = 1e300


def node_data(located: Located) -> str:
    """Return the errors in units of the bound: above 1 a node is outside of it; red are the nodes that are named."""
    results = {state.value: _result(state) for state in located.states if state.value}
    thresholds = [{"value": value, "bgColor": colour} for value, colour in _THRESHOLDS]
    return json.dumps({"results": results, "thresholds": [*thresholds, {"value": _MOST, "bgColor": _FAILS}]}, indent=1)


def _result(state: NodeState) -> dict[str, object]:
    head = state.headroom or 0.0
    value = head if math.isfinite(head) else _MOST
    if state.fails:
        return {"value": value, "bgColor": _FAILS, "textColor": "white"}
    return {"value": value} if state.known and state.headroom is not None else {"value": value, "bgColor": _UNKNOWN}
