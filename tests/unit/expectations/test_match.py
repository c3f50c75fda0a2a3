"""Expected failures: parsed with their line, matched by pattern, joined by stage."""

import pickle
import time
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.expectations import match, packaged
from burn_verify.expectations.match import Expectation, Expectations, expected_reasons

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
CASES = """\
[[expect]]
cases = [
    "zoo/b", # not pattern = "zoo/z"
    'zoo/a*',
    "zoo/tab\\t",
    "zoo/c", "zoo/d",
]
stage = "run"
reason = "r"
link = "https://example.org/2"
"""
ENTRY = '[[expect]]\npattern = "a"\nstage = "run"\nreason = "r"\n'


def an_expectation(pattern, stage=Stage.CONVERT, reason="why", **changes):
    return Expectation(**{"source": "f.toml", "line": 1} | changes, pattern=pattern, stage=stage, reason=reason)


def a_result(case_id, stage, outcome):
    return CaseResult(case_id=case_id, corpus="zoo", stage=stage, outcome=outcome)


def test_entries_know_where_they_are_written():
    assert match.parse(TEXT, "0.22-flex.toml") == (
        an_expectation(
            "zoo/candy",
            reason="unsupported operators Crop, ImageScaler, Affine",
            link="https://example.org/1",
            source="0.22-flex.toml",
            line=3,
        ),
        an_expectation("zoo/candy", Stage.COMPARE, reason="spread over two lines", source="0.22-flex.toml", line=13),
    )


def test_an_entry_of_several_cases_is_one_expectation_each():
    entries = match.parse(CASES, "f")

    # An id with an escape is nowhere to be found: the line of the key has to do.
    assert [(entry.pattern, entry.line) for entry in entries] == [
        ("zoo/b", 3),
        ("zoo/a*", 4),
        ("zoo/tab\t", 2),
        ("zoo/c", 6),
        ("zoo/d", 6),
    ]
    assert {(entry.stage, entry.reason, entry.link) for entry in entries} == {(Stage.RUN, "r", "https://example.org/2")}


def test_an_inline_array_has_lines_too():
    text = '\nexpect = [\n {pattern="a", stage="run", reason="r"},\n {pattern="b", stage="run", reason="r"}]\n'

    assert [(entry.pattern, entry.line) for entry in match.parse(text, "f")] == [("a", 3), ("b", 4)]


@given(gaps=st.lists(st.integers(min_value=0, max_value=5), max_size=5))
@settings(deadline=None)
def test_lines_point_at_the_pattern(gaps):
    text = "".join("# note\n" * gap + ENTRY for gap in gaps)

    for entry in match.parse(text, "f"):
        assert text.splitlines()[entry.line - 1] == 'pattern = "a"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\nexpect = [", "f.toml:3: not TOML: "),
        ("a = 1\nb = = 2\n", "f.toml:2: not TOML: "),
        (f"{ENTRY}\n[other]\n", "f.toml:6: unknown key 'other', allowed is only [[expect]]"),
        ("[expect]\n", "f.toml:1: 'expect' is not an array of tables"),
        ("expect = [1]\n", "f.toml:1: 'expect' is not an array of tables"),
        (f"{ENTRY}reson = 'x'\n", "f.toml:2: unknown key 'reson', allowed are pattern, cases, stage, reason, link"),
        (
            ENTRY.replace('"run"', '"dance"'),
            "f.toml:2: unknown stage 'dance', allowed are load, convert, compile, reference, run, compare",
        ),
        (ENTRY.replace('"r"', "3"), "f.toml:2: reason must be a text that is not empty, not 3"),
        (ENTRY.replace('"r"', '" "'), "f.toml:2: reason must be a text that is not empty, not ' '"),
        (f"{ENTRY}\n[[expect]]\nstage = 'run'\nreason = 'r'\n", "f.toml:6: pattern is missing"),
        ("[[expect]]\npattern = 'a'\nreason = 'r'\n", "f.toml:2: stage is missing"),
        (f"{ENTRY}cases = ['b']\n", "f.toml:2: pattern and cases exclude each other"),
        (ENTRY.replace('pattern = "a"', "cases = []"), "f.toml:2: cases must be a list of ids, at least one"),
        (ENTRY.replace('pattern = "a"', "cases = 'a'"), "f.toml:2: cases must be a list of ids, at least one"),
        (ENTRY.replace('pattern = "a"', "cases = ['a', 1]"), "f.toml:2: cases must be a list of ids, at least one"),
        (ENTRY.replace('pattern = "a"', "cases = [' ']"), "f.toml:2: cases must be a list of ids, at least one"),
    ],
)
def test_mistakes_are_named_with_their_line(text, message):
    with pytest.raises(UsageError) as caught:
        match.parse(text, "f.toml")

    assert str(caught.value).startswith(message)


def test_no_entries_are_no_expectations():
    assert match.parse("# nothing\n", "f") == ()


