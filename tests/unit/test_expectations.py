"""Expected failures: parsed with their line, matched by pattern, joined by stage."""

from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify import expectations
from burn_verify.errors import UsageError
from burn_verify.expectations import Expectation
from burn_verify.types import CaseResult, Outcome, Stage

TEXT = """\
# A comment that says pattern = "nothing".
[[expect]]
pattern = "zoo/candy"
stage = "convert"
reason = "unsupported operators Crop, ImageScaler, Affine"
link = "https://example.org/1"

[[expect]]
# its keys in another order
stage = "compare"
reason = '''spread over
two lines'''
pattern = "zoo/candy"
"""
ENTRY = '[[expect]]\npattern = "a"\nstage = "run"\nreason = "r"\n'


def an_expectation(pattern, stage=Stage.CONVERT, reason="why", **changes):
    return Expectation(**{"source": "f.toml", "line": 1} | changes, pattern=pattern, stage=stage, reason=reason)


def a_result(case_id, stage, outcome):
    return CaseResult(case_id=case_id, corpus="zoo", stage=stage, outcome=outcome)


def test_entries_know_where_they_are_written():
    assert expectations.parse(TEXT, "0.22-flex.toml") == (
        an_expectation(
            "zoo/candy",
            reason="unsupported operators Crop, ImageScaler, Affine",
            link="https://example.org/1",
            source="0.22-flex.toml",
            line=3,
        ),
        an_expectation("zoo/candy", Stage.COMPARE, reason="spread over two lines", source="0.22-flex.toml", line=13),
    )


def test_an_inline_array_has_lines_too():
    text = '\nexpect = [\n {pattern="a", stage="run", reason="r"},\n {pattern="b", stage="run", reason="r"}]\n'

    assert [(entry.pattern, entry.line) for entry in expectations.parse(text, "f")] == [("a", 3), ("b", 4)]


@given(gaps=st.lists(st.integers(min_value=0, max_value=5), max_size=5))
@settings(deadline=None)
def test_lines_point_at_the_pattern(gaps):
    text = "".join("# note\n" * gap + ENTRY for gap in gaps)

    for entry in expectations.parse(text, "f"):
        assert text.splitlines()[entry.line - 1] == 'pattern = "a"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\nexpect = [", "f.toml:3: not TOML: "),
        ("a = 1\nb = = 2\n", "f.toml:2: not TOML: "),
        (f"{ENTRY}\n[other]\n", "f.toml:6: unknown key 'other', allowed is only [[expect]]"),
        ("[expect]\n", "f.toml:1: 'expect' is not an array of tables"),
        ("expect = [1]\n", "f.toml:1: 'expect' is not an array of tables"),
        (f"{ENTRY}reson = 'x'\n", "f.toml:2: unknown key 'reson', allowed are pattern, stage, reason, link"),
        (
            ENTRY.replace('"run"', '"dance"'),
            "f.toml:2: unknown stage 'dance', allowed are load, convert, compile, reference, run, compare",
        ),
        (ENTRY.replace('"r"', "3"), "f.toml:2: reason must be a text that is not empty, not 3"),
        (ENTRY.replace('"r"', '" "'), "f.toml:2: reason must be a text that is not empty, not ' '"),
        (f"{ENTRY}\n[[expect]]\nstage = 'run'\nreason = 'r'\n", "f.toml:6: pattern is missing"),
        ("[[expect]]\npattern = 'a'\nreason = 'r'\n", "f.toml:2: stage is missing"),
    ],
)
def test_mistakes_are_named_with_their_line(text, message):
    with pytest.raises(UsageError) as caught:
        expectations.parse(text, "f.toml")

    assert str(caught.value).startswith(message)


def test_no_entries_are_no_expectations():
    assert expectations.parse("# nothing\n", "f") == ()


@pytest.mark.parametrize("file", list((resources.files("burn_verify") / "data" / "expectations").iterdir()), ids=str)
def test_packaged_files_parse(file):
    version, _, backend = file.name.removesuffix(".toml").partition("-")

    assert expectations.load_packaged(f"{version}.7", backend) == expectations.parse(file.read_text(), file.name)


def test_nothing_is_expected_of_what_nothing_is_known_of():
    assert expectations.load_packaged("99.1.0", "abacus") == ()


@pytest.mark.parametrize(
    ("pattern", "case_id", "matches"),
    [
        ("zoo/candy", "zoo/candy", True),
        ("zoo/candy", "zoo/candy-9", False),
        ("zoo/*", "zoo/deep/down", True),
        ("zoo/resnet-?", "zoo/resnet-7", True),
        ("ZOO/*", "zoo/candy", False),
        ("op/[a]", "op/[a]", True),
        ("op/[ab]", "op/a", False),
        ("op/*[0]", "op/x[0]", True),
        ("op/[!a]", "op/b", False),
    ],
)
def test_patterns(pattern, case_id, matches):
    assert (expectations.match(case_id, [an_expectation(pattern)]) is not None) == matches


@given(st.text())
@settings(deadline=None)
def test_every_id_matches_itself(case_id):
    expectation = an_expectation(case_id)

    assert expectations.match(case_id, [expectation]) is expectation


def test_the_last_match_wins_and_a_whole_id_beats_a_wildcard():
    wide, exact, later = (
        an_expectation("zoo/*", line=1),
        an_expectation("zoo/a", line=2),
        an_expectation("zoo/?", line=3),
    )

    assert expectations.match("zoo/a", [wide, exact, later]) is exact
    assert expectations.match("zoo/b", [wide, exact, later]) is later
    assert expectations.match("node/b", [wide, exact, later]) is None


def test_patterns_that_match_nothing_are_reported():
    used, unused = an_expectation("zoo/*"), an_expectation("op/*")

    assert expectations.unmatched([used, unused], iter(["zoo/a", "zoo/b"])) == (unused,)


def test_the_reason_of_an_xfail_says_where_to_edit():
    expectation = an_expectation("zoo/candy", reason="no Crop", source="0.22-flex.toml", line=12)

    assert expectations.xfail_reason(expectation) == (
        "expected at CONVERT: no Crop (0.22-flex.toml:12; delete this entry when it passes)"
    )
    assert "(f.toml:1; https://x.org; delete" in expectations.xfail_reason(an_expectation("a", link="https://x.org"))


@pytest.mark.parametrize(
    ("stage", "outcome", "is_expected"),
    [
        (Stage.CONVERT, Outcome.FAILED, True),
        (Stage.COMPARE, Outcome.FAILED, False),
        (Stage.COMPARE, Outcome.PASSED, True),
        (Stage.CONVERT, Outcome.SKIPPED, False),
        (Stage.LOAD, Outcome.SKIPPED, False),
    ],
)
def test_a_failure_at_another_stage_is_not_expected(stage, outcome, is_expected):
    reasons = expectations.expected_reasons([a_result("zoo/a", stage, outcome)], [an_expectation("zoo/a")])

    assert reasons == ({"zoo/a": "why"} if is_expected else {})
