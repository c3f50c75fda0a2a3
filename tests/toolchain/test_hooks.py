"""The example crate of hooks: RoiAlign agrees in all of ONNX's cases, and nothing changes without it."""

from pathlib import Path

from burn_verify.burn.checkouts import look
from burn_verify.burn.workspace import Workspace
from burn_verify.cases.select import Selection
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.result import JudgeMode
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.run.pipeline import Pipeline

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks" / "roi-align"


def test_roi_align_agrees_by_a_hook(cache):
    target = Target(hooks=look(cache, "hooks", str(EXAMPLE)))
    plain = Workspace.of(cache, silent, Target())
    before = plain.fingerprint, plain.converter_fingerprint
    chosen = Selection(cache, mirror=None, offline=True).choose([], ["node"], ["RoiAlign"]).cases
    cases = [case for case in chosen if "roialign" in case.id.lower()]
    # Two stored answers have four digits: ONNX Runtime and onnx's evaluator are as far from them as Burn is.
    pipeline = Pipeline(Settings(judge=JudgeMode.ONNX), cache)
    try:
        plan = pipeline.prepare(cases, target)
        found = {case.id: pipeline.verify(plan.cases[case.id]).result for case in cases}
    finally:
        pipeline.close()

    judged = {name: one for name, one in found.items() if one.stage is not Stage.REFERENCE}
    assert len(judged) > 6
    assert [(name, one.reason) for name, one in judged.items() if one.outcome is not Outcome.PASSED] == []
    assert (plain.fingerprint, plain.converter_fingerprint) == before
    assert Workspace.of(cache, silent, target).fingerprint == plain.fingerprint
