"""The table at the end of a run, at three widths, and its totals.

Run this file as a script to rewrite the golden reports.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.text import one_line
from burn_verify.report.views import terminal

GOLDEN = Path(__file__).parents[4] / "fixtures" / "golden"
NAN = float("nan")


def a_result(case_id, stage, outcome, **fields):
    if stage is Stage.COMPARE:
        fields.setdefault("verdict", "agrees" if outcome is Outcome.PASSED else "disagrees")
    return CaseResult(case_id=case_id, corpus="zoo", stage=stage, outcome=outcome, **fields)


def an_output(name="Y", mismatching=0, max_abs=None, max_ulp=None):
    return OutputMetrics(
        data_set="seeded",
        name=name,
        dtype="float32",
        shape=(6,),
        elements=6,
        mismatching=mismatching,
        max_abs=max_abs,
        max_ulp=max_ulp,
    )


RESULTS = [
    a_result(
        "zoo/mnist-12", Stage.COMPARE, Outcome.PASSED, metrics=(an_output(max_abs=2.4e-7, max_ulp=3), an_output("Z"))
    ),
    a_result(
        "zoo/resnet50-v1-12",
        Stage.COMPARE,
        Outcome.PASSED,
        note="seeded stand-in",
        metrics=(an_output(max_abs=0.0, max_ulp=0),),
    ),
    a_result(
        "zoo/candy",
        Stage.CONVERT,
        Outcome.FAILED,
        message="thread 'main' panicked",
        reason="unsupported operators Crop, ImageScaler, Affine",
    ),
    a_result(
        "zoo/a-model-with-quite-a-long-name-12-int8",
        Stage.COMPARE,
        Outcome.FAILED,
        note="seeded stand-in",
        metrics=(an_output(mismatching=4, max_abs=1.2e-3, max_ulp=43_100_000), an_output("Z", max_abs=1e-9, max_ulp=1)),
        reason="Y: float32[6] 4/6 elements differ, max_abs=1.2e-03 at [2], 43100000 ULP, bound 2.4e-06",
    ),
    a_result("zoo/yolov4", Stage.COMPILE, Outcome.FAILED, message="error[E0308]: mismatched types\n  --> lib.rs"),
    a_result("zoo/gpt2-10", Stage.RUN, Outcome.FAILED, reason="panicked: index out of bounds | see the log"),
    a_result("zoo/bert", Stage.COMPARE, Outcome.PASSED, metrics=(an_output(max_abs=NAN),)),
    a_result("zoo/tiny", Stage.REFERENCE, Outcome.SKIPPED, reason="ONNX Runtime has no kernel for Foo"),
    *(
        a_result(
            f"zoo/far-{number}", Stage.LOAD, Outcome.SKIPPED, reason="offline, and not in the cache: allow downloads"
        )
        for number in range(157)
    ),
]
EXPECTED = {"zoo/candy": "unsupported operators", "zoo/bert": "answers are not numbers"}
REPORTS = {
    "terminal-60.txt": terminal.render_table(RESULTS, EXPECTED, 60),
    "terminal-80.txt": terminal.render_table(RESULTS, EXPECTED, 80),
    "terminal-160.txt": terminal.render_table(RESULTS, EXPECTED, 160),
    "terminal-verbose.txt": terminal.render_table(RESULTS[:8], EXPECTED, 100, verbose=True),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_report_is_the_golden_one(name):
    assert REPORTS[name] + "\n" == (GOLDEN / name).read_text(encoding="utf-8"), (
        f"fixtures/golden/{name} differs; if the new report is right: python tests/unit/test_report_terminal.py"
    )


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width):
    report = terminal.render_table(RESULTS, EXPECTED, width)

    assert max(map(len, report.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 160])
def test_columns_are_aligned_where_characters_are_two_columns_wide(width):
    wide = [a_result("file/画像分類", Stage.COMPARE, Outcome.PASSED), *RESULTS[:3]]
    header, *lines = terminal.render_table(wide, EXPECTED, width).splitlines()
    rows = [line for line in lines if line.startswith(("file/", "zoo/"))]
    stages = ["compare", "compare", "compare", "convert"]

    assert [cell_len(row.partition(stage)[0]) for row, stage in zip(rows, stages, strict=True)] == 4 * [
        header.index("stage")
    ]


def result_strategy():
    return st.builds(
        CaseResult,
        case_id=st.text(min_size=1) | st.sampled_from(["zoo/a", "zoo/b"]),
        corpus=st.just("zoo"),
        stage=st.sampled_from(Stage),
        outcome=st.sampled_from(Outcome),
        verdict=st.sampled_from([None, "agrees", "disagrees", "nondeterministic"]),
        message=st.text(),
        reason=st.sampled_from(["", "same"]) | st.text(),
        note=st.none() | st.text(),
        metrics=st.lists(
            st.builds(
                an_output,
                mismatching=st.integers(0, 6),
                max_abs=st.none() | st.floats(min_value=0) | st.just(NAN),
                max_ulp=st.none() | st.integers(min_value=0),
            ),
            max_size=2,
        ).map(tuple),
    )


@given(st.lists(result_strategy(), max_size=12), st.integers(0, 200), st.booleans())
@settings(deadline=None)
def test_anything_can_be_rendered(results, width, verbose):
    report = terminal.render_table(results, {"zoo/a": "why"}, width, verbose)

    assert f" of {len(results)} agree" in one_line(report)
    assert "\r" not in report
    assert "\x1b" not in report


@given(st.lists(result_strategy(), max_size=12))
@settings(deadline=None)
def test_counts_add_up_and_only_a_comparison_is_agreement(results):
    totals = terminal.summary(results, {"zoo/a": "why"})

    assert totals.total == len(results)
    assert sum(totals.failed_at.values()) == totals.failed
    assert totals.agree <= totals.attempted <= totals.total - totals.skipped
    assert totals.expected_failures <= totals.failed
    assert totals.unexpected_passes <= totals.agree + totals.random
    compared = [each.verdict for each in results if each.outcome == "passed" and each.stage == "compare"]
    assert totals.agree == compared.count("agrees")
    assert totals.random == compared.count("nondeterministic")


def test_the_totals_in_words():
    passed = [a_result(f"zoo/{number}", Stage.COMPARE, Outcome.PASSED) for number in range(20)]
    refused = [a_result(f"zoo/r{number}", Stage.CONVERT, Outcome.FAILED) for number in range(9)]
    expected = {f"zoo/r{number}": "unsupported" for number in range(9)}

    assert terminal.totals_lines(terminal.summary(passed + refused, expected)) == [
        "20 of 29 agree (69% of all), 20 of 20 attempted (100%)",
        "9 refused by the converter, 0 do not compile, 0 failed while running, 0 disagree",
        "9 of the 9 failures are expected",
    ]


def test_a_refusal_is_never_a_pass():
    assert terminal.summary([a_result("a", Stage.CONVERT, Outcome.PASSED)]).agree == 0


def test_nothing_was_selected():
    assert terminal.render_table([], {}, 80).startswith("0 of 0 agree, 0 of 0 attempted\n")


def test_percentages_are_round_only_where_they_are():
    results = [a_result(str(number), Stage.COMPARE, Outcome.PASSED) for number in range(999)]
    results.append(a_result("last", Stage.COMPARE, Outcome.FAILED))

    assert "999 of 1000 agree (99% of all)" in terminal.render_table(results, {}, 100)


def test_few_skips_are_shown_one_by_one():
    skips = [a_result(f"zoo/{number}", Stage.LOAD, Outcome.SKIPPED, reason="offline") for number in range(3)]

    assert "zoo/2" in terminal.render_table(skips, {}, 80)


def test_verbose_folds_nothing():
    assert "zoo/far-156" in terminal.render_table(RESULTS, EXPECTED, 80, verbose=True)
    assert "zoo/far-156" not in terminal.render_table(RESULTS, EXPECTED, 80)


if __name__ == "__main__":
    for name, report in REPORTS.items():
        (GOLDEN / name).write_text(report + "\n", encoding="utf-8")
