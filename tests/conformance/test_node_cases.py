"""ONNX's own node tests through the product, as a user runs them."""

from collections import Counter

SILENT_ERRORS = (
    "resize_downsample_sizes_nearest",
    "spacetodepth_crd_mode_example",
    "averagepool_2d_dilations",
    "attention_local_window",
    "bitshift_left_int32_shift_ge_width",
    "batchnorm_example",
    "reduce_log_sum_exp_keepdims_random",
)
RANDOM = ("bernoulli", "bernoulli_seed", "training_dropout_default")


def test_every_node_case_ends_at_one_stage_and_as_expected(run):
    done, results = run("--conformance=node")
    assert done.ret == 0
    assert len(results) == 1884
    ended = Counter((line["stage"], line["verdict"]) for line in results.values())
    # What burn-onnx and rustc do not take is no matter of tolerance.
    assert [ended[stage, None] for stage in ("convert", "compile", "run")] == [477, 84, 61]
    assert sum(ended.values()) == 1884
    for name in SILENT_ERRORS:
        assert results[f"node/test_{name}"]["verdict"] == "disagrees"
    for name in RANDOM:
        assert results[f"node/test_{name}"]["verdict"] == "nondeterministic"
    kinds = {line["details"]["kind"] for line in results.values() if line["stage"] == "convert"}
    assert kinds <= {"unsupported operator", "unsupported attribute", "internal panic"}
    assert all(line["reason"] for line in results.values() if line["outcome"] == "failed")
