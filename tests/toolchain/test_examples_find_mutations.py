"""Drawn values are worth their time: generated Rust with one thing changed, and the values that show it."""

from burn_verify.cases.generated.collection import Generated
from burn_verify.core.options import Settings, settings_from
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.steps import Ready
from burn_verify.system.cache import Cache
from toolchain.helpers import OwnCache, replacing, spoiling

EXAMPLES = 100
CHANGES = {
    # operands swapped
    "Sub-14": replacing("a.sub(b)", "b.sub(a)"),
    "Div-14": replacing("a.div(b)", "b.div(a)"),
    "Pow-15": replacing("x.powf(y)", "y.powf(x)"),
    "GreaterOrEqual-16": replacing("a.greater_equal(b)", "b.greater_equal(a)"),
    "Concat-13": replacing("[inputs_0, inputs_1]", "[inputs_1, inputs_0]"),
    "Where-16": replacing("y.mask_where(condition, x)", "x.mask_where(condition, y)"),
    # an operand, attribute or special case dropped
    "Conv-22": replacing("Some(b)", "None"),
    "Gemm-13": replacing("a.matmul(b) + c.unsqueeze()", "a.matmul(b)"),
    "Gather-13": replacing("indices.mask_where(negative, corrected)", "indices"),
    "ReduceSum-13": replacing("data.sum()", "data.mean()"),
    # a wrong axis
    "Softmax-13": replacing("softmax(input, 1)", "softmax(input, 0)"),
    "CumSum-14": replacing("cumsum(0)", "cumsum(1)"),
    # off by one
    "Slice-13": replacing("s![1..3,", "s![0..2,"),
    "OneHot-11": replacing(".one_hot_fill(", ".add_scalar(1).one_hot_fill("),
    "Trilu-14": replacing("triu(0)", "triu(1)"),
    "Less-13": replacing("a.lower(b)", "a.lower_equal(b)"),
    # a constant changed by 1e-3
    "LeakyRelu-16": replacing("leaky_relu(x, 0.01)", "leaky_relu(x, 0.011)"),
    "HardSigmoid-22": replacing("hard_sigmoid(x, 0.2, 0.5)", "hard_sigmoid(x, 0.201, 0.5)"),
    "MatMul-13": replacing("a.matmul(b)", "a.matmul(b).add_scalar(1e-3)"),
    "Elu-22": replacing("elu(x, 1.0)", "elu(x, 1.001)"),
}


def caught(cache, changes):
    """Return the operators on which drawn values fail; what is stored with the graphs is not looked at."""
    wanted = {f"op/{name}/float32/default": name for name in CHANGES}
    shared = Cache(settings_from({}).cache_dir)
    cases = Generated(shared).cases(sorted({name.rpartition("-")[0] for name in CHANGES}), "quick")
    chosen = [case for case in cases if case.id in wanted]
    assert len(chosen) == len(CHANGES)
    by_id = {f"op/{name}/float32/default": change for name, change in changes.items()}
    found = set()
    builder = spoiling(cache.folder("spoilt", "power"), by_id)
    pipeline = Pipeline(Settings(ops_examples=EXAMPLES), cache, builder=builder)
    try:
        plan = pipeline.prepare(chosen)
        for case in chosen:
            step = plan.cases[case.id]
            assert isinstance(step, Ready)
            drawn = pipeline.draw(step.built, shrink=False)
            if drawn.error is not None:
                found.add(wanted[case.id])
            else:
                assert drawn.agree >= EXAMPLES
    finally:
        pipeline.close()
    return found


def test_drawn_values_catch_what_was_tampered_with(cache: OwnCache):
    assert len(CHANGES) == 20
    assert caught(cache, {}) == set()
    missed = CHANGES.keys() - caught(cache, CHANGES)
    assert len(missed) <= 1, missed
