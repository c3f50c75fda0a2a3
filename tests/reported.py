"""Records for the tests of reports: small ones, and one of any size."""

from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import Record
from burn_verify.report.summary.changes import compare
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.views import page

ENVIRONMENT = {"burn": "0.22.1", "burn_backend": "flex", "python": "3.13.1", "started": "2026-01-02T03:04:05Z"}


def output(headroom=None, **fields):
    said = {"data_set": "seeded", "name": "Y", "dtype": "float32", "shape": (2, 3), "elements": 6, "mismatching": 0}
    return OutputMetrics(**(said | fields), headroom=headroom)


def a_result(case_id, stage=Stage.COMPARE, outcome=Outcome.PASSED, verdict=None, **fields):
    if stage is Stage.COMPARE and verdict is None:
        verdict = "agrees" if outcome is Outcome.PASSED else "disagrees"
    return CaseResult(
        case_id=case_id, corpus=case_id.partition("/")[0], stage=stage, outcome=outcome, verdict=verdict, **fields
    )


def agrees(case_id, **fields):
    return a_result(case_id, **fields)


def wrong(case_id, **fields):
    return a_result(case_id, Stage.COMPARE, Outcome.FAILED, message="Y: 4/6 elements differ", **fields)


def refused(case_id, **fields):
    return a_result(case_id, Stage.CONVERT, Outcome.FAILED, reason="unsupported operator: Foo", **fields)


def no_program(case_id, **fields):
    details = {"codes": ["E0308"], "rust": "let x = y;", "line": 7}
    return a_result(case_id, Stage.COMPILE, Outcome.FAILED, reason="E0308: mismatched", details=details, **fields)


def no_device(case_id, **fields):
    reason = "device: no 64-bit integers"
    details = {"how": "device", "lacks": ["int64"]}
    kind = FailureKind.DEVICE
    return a_result(case_id, Stage.RUN, Outcome.FAILED, reason=reason, details=details, failure=kind, **fields)


def no_reference(case_id, **fields):
    return a_result(case_id, Stage.REFERENCE, Outcome.FAILED, reason="ONNX Runtime: exited", **fields)


def broken(case_id, **fields):
    """Return the result of a case for which this machine had no ONNX Runtime."""
    return no_reference(case_id, failure=FailureKind.MACHINE, **fields)


def skipped(case_id, **fields):
    return a_result(case_id, Stage.LOAD, Outcome.SKIPPED, reason="offline", **fields)


def a_record(*results, version="0.22.1", backend="flex", selection=None, **environment):
    return Record(
        environment={**ENVIRONMENT, "burn": version, "burn_backend": backend, **environment},
        selection=selection,
        results=results,
        phases={"compile": 2.0},
        target=Target(burn=version, burn_onnx=version, backend=backend),
    )


def a_failure(case_id="node/a", stage=Stage.RUN, op_type="Conv", **fields):
    """Return a failure of a case of one operator; of a graph of several where none is given."""
    subject = op_type and Subject(op_type=op_type, domain="", since_version=1, dtype="float32")
    fields.setdefault("op_types", (op_type,) if op_type else ("Conv", "MatMul", "ReduceL1"))
    return CaseResult(
        case_id=case_id, corpus="node", stage=stage, outcome=Outcome.FAILED, subject=subject or None, **fields
    )


def of_operator(name, op_type="Conv", version=22, dtype="float32", make=agrees, **fields):
    subject = Subject(op_type=op_type, domain="", since_version=version, dtype=dtype)
    return make(f"node/{name}", subject=subject, op_types=(op_type,), opset=version, **fields)


def rendered(*records, old=None, past=(), expected=None):
    """Return the page of records, beside those of an old run and of past ones."""
    merged = merge(records)
    comparisons = compare(merge([old]), merged) if old else ()
    return page.render(
        Findings(matrix=merged, expected=(expected or {},) * len(merged.columns), comparisons=comparisons, past=past)
    )


def many(count, version="0.22.1"):
    """Return a record of so many cases, in every way a case can end, with messages as long as real ones."""
    makers = (agrees, agrees, agrees, wrong, refused, no_program, agrees, no_reference)
    operators = ("Conv", "MatMul", "Softmax", "Attention", "Resize", "Pad", "Cast", "TopK")
    results = []
    for place in range(count):
        make = makers[place * 7 % 8 if place % 100 else 7]
        make = agrees if make is no_reference and place % 100 else make
        headroom = 10.0 ** (-(place % 60) / 10) * (2.0 if make is wrong else 1.0)
        metrics = (
            (output(headroom, max_abs=1e-6, max_ulp=place, bound="1e-5 + 1e-3 · |desired|"),)
            if make in (agrees, wrong)
            else ()
        )
        result = (
            of_operator(f"test_{place}", operators[place % 8], (13, 22)[place % 2], make=make, metrics=metrics)
            if place % 10
            else make(f"zoo/model-{place}", op_types=operators[:3], metrics=metrics)
        )
        results.append(result)
    return a_record(*results, version=version)
