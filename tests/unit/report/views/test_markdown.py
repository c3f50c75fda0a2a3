"""The compatibility matrix in Markdown.

Run this file as a script to rewrite the golden report.
"""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import Record
from burn_verify.report.views import markdown
from evidences import result

GOLDEN = Path(__file__).parents[4] / "fixtures" / "golden" / "matrix.md"


def forecast(case_id, came, said):
    return result(case_id, came, details={"forecast": {"ending": said, "probability": 0.9}})


def test_forecasts_of_a_run_are_counted():
    results = (forecast("a", "agrees", "agrees"), forecast("b", "refused", "agrees"), forecast("c", "agrees", None))

    text = markdown.render(Record(results=results))

    assert "- 1 of 2 forecasts came true; of 1 case none was made\n- came otherwise: `b`" in text
    assert "## Forecasts" not in markdown.render(Record(results=(result("a"),)))


def a_result(case_id, stage, outcome, **fields):
    if stage is Stage.COMPARE:
        fields.setdefault("verdict", "agrees" if outcome is Outcome.PASSED else "disagrees")
    return CaseResult(case_id=case_id, corpus="zoo", stage=stage, outcome=outcome, **fields)


RECORD = Record(
    environment={"onnxruntime": "1.20.0", "machine": {"cpu": "a | b", "cores": 2}, "options": ["--zoo", "-k mnist"]},
    results=(
        a_result(
            "zoo/mnist-12",
            Stage.COMPARE,
            Outcome.PASSED,
            note="seeded stand-in",
            metrics=(
                OutputMetrics(
                    data_set="seeded",
                    name="Y",
                    dtype="float32",
                    shape=(1, 10),
                    elements=10,
                    mismatching=0,
                    max_abs=2.4e-7,
                    max_ulp=3,
                ),
            ),
        ),
        a_result("zoo/candy", Stage.CONVERT, Outcome.FAILED, reason="unsupported operators Crop, Affine"),
        a_result("zoo/gpt2-10", Stage.COMPILE, Outcome.FAILED, reason="expected `Tensor<2>` | found\n__Tensor__<*>"),
        a_result("op/Conv-22/[w]", Stage.RUN, Outcome.FAILED, message="aborted\nwith a log"),
        *(a_result(f"zoo/far-{number}", Stage.LOAD, Outcome.SKIPPED, reason="offline") for number in range(157)),
    ),
    target=Target(burn="0.22.0"),
)
REPORT = markdown.render(RECORD, {"zoo/candy": "unsupported operators"})


def test_the_report_is_the_golden_one():
    assert GOLDEN.read_text(encoding="utf-8") == REPORT, (
        "fixtures/golden/matrix.md differs; if the new report is right: python tests/unit/test_report_markdown.py"
    )


def test_an_empty_record_can_be_rendered():
    assert "No model was verified." in markdown.render(Record())


@given(st.text(), st.text())
@settings(deadline=None)
def test_a_row_stays_a_row(case_id, message):
    report = markdown.render(Record(results=(a_result(case_id, Stage.RUN, Outcome.FAILED, message=message),)))
    rows = [line for line in report.splitlines() if line.startswith("|")]

    # The heading, the rule and the one case, each of eight cells.
    assert [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows] == [9, 9, 9]


@given(st.text())
@settings(deadline=None)
def test_what_is_escaped_holds_no_markup(text):
    escaped = markdown.escape(text)

    assert not re.search(r"[<>\n\r]", escaped)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_|\[\]]", re.sub(r"\\\\", "", escaped))


if __name__ == "__main__":
    GOLDEN.write_text(REPORT, encoding="utf-8")
