"""A record of schema 1 is read, and says what it said then: the file was written by the version before schema 2.

Most lines are of a real run; those of ``zoo/`` without numbers are what that version wrote of a machine in trouble.
"""

import json
from pathlib import Path

import pytest

from burn_verify.core.result import Guilty
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.expectations.update import no_evidence
from burn_verify.record import codec, schema1, store
from burn_verify.report.summary.ends import blamed_operator
from burn_verify.report.summary.states import state_of

PATH = Path(__file__).parents[3] / "fixtures" / "record-schema-1.jsonl"
LINES = [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]
# The state that is shown, what ended the case, why that says nothing of Burn, and the operator that is to blame.
KNOWN = {
    "node/test_clip_default_int8_min_expanded": ("agrees", None, None, "several"),
    "zoo/mlperf-tiny-ic-resnet8": ("agrees", None, None, "several"),
    "node/test_compress_0": ("refused", FailureKind.REFUSED, None, "Compress"),
    "simple/test_sequence_model8": ("refused", FailureKind.REFUSED, None, "several"),
    "zoo/rf_iris-skl": ("refused", FailureKind.REFUSED, None, "several"),
    "node/test_dft": ("refused", FailureKind.REFUSED, None, "DFT"),
    "node/test_attention_local_window_rank1_boolean_mask": ("refused", FailureKind.REFUSED, None, "Attention"),
    "node/test_averagepool_2d_dilations": ("wrong", FailureKind.MISMATCH, None, "AveragePool"),
    "zoo/squeezenet-fp16": ("loose", None, None, "several"),
    "zoo/ultraface-RFB-320": ("agrees", None, None, "several"),
    "simple/test_gradient_of_add": ("refused", FailureKind.REFUSED, None, "ai.onnx.preview.training.Gradient"),
    "node/test_cast_INT2_to_FLOAT16": ("no-program", FailureKind.REFUSED, None, "Cast"),
    "op/Shape-1/int64/shape=rank0,data=init": ("wrong", FailureKind.MISMATCH, None, "Shape"),
    "op/ConstantOfShape-25/uint64/target=3,input=run": ("wrong", FailureKind.MISMATCH, None, "ConstantOfShape"),
    "op/Bernoulli-15/float16/shape=5,seed=3.0,out=float32": ("random", None, None, "Bernoulli"),
    "op/Abs-6/int64/shape=1,X=shape,dims=symbolic": ("no-program", FailureKind.REFUSED, None, "Abs"),
    "node/test_cast_INT2_to_INT8": ("no-value", FailureKind.NO_VALUE, None, "Cast"),
    "node/test_dft_opset19": ("failed", FailureKind.PANIC, None, "DFT"),
    "node/test_resize_downsample_scales_linear_align_corners": ("wrong", FailureKind.MISMATCH, None, "Resize"),
    "op/Identity-25/uint8/shape=0x3,dims=symbolic": ("insensitive", None, None, "Identity"),
    "op/Less-13/int64/shape=3~3,A=shape,B=shape": ("wrong", FailureKind.MISMATCH, None, "Less"),
    "op/DepthToSpace-1/uint16/blocksize=3,dims=symbolic": ("agrees", None, None, "DepthToSpace"),
    "op/DeformConv-22/bfloat16/strides=2,dilations=2,pads=1,group=2,offset_group=2,extra=bias,"
    "X=init,W=init,offset=init,B=init": (
        "oracle",
        None,
        None,
        "DeformConv",
    ),
    "op/ai.onnx.ml.OneHotEncoder-1/int32/zeros=1,X=const": (
        "silent",
        FailureKind.NO_REFERENCE,
        None,
        "ai.onnx.ml.OneHotEncoder",
    ),
    "op/RandomUniform-1/float64/shape=1x2x3,seed=3.0,low=0.5": ("wrong", FailureKind.MISMATCH, None, "RandomUniform"),
    "zoo/super-resolution-10": ("agrees", None, None, "several"),
    "zoo/gone": ("silent", FailureKind.MACHINE, "no such file", "several"),
    "zoo/offline": ("silent", None, None, "several"),
    "zoo/slow": ("failed", FailureKind.TIMEOUT, "timeout", "several"),
    "zoo/large": ("refused", FailureKind.MEMORY, "memory", "several"),
    "zoo/deep": ("refused", FailureKind.KILLED, None, "several"),
    "zoo/shot": ("failed", FailureKind.ENDED_FROM_OUTSIDE, "ended from outside", "several"),
    "zoo/abort": ("failed", FailureKind.KILLED, None, "several"),
    "zoo/never": ("failed", FailureKind.NOT_STARTED, "its process was not started", "several"),
    "zoo/quiet": ("silent", FailureKind.TIMEOUT, "timeout", "several"),
    "zoo/refuser": ("silent", FailureKind.REFUSED, None, "several"),
    "zoo/crash": ("failed", FailureKind.NO_RESULT, "no result", "several"),
    "zoo/babble": ("refused", FailureKind.PROTOCOL, None, "several"),
}


