"""The example crate of hooks: RoiAlign agrees in all of ONNX's cases, and nothing changes without it."""

from pathlib import Path

from burn_verify.burn.checkouts import look
from burn_verify.burn.workspace import Workspace
from burn_verify.cases.select import Selection
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Target
from burn_verify.run.pipeline import Pipeline

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks" / "roi-align"


def test_roi_align_agrees_by_a_hook(cache):
    target = Target(hooks=look(cache, "hooks", str(EXAMPLE)))
    plain = Workspace.of(cache, silent, Target())
    before = plain.fingerprint, plain.converter_fingerprint
    chosen = Selection(cache, mirror=None, offline=True).choose([], ["node"], ["RoiAlign"]).cases
    cases = [case for case in chosen if "roialign" in case.id.lower()]
    pipeline = Pipeline(Settings(), cache)
    try:
        plan = pipeline.prepare(cases, target)
        found = {case.id: pipeline.verify(plan.cases[case.id]).result for case in cases}
    finally:
        pipeline.close()

    assert len(found) > 3
    assert [(name, one.reason) for name, one in found.items() if one.outcome is not Outcome.PASSED] == []
    assert (plain.fingerprint, plain.converter_fingerprint) == before
    assert Workspace.of(cache, silent, target).fingerprint == plain.fingerprint
