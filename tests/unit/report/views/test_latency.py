"""Latency as it is recorded and shown: beside the verdict, and struck out where that is bad."""

import dataclasses

import pytest

from burn_verify.core.latency import Ratio
from burn_verify.core.target import Target
from burn_verify.record.codec import Record
from burn_verify.report.files import artefacts, files
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.views import latency as report
from timed import latency, result, side


def test_a_name_that_looks_like_a_mark_is_none():
    markdown = report.as_markdown([result(case_id="~~zoo/a"), result("disagrees", case_id="~~zoo/b")])
    assert r"\~\~zoo/a" in markdown
    assert r"\~\~zoo/b" in markdown
    assert "~~2.00 ms~~" in markdown


@pytest.mark.parametrize("verdict", ["agrees", "loose", "oracle_disagrees", "nondeterministic", "insensitive"])
def test_a_time_stands_beside_its_verdict(verdict):
    text = report.as_text([result(verdict)])
    assert verdict.replace("_", " ") in text
    assert "2.00 ms" in text
    assert "2.00 (1.90 to 2.10)" in text
    assert "~" not in text


def test_a_fast_wrong_answer_is_struck_out_with_the_reason():
    text, markdown = report.as_text([result("disagrees")]), report.as_markdown([result("disagrees")])
    assert "~2.00 ms~" in text
    assert "~~2.00 ms~~" in markdown
    assert "struck out: Y: 4/6 elements differ" in text
    assert " 2.00 ms" not in text


def test_what_is_too_noisy_is_not_said():
    noisy = latency(ratio=Ratio(value=2.0, low=0.5, high=9.0, noisy=True))
    text = report.as_text([result(latency=noisy)])
    assert "too noisy to say (0.50 to 9.00)" in text
    assert "2.00 (" not in text


def test_what_is_missing_is_said():
    text = report.as_text([result(latency=latency(burn=None, ratio=None, why="the release build fails: boom"))])
    assert "zoo/mnist-12: the release build fails: boom" in text


def test_one_that_never_got_steady_is_named():
    assert "Burn was not steady after 10 calls" in report.as_text([result(latency=latency(burn=side(stable=False)))])


def test_nothing_timed_is_nothing_shown():
    assert report.as_text([result(latency=None)]) == report.as_markdown([]) == ""


def test_the_matrix_and_the_page_have_it():
    record = Record(results=(result(), result("disagrees", "zoo/other")), target=Target())
    text = artefacts(record, {})["compatibility-matrix.md"]
    assert "## Latency" in text
    assert "~~2.00 ms~~" in text
    page = files(Findings(matrix=merge([record]), expected=({},)))["index.html"]
    assert "<s>2.00 ms</s>" in page
    assert "<td>2.00 ms</td>" in page


def test_a_page_without_times_has_no_place_for_them():
    record = Record(results=(result(latency=None),), target=Target())
    page = files(Findings(matrix=merge([record]), expected=({},)))["index.html"]
    assert ">Latency" not in page


@pytest.mark.parametrize(("value", "said"), [(2, "2.00 s"), (0.25, "250 ms"), (12.3e-6, "12.3 µs"), (5e-9, "5.00 ns")])
def test_times_have_three_digits(value, said):
    assert report.seconds(value) == said


@pytest.mark.parametrize(("value", "said"), [(None, ""), (12, "12 B"), (1536, "1.50 KiB"), (300 << 20, "300 MiB")])
def test_sizes_have_three_digits(value, said):
    assert report.size(value) == said


def test_a_result_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        latency().threads = 3
