"""A graph and its twin: where compiled Burn answers otherwise to the same, nobody else has to know what is right."""

from burn_verify.cases.generated.collection import Generated
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.stage import Outcome, Stage
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from toolchain.helpers import OwnCache, replacing, spoiling


def results(cache, changed):
    """Return the results of a graph whose operand is a constant, and of its twin; the twin may be tampered with."""
    cases = {case.id: case for case in Generated(Cache(settings_from({}).cache_dir)).cases(["Conv"], "nightly")}
    case = next(case for case in cases.values() if case.source.twin and case.id.startswith("op/Conv-22/float32/"))
    changes = {case.source.twin: replacing("Some(b)", "None")} if changed else {}
    builder = spoiling(cache.folder("spoilt", "twins"), changes)
    pipeline = Pipeline(Settings(), cache, builder=builder)
    try:
        plan = pipeline.prepare([case, cases[case.source.twin]])
        twin = plan.cases[case.source.twin]
        return pipeline.verify(plan.cases[case.id], twin=twin).result, pipeline.verify(twin).result
    finally:
        pipeline.close()


def test_twins_that_agree_say_so(cache: OwnCache):
    mine, twin = results(cache, changed=False)
    assert (mine.outcome, twin.outcome) == (Outcome.PASSED, Outcome.PASSED)
    assert f"as {twin.case_id}" in mine.details["twins"]


def test_a_twin_that_answers_otherwise_fails_a_graph_that_agrees_with_its_reference(cache: OwnCache):
    mine, twin = results(cache, changed=True)
    assert (mine.stage, mine.outcome, mine.reason) == (Stage.COMPARE, Outcome.FAILED, "twins differ")
    assert twin.case_id in mine.message
    assert mine.details["twins_differ"] == mine.message
    assert (twin.stage, twin.reason) == (Stage.COMPARE, "wrong values")