@pytest.fixture(scope="module")
def records():
    return store.read_run(PATH)


@pytest.fixture(scope="module")
def results(records):
    return {result.case_id: result for result in records[0].results}


def test_every_line_is_of_schema_1_and_is_known_here(results):
    assert {line["schema_version"] for line in LINES} == {1}
    assert set(results) == set(KNOWN) == {line["case_id"] for line in LINES if line["kind"] == "result"}
    assert {line["kind"] for line in LINES} == {*codec.KINDS} - {"difference"}


@pytest.mark.parametrize("case_id", KNOWN)
def test_it_shows_what_it_showed(results, case_id):
    result = results[case_id]
    why = no_evidence(result) if result.outcome is Outcome.FAILED else None

    assert (state_of(result).key, result.failure, why, blamed_operator(result)) == KNOWN[case_id]


def test_every_end_is_in_the_file():
    told = {(line["stage"], line["outcome"]) for line in LINES if line["kind"] == "result"}

    assert {(stage, "failed") for stage in Stage} <= told
    ended = {failure for _, failure, *_ in KNOWN.values()}
    # An error instead of an answer, a process that ends by itself, and what ends with a run left no line to keep.
    left = {FailureKind.ERROR, FailureKind.EXITED, FailureKind.CLOSED, FailureKind.BUDGET}
    # Schema 1 is older than these.
    later = {FailureKind.DEVICE, FailureKind.INTERNAL, FailureKind.NOT_SERVABLE, FailureKind.USAGE}
    assert ended == {None, *FailureKind} - left - later


def test_metrics_of_a_task_are_read_by_name(results):
    old = {line["case_id"]: line["metrics"] for line in LINES if line["kind"] == "result"}
    seen = set()
    for case_id, result in results.items():
        for output, written in zip(result.metrics, old[case_id], strict=True):
            assert output.metrics == {name: written[name] for name in ("top1", "top5", "iou") if name in written}
            assert output.guilty == Guilty(written.get("guilty", ""))
            seen |= set(output.metrics)
    assert seen == {"top1", "top5", "iou"}


def test_what_is_written_again_is_of_today_and_means_the_same(records, results):
    for result in results.values():
        line = json.loads(codec.result_to_line(result, records[0].target))
        assert line["schema_version"] == codec.SCHEMA_VERSION == 2
        # By their text: not-a-number is unequal to itself.
        assert repr(codec.result_from_json(line)) == repr(result)


def test_the_target_that_did_not_start_is_read(records):
    assert records[1].failure == "wgpu does not start: no adapter"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"stage": "run", "details": {"how": "error"}, "reason": "error: no such module"}, FailureKind.ERROR),
        ({"stage": "run", "details": {"how": "exited"}, "message": "ended with exit code 1"}, FailureKind.EXITED),
        ({"stage": "reference", "reason": "ONNX Runtime: closed"}, FailureKind.CLOSED),
        ({"stage": "compile", "reason": "over the compile budget"}, FailureKind.BUDGET),
        ({"stage": "run", "message": "the runner cannot be started: no such file"}, FailureKind.NOT_STARTED),
        ({}, FailureKind.REFUSED),
    ],
)
def test_what_left_no_line_is_read_all_the_same(line, kind):
    assert schema1.failure_of(line) is kind


def test_what_is_no_result_is_told():
    with pytest.raises(ValueError, match="not a result"):
        codec.result_from_json({"schema_version": 1, "details": 3})
