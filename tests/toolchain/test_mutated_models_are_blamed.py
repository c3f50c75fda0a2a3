"""Three of ONNX's own cases spoilt in three ways in one batch: three right blames, every other outcome unchanged."""

from burn_verify.cases.conformance.collection import Corpus
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.stage import Outcome, Stage
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from toolchain.helpers import OwnCache, replacing, spoiling

NAMES = ("abs", "neg", "floor", "ceil", "exp", "sqrt", "tanh", "relu", "bitcast_2d_float32_to_int32", "tril_zero")
CHANGES = {
    "node/test_abs": replacing("x.abs()", "x.abs().mul_scalar(1.01f32)"),
    "node/test_neg": replacing("x.neg()", "x.neg_and_more()"),
    "node/test_relu": replacing("burn::tensor::activation::relu(x)", "{ std::process::abort(); x }"),
}


def outcomes(cache, changes):
    cases = [case for case in Corpus(Cache(settings_from({}).cache_dir)).cases("node")]
    chosen = [case for case in cases if case.id.removeprefix("node/test_") in NAMES]
    builder = spoiling(cache.folder("spoilt", "cases"), changes)
    pipeline = Pipeline(Settings(), cache, builder=builder)
    try:
        plan = pipeline.prepare(chosen)
        return {case.id: pipeline.verify(plan.cases[case.id]).result for case in chosen}
    finally:
        pipeline.close()


def test_three_are_blamed_and_nobody_else(cache: OwnCache):
    before, after = outcomes(cache, {}), outcomes(cache, CHANGES)
    ended = {case_id: (result.stage, result.outcome) for case_id, result in after.items()}

    assert {before[case_id].outcome for case_id in CHANGES} == {Outcome.PASSED}
    assert {case_id: ended[case_id] for case_id in CHANGES} == {
        "node/test_abs": (Stage.COMPARE, Outcome.FAILED),
        "node/test_neg": (Stage.COMPILE, Outcome.FAILED),
        "node/test_relu": (Stage.RUN, Outcome.FAILED),
    }
    others = ended.keys() - CHANGES.keys()
    assert {id_: ended[id_] for id_ in others} == {id_: (before[id_].stage, before[id_].outcome) for id_ in others}
