"""The page about `burn-verify locate` on models of the zoo."""

from locate_zoo import report

LINE = {
    **{"name": "m", "seconds": 9.0, "mib": 300, "load": 1.0, "code": 1, "finding": "a node is wrong", "reason": "r"},
    **{"stage": "convert", "proof": "not tried", "kind": "node", "named": ["n"], "cells": ["Add-7/float32"]},
    **{"obstacles": ["r"], "nodes": 4, "pieces": 8, "aside": 0, "unknown": 0, "phases": {}},
}


def test_failing_and_passing_models_are_told_apart():
    passing = LINE | {"name": "p", "stage": None, "finding": "nothing wrong", "named": [], "cells": [], "aside": 2}
    broken = {"name": "x", "error": "no such model"}
    text = report([LINE, LINE | {"finding": "cannot say", "named": [], "cells": []}, passing, broken])
    assert "Models that fail: 2, an obstacle named in 1." in text
    assert "n (Add-7/float32)" in text
    assert "Of 8 pieces of these, 2 fail (25.00%); named: 0." in text
    assert "- x: no such model" in text
