"""What a device lacks is counted for itself, and never among what Burn does wrong."""

from burn_verify.core.result import Guilty
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.error_lines import sections_of
from burn_verify.report.summary.findings import counts_of
from burn_verify.report.summary.totals import summary, totals_lines
from burn_verify.report.views.failures import as_json
from reported import a_record, a_result, agrees, no_device, output

PANIC = a_result("a/3", Stage.RUN, Outcome.FAILED, reason="panic: oh", details={"how": "panic"})
RESULTS = (agrees("a/1"), no_device("a/2"), PANIC)


def test_the_sentences_name_it():
    totals = summary(RESULTS)
    assert (totals.total, totals.attempted, totals.failed, totals.device) == (3, 2, 2, 1)
    assert totals.failed_at[Stage.RUN] == 1
    agree, ends, *_ = totals_lines(totals)
    assert agree == "1 of 3 agree (33% of all), 1 of 2 attempted (50%)"
    assert ends.endswith("1 failed while running, 0 disagree, 1 not run for what the device lacks")


def test_without_it_nothing_is_said():
    assert "device" not in "".join(totals_lines(summary([agrees("a/1"), PANIC])))


def test_it_is_in_no_section_of_failures():
    told = [line.key for section in sections_of(RESULTS, {}) for line in section.lines]
    assert told == ["panic: oh"]
    assert as_json(a_record(*RESULTS))["summary"] == (
        "Of 3 cases, Burn fails 0 at CONVERT, 0 at COMPILE, 1 at RUN and 0 at COMPARE "
        "(of the others, 1 passed, 1 need what the device lacks)."
    )


def test_a_column_counts_it_as_silent():
    numbers = counts_of(merge([a_record(*RESULTS)]).columns[0])
    assert (numbers.agree, numbers.failed, numbers.silent) == (1, 1, 1)


def test_the_program_that_is_wrong_is_named():
    results = [
        a_result(f"a/{place}", verdict="oracle_disagrees", metrics=(output(guilty=guilty),))
        for place, guilty in enumerate((Guilty.ONNXRUNTIME, Guilty.REFERENCE, Guilty.ONNXRUNTIME))
    ]
    said = "2 where ONNX Runtime is wrong and 1 where onnx's reference evaluator is wrong"
    assert f"of those that agree, {said}" in totals_lines(summary(results))
    (alone,) = (line for line in totals_lines(summary(results[1:2])) if line.startswith("of those"))
    assert "ONNX Runtime" not in alone
    loosely = a_result("a/9", verdict="loose")
    assert f"of those that agree, 1 loosely, {said}" in totals_lines(summary([*results, loosely]))