@pytest.mark.parametrize("file", list((resources.files("burn_verify") / "data" / "expectations").iterdir()), ids=str)
def test_packaged_files_parse(file):
    version, _, backend = file.name.removesuffix(".toml").partition("-")
    own = match.parse(file.read_text(), file.name)

    assert packaged.load(Target(burn=f"{version}.7", backend=backend))[-len(own) :] == own


def test_nothing_is_expected_of_what_nothing_is_known_of():
    assert packaged.load(Target(burn="99.1.0", backend="abacus")) == ()


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
    expected = Expectations([an_expectation(pattern)])

    assert (expected.of(case_id) is not None) == matches
    assert (expected.unmatched([case_id]) == ()) == matches


@given(st.text())
@settings(deadline=None)
def test_every_id_matches_itself(case_id):
    expectation = an_expectation(case_id)

    assert Expectations([expectation]).of(case_id) is expectation


def test_the_last_match_wins_and_a_whole_id_beats_a_wildcard():
    wide, exact, later = (
        an_expectation("zoo/*", line=1),
        an_expectation("zoo/a", line=2),
        an_expectation("zoo/?", line=3),
    )

    expected = Expectations([wide, exact, later])
    assert expected.of("zoo/a") is exact
    assert expected.of("zoo/b") is later
    assert expected.of("node/b") is None
    assert Expectations([exact, an_expectation("zoo/a", line=9)]).of("zoo/a").line == 9


def test_patterns_that_match_nothing_are_reported():
    used, unused = an_expectation("zoo/*"), an_expectation("op/*")

    assert Expectations([used, unused]).unmatched(iter(["zoo/a", "zoo/b"])) == (unused,)


@pytest.mark.parametrize(
    ("pattern", "concerned"),
    [("zoo/a", {"zoo"}), ("node/test_*", {"node"}), ("*/a", {"zoo", "node"}), ("*", {"zoo", "node"}), ("zo/a", set())],
)
def test_the_first_word_of_a_pattern_is_its_corpus(pattern, concerned):
    entry = an_expectation(pattern)

    assert {corpus for corpus in ("zoo", "node") if entry.concerns([corpus])} == concerned
    assert not entry.concerns([])


def test_an_id_within_cases_that_matches_nothing_is_reported_alone():
    expected = Expectations(match.parse(CASES, "f"))

    assert [(it.pattern, it.line) for it in expected.unmatched(["zoo/b", "zoo/ab", "zoo/tab\t", "zoo/c"])] == [
        ("zoo/d", 6)
    ]


SHORT = st.text(alphabet="ab*?[]", max_size=5)


@given(patterns=st.lists(SHORT, max_size=6), ids=st.lists(SHORT, max_size=6))
@settings(deadline=None)
def test_the_index_finds_what_one_look_after_the_other_finds(patterns, ids):
    entries = [an_expectation(pattern, line=line) for line, pattern in enumerate(patterns)]
    expected = Expectations(entries)

    def matching(case_id):
        return [
            entry
            for entry in entries
            if entry.pattern == case_id or fnmatchcase(case_id, entry.pattern.replace("[", "[[]"))
        ]

    for case_id in ids:
        found = matching(case_id)
        exact = [entry for entry in found if entry.pattern == case_id]
        assert expected.of(case_id) is next(iter([*reversed(exact), *reversed(found)]), None)
    matched = {entry.line for case_id in ids for entry in matching(case_id)}
    assert expected.unmatched(ids) == tuple(entry for entry in entries if entry.line not in matched)


def test_expectations_survive_the_way_to_a_worker():
    expected = Expectations(match.parse(CASES, "f"))
    arrived = pickle.loads(pickle.dumps(expected))

    assert arrived == expected
    assert hash(arrived) == hash(expected)
    assert arrived.of("zoo/abc").line == 4


def test_a_whole_corpus_is_matched_in_no_time():
    ids = [f"node/test_{'abcdefgh'[place % 8]}_some_operator_{place}" for place in range(2000)]
    patterns = [
        *ids[:700],
        *(f"{case_id}*" for case_id in ids[700:900]),
        *(f"*{case_id}x" for case_id in ids[900:1000]),
    ]
    started = time.process_time()
    expected = Expectations(an_expectation(pattern) for pattern in patterns)

    assert sum(expected.of(case_id) is not None for case_id in ids) >= 900
    assert len(expected.unmatched(ids)) == 100
    # A twentieth of it is usual; looking at every pair takes seconds.
    assert time.process_time() - started < 0.5


def test_the_reason_of_an_xfail_says_where_to_edit():
    expectation = an_expectation("zoo/candy", reason="no Crop", source="0.22-flex.toml", line=12)

    assert match.xfail_reason(expectation) == (
        "expected at CONVERT: no Crop (0.22-flex.toml:12; delete this entry when it passes)"
    )
    assert "(f.toml:1; https://x.org; delete" in match.xfail_reason(an_expectation("a", link="https://x.org"))


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
    reasons = match.expected_reasons([a_result("zoo/a", stage, outcome)], Expectations([an_expectation("zoo/a")]))

    assert reasons == ({"zoo/a": "why"} if is_expected else {})


