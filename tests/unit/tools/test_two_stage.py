"""The page about a detector of two stages."""

import two_stage


def blocker(name, message, op_type="Min"):
    return {"name": name, "op_type": op_type, "message": message, "first": 7}


FOUND = {
    "nodes": 40,
    "operators": {"Min": 3, "Shape": 2},
    "blockers": [
        blocker("a", "Failed to parse ONNX file 'cut-1.onnx': Node 'min1' (Min): no"),
        blocker("b", "Failed to parse ONNX file 'cut-9.onnx': Node 'min2' (Min): no"),
        blocker("c", "another | reason", "Shape"),
    ],
    "end": "run: no",
    "rewritings": [],
}
BURN = {"model": "m", "engine": "burn-0.22.1-hooks-1-flex", "AP": 0.5, "AP50": 0.5, "AP75": 0.5, "AR100": 0.5}
COMPARED = {"before": "baseline torch.json", "after": "m by burn-0.22.1-hooks-1-flex", "flips": {"count": 2}}
WHOLE = {
    **FOUND,
    "blockers": [],
    "end": "compare: 3 of 3 values agree",
    "rewritings": ["opset up"],
    "evaluated": {"evaluations": [BURN], "comparisons": [COMPARED]},
}


def test_what_is_in_the_way_is_counted_by_reason():
    text = two_stage.page({one.name: FOUND for one in two_stage.VARIANTS})
    assert "40 nodes that compute something; 3 of them (7.5 %) are in the way." in text
    assert "| Min | 2 | 3 | `Node 'min1' (Min): no` | `a` | 7 |" in text
    assert "| Shape | 1 | 2 | `another \\| reason` | `c` | 7 |" in text
    assert "The other 37, as one model that is fed values: run: no." in text


def test_what_goes_all_the_way_is_evaluated():
    text = two_stage.page({one.name: WHOLE for one in two_stage.VARIANTS})
    assert "Rewritten by `prepare`'s: opset up." in text
    assert "All of them, as one model that is fed values: compare: 3 of 3 values agree." in text
    assert "| Burn flex, with the hook | 0.500000 | 0.500000 | 0.500000 | 0.500000 | 2 |" in text
