"""An evaluation as a table and as JSON."""

import json
from dataclasses import replace

from burn_verify.report.views.evaluation import comparison_json, drift_json, evaluated_json, evaluation_text
from burn_verify.task.drift import Drift
from burn_verify.task.evaluated import Change, Comparison, Cost, Evaluated, Tier
from burn_verify.task.protocol import Flip

RUN = Evaluated(
    model="m",
    engine="onnxruntime",
    dataset="d",
    digest="abc",
    metrics={"top1": 0.75, "top5": float("nan")},
    cost=Cost(seconds=2.0, rate=3.25, memory=64.4),
)
REFUSED = Evaluated(model="m", engine="burn-flex", dataset="d", digest="abc", error="convert: no RoiAlign")
CHANGE = Change(before=0.75, after=0.5, difference=-0.25, drop=0.25, tier=Tier.WARNING, interval=(-0.5, 0.0))
FLIPS = tuple(Flip(sample=f"s{place}", kind="class", text="class 1 became 2", weight=1.0) for place in range(7))
COMPARISON = Comparison(
    before="m by onnxruntime",
    after="m by burn-flex",
    check="the same data, abc",
    samples=8,
    changes={"top1": CHANGE},
    tier=Tier.WARNING,
    flips=FLIPS,
    worst=(("s0", float("inf")),),
    exceeded=("top1 differs by -0.250000: warning",),
)


def test_the_text():
    text = evaluation_text([RUN, REFUSED], [COMPARISON])
    assert "0.750000  nan   " in text
    assert "\nm by burn-flex: convert: no RoiAlign\n" in text
    assert "m by burn-flex beside m by onnxruntime: warning" in text
    assert "top1  0.750000  0.500000  -0.250000  warning  95 % in [-0.500000, +0.000000]" in text
    assert "7 decisions flipped in 7 of 8 samples: 7 class" in text
    assert "s4: class 1 became 2" in text
    assert "s5: class" not in text
    assert "and 2 more" in text
    assert "FAILS: top1 differs by -0.250000: warning" in text


def test_the_json_has_no_numbers_that_json_has_not():
    found = evaluated_json(RUN)
    assert (found["top1"], found["top5"], found["samples_per_second"]) == (0.75, None, 3.25)
    assert evaluated_json(REFUSED)["error"] == "convert: no RoiAlign"
    other = comparison_json(COMPARISON)
    assert other["worst"] == [{"sample": "s0", "distance": None}]
    assert (other["flips"]["count"], other["flips"]["by_kind"], other["passes"]) == (7, {"class": 7}, False)
    json.dumps([found, other], allow_nan=False)
    assert comparison_json(Comparison(before="a", after="b", check="not compared"))["flips"] is None


DRIFT = Drift(
    before="m",
    after="m8",
    engines=("onnxruntime", "burn-flex"),
    samples=8,
    metrics={"top1": (-0.125, 0.0)},
    share=0.5,
    alone={"onnxruntime": tuple(f"s{place}" for place in range(6))},
    exceeded=("50.0 % of the drift of the samples differs, allowed are 10 %",),
)


def test_a_drift():
    text = evaluation_text([RUN], [], [DRIFT])
    assert "drift from m to m8 by onnxruntime and by burn-flex: not the same" in text
    assert "top1 -0.125000 and +0.000000" in text
    assert "flipped by onnxruntime only: s0, s1, s2, s3, s4 and 1 more" in text
    assert "FAILS: 50.0 %" in text
    found = json.loads(json.dumps(drift_json(DRIFT)))
    assert found["metrics"] == {"top1": {"onnxruntime": -0.125, "burn-flex": 0.0}}
    assert found["passes"] is False


def test_bytes_and_calls():
    run = replace(RUN, size=1234, cost=replace(RUN.cost, call=(1.5, 1.25, 2.0)))
    assert "1,234" in evaluation_text([run], [])
    assert "1.5 [1.25, 2]" in evaluation_text([run], [])
    found = evaluated_json(run)
    assert (found["bytes"], found["call_ms"]) == (1234, {"median": 1.5, "low": 1.25, "high": 2.0})
    assert evaluated_json(RUN)["call_ms"] is None