@pytest.mark.parametrize(
    ("words", "targets"),
    [
        (["wgpu"], [1]),
        (["0.22.1"], [0, 1, 3]),
        (["0.21"], [2]),
        (["0.21.0", "wgpu"], [1, 2]),
        (["simplify=off"], [3]),
        (["simplify=on"], [0, 1, 2]),
    ],
)
def test_an_entry_may_be_kept_to_some_targets(words, targets):
    (entry,) = match.parse(f'[[expect]]\npattern = "a"\nstage = "run"\nreason = "r"\non = {words!r}\n', "f")
    every = [Target(), Target(backend="wgpu"), Target(burn="0.21.0"), Target(simplify=False)]

    assert [place for place, target in enumerate(every) if entry.holds_on(target)] == targets
    assert all(an_expectation("a").holds_on(target) for target in every)


DRAWN = '[[expect]]\npattern = "op/a"\nstage = "compare"\nreason = "r"\non = ["examples"]\n'


@pytest.mark.parametrize(
    ("words", "with_them", "without"),
    [(["examples"], [True, True], [False, False]), (["examples", "wgpu"], [False, True], [False, False])],
)
def test_an_entry_may_be_kept_to_drawn_values(words, with_them, without):
    (entry,) = match.parse(DRAWN.replace('["examples"]', str(words)), "f")
    every = [Target(), Target(backend="wgpu")]

    assert [entry.holds_on(target, examples=True) for target in every] == with_them
    assert [entry.holds_on(target) for target in every] == without


def test_of_drawn_values_a_wrong_answer_and_none_are_the_same_failure():
    (entry,) = match.parse(DRAWN, "f")
    failed = a_result("op/a", Stage.RUN, Outcome.FAILED)
    drawn = replace(failed, details={"examples": {"agree": 3}})

    assert entry.stages == (Stage.RUN, Stage.COMPARE)
    assert entry.fits(drawn)
    assert not entry.fits(failed)
    assert not entry.fits(replace(drawn, stage=Stage.COMPILE))
    assert "expected at COMPARE on drawn values: r (f:2; " in match.xfail_reason(entry)


def test_where_only_drawn_values_fail_a_pass_is_nothing_unexpected():
    expected = Expectations(match.parse(DRAWN, "f"))

    assert match.expected_reasons([a_result("op/a", Stage.COMPARE, Outcome.PASSED)], expected) == {}


def test_what_passes_here_is_not_expected_to_fail():
    text = '[[expect]]\npattern = "a"\nstage = "passes"\nreason = "r"\n'
    expected = Expectations([an_expectation("*"), *match.parse(text, "f")])

    assert expected.of("a") is None
    assert expected.of("b") is not None
    assert expected.entry_of("a").stage_word == "passes"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write packaged files, each expecting one failure, and return what is expected of a target."""
    monkeypatch.setattr(packaged, "PACKAGED", tmp_path)

    def files(target, **parents):
        for name, parent in parents.items():
            stem = name.replace("_", ".", 1).replace("_", "-")
            head = f'inherits = "{parent}"\n' if parent else ""
            (tmp_path / f"{stem}.toml").write_text(
                f'{head}[[expect]]\npattern = "{stem}"\nstage = "run"\nreason = "r"\n'
            )
        return [entry.pattern for entry in packaged.load(target)]

    return files


def test_what_is_inherited_comes_first(files):
    chain = {"0_21_flex": None, "0_22_flex": "0.21-flex", "0_22_wgpu": "0.22-flex"}

    assert files(Target(backend="wgpu"), **chain) == ["0.21-flex", "0.22-flex", "0.22-wgpu"]


def test_a_backend_without_a_file_is_expected_to_do_what_the_default_does(files):
    assert files(Target(backend="cuda"), **{"0_22_flex": None}) == ["0.22-flex"]
    assert files(Target(burn="0.23.0")) == []


@pytest.mark.parametrize(
    ("parents", "said"),
    [
        ({"0_22_flex": "0.22-flex"}, "inherits from itself"),
        ({"0_22_flex": "0.9-flex"}, "inherits from '0.9-flex', and"),
    ],
)
def test_what_cannot_be_inherited_is_a_mistake(files, parents, said):
    with pytest.raises(UsageError, match=said):
        files(Target(), **parents)


def test_a_name_that_is_none_cannot_be_inherited_from():
    with pytest.raises(UsageError, match=r"f:2: inherits must name a packaged file"):
        match.parse('# A comment\ninherits = "../x"\n', "f")


def test_a_failure_of_this_program_is_not_the_expected_one():
    expected = an_expectation("a")
    failed = CaseResult(case_id="a", corpus="node", stage=expected.stage, outcome=Outcome.FAILED)

    assert expected.fits(failed)
    assert not expected.fits(replace(failed, failure=FailureKind.INTERNAL))
    assert expected_reasons([replace(failed, failure=FailureKind.INTERNAL)], Expectations([expected])) == {}
