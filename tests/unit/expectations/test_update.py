"""Expected failures brought up to date: what a run proves, what stays, and how the file is written."""

from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.expectations import packaged
from burn_verify.expectations.document import HEADER
from burn_verify.expectations.match import Expectations, inherited_by, parse
from burn_verify.expectations.update import cause, no_evidence, updated

DECIDED_ELSEWHERE = {
    FailureKind.NO_RESULT,
    FailureKind.MACHINE,
    FailureKind.TIMEOUT,
    FailureKind.MEMORY,
    FailureKind.CLOSED,
    FailureKind.ENDED_FROM_OUTSIDE,
    FailureKind.NOT_STARTED,
    FailureKind.NOT_SERVABLE,
    FailureKind.DEVICE,
    FailureKind.INTERNAL,
    FailureKind.USAGE,
}
HEAD = "# About this file.\n#\n# More about it."
FILE = f"""\
{HEAD}

# Seen by a person.
[[expect]]
pattern = "zoo/candy"
stage = "convert"
reason = '''no Crop,
no ImageScaler'''
link = "https://example.org/1"

[[expect]]
cases = ["node/a", "node/b"]
stage = "run"
reason = "index out of bounds"

# The end.
"""


def a_result(case_id, stage=Stage.COMPARE, outcome=Outcome.FAILED, reason="why", failure=None, **changes):
    corpus = case_id.partition("/")[0]
    changes["failure"] = failure
    return CaseResult(case_id=case_id, corpus=corpus, stage=stage, outcome=outcome, reason=reason, **changes)


def passed(case_id):
    return a_result(case_id, outcome=Outcome.PASSED, reason="")


def revised(text, *results):
    return updated(text, "f.toml", results, HEAD)


def entries_of(text):
    return [(entry.pattern, entry.stage.value, entry.reason) for entry in parse(text, "f.toml")]


def an_entry(pattern, stage="run", reason="r"):
    return f'[[expect]]\npattern = "{pattern}"\nstage = "{stage}"\nreason = "{reason}"\n'


def counts(revision):
    return revision.added, revision.removed, revision.moved, revision.kept


def test_failures_of_one_cause_share_an_entry():
    revision = revised(
        "",
        a_result("node/b", Stage.RUN, reason="panic: the len is 3 but the index is 5"),
        a_result("node/a", Stage.RUN, reason="panic: the len is 12 but the index is -1"),
        a_result("node/c", Stage.CONVERT, reason='no "Crop"\nhere'),
        a_result("zoo/a", Stage.RUN, reason="panic: the len is 1 but the index is 1"),
        passed("zoo/b"),
    )

    assert (
        revision.text
        == f"""{HEAD}

[[expect]]
pattern = "node/c"
stage = "convert"
reason = "no \\"Crop\\" here"

[[expect]]
cases = [
    "node/a",
    "node/b",
]
stage = "run"
reason = "panic: the len is N but the index is N"

[[expect]]
pattern = "zoo/a"
stage = "run"
reason = "panic: the len is N but the index is N"
"""
    )
    assert counts(revision) == (4, 0, 0, 0)


def test_what_a_person_wrote_stays_as_it_was_written():
    revision = revised(FILE, a_result("zoo/candy", Stage.CONVERT, reason="something else"))

    blocks = FILE.split("\n\n")
    assert revision.text == "\n\n".join([blocks[0], blocks[2], blocks[1], blocks[3]])
    assert counts(revision) == (0, 0, 0, 3)


def test_passes_are_removed_and_other_stages_moved():
    revision = revised(FILE, passed("node/a"), a_result("zoo/candy", Stage.COMPILE, reason="E0308 (+3 more)"))

    assert entries_of(revision.text) == [
        ("node/b", "run", "index out of bounds"),
        ("zoo/candy", "compile", "E0308"),
    ]
    assert counts(revision) == (0, 1, 1, 1)
    assert revision.text.endswith("\n\n# The end.\n")


def test_a_new_failure_joins_the_entry_of_its_cause():
    text = revised("", a_result("node/a", Stage.RUN, reason="why")).text
    linked = f'# Known upstream.\n{an_entry("node/a", reason="why")}link = "https://example.org/3"\n'
    text = text.replace(an_entry("node/a", reason="why"), linked)
    entries = parse(revised(text, a_result("node/b", Stage.RUN, reason="why")).text, "f.toml")

    assert [(entry.pattern, entry.link) for entry in entries] == [
        ("node/a", "https://example.org/3"),
        ("node/b", "https://example.org/3"),
    ]
    assert "# Known upstream." in revised(text, a_result("node/b", Stage.RUN, reason="why")).text


def test_a_wildcard_stays_while_it_is_right():
    text = f"{HEAD}\n\n{an_entry('node/*')}"
    right = revised(text, a_result("node/a", Stage.RUN), a_result("zoo/a", Stage.RUN), passed("zoo/b"))
    assert [pattern for pattern, *_ in entries_of(right.text)] == ["node/*", "zoo/a"]

    wrong = revised(text, a_result("node/a", Stage.RUN), a_result("node/b", Stage.LOAD), passed("node/c"))
    assert entries_of(wrong.text) == [("node/b", "load", "why"), ("node/a", "run", "r")]
    assert counts(wrong) == (2, 1, 0, 0)


def test_a_wildcard_that_goes_leaves_what_it_said_of_cases_without_evidence():
    text = f"{HEAD}\n\n{an_entry('node/*')}"
    skipped = a_result("node/b", Stage.LOAD, Outcome.SKIPPED)
    revision = revised(text, passed("node/a"), skipped, a_result("node/c", failure=FailureKind.NO_RESULT))

    assert entries_of(revision.text) == [("node/b", "run", "r"), ("node/c", "run", "r")]
    assert revision.passed_over == {"no result": ("node/c",)}


DRAWN = {"details": {"examples": {"agree": 60, "no reference": 0}}}


def on_drawn(pattern, stage="compare"):
    return f'{an_entry(pattern, stage)}on = ["examples"]\n'


def test_a_failure_on_drawn_values_is_expected_of_drawn_values_only():
    revision = revised("", a_result("op/a", Stage.RUN, **DRAWN), a_result("op/b", Stage.RUN))

    assert [(entry.pattern, entry.on) for entry in parse(revision.text, "f")] == [
        ("op/b", ()),
        ("op/a", ("examples",)),
    ]


@pytest.mark.parametrize(
    ("result", "left"),
    [
        # Without drawn values nothing is said about them.
        (passed("op/a"), [("compare", ("examples",))]),
        (replace(passed("op/a"), **DRAWN), []),
        # Which set of values fails first decides between the two.
        (a_result("op/a", Stage.RUN, **DRAWN), [("compare", ("examples",))]),
        (a_result("op/a", Stage.COMPARE), [("compare", ())]),
        (a_result("op/a", Stage.COMPILE), [("compile", ())]),
    ],
)
def test_what_is_known_of_drawn_values_stays_until_they_pass(result, left):
    revision = revised(on_drawn("op/a"), result)

    assert [(entry.stage.value, entry.on) for entry in parse(revision.text, "f")] == left
    again = revised(revision.text, result)
    assert (again.text, again.added, again.moved) == (revision.text, 0, 0)


def test_what_failed_always_and_now_on_drawn_values_only_is_moved():
    revision = revised(an_entry("op/a", "compare"), a_result("op/a", **DRAWN))

    assert [entry.on for entry in parse(revision.text, "f")] == [("examples",)]
    assert counts(revision) == (0, 0, 1, 0)


@pytest.mark.parametrize(("changes", "added"), [({}, 0), (DRAWN, 1)])
def test_a_pass_denies_what_is_inherited_of_drawn_values_only_with_them(changes, added):
    inherited = parse(on_drawn("op/a"), "f")
    revision = updated("", "f", [replace(passed("op/a"), **changes)], HEAD, inherited)

    assert revision.added == added


def test_the_order_of_wildcards_stays():
    text = "\n".join([HEAD, "", an_entry("node/ab"), an_entry("node/*", "run"), an_entry("node/a*", "convert")])

    assert [pattern for pattern, *_ in entries_of(revised(text).text)] == ["node/*", "node/a*", "node/ab"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"failure": FailureKind.NO_RESULT}, "no result"),
        ({"failure": FailureKind.MACHINE, "reason": "download failed"}, "download failed"),
        ({"failure": FailureKind.MACHINE, "reason": "not available here"}, "not available here"),
        ({"failure": FailureKind.TIMEOUT}, "timeout"),
        ({"failure": FailureKind.MEMORY}, "memory"),
        ({"failure": FailureKind.CLOSED}, "closed"),
        ({"failure": FailureKind.ENDED_FROM_OUTSIDE}, "ended from outside"),
        ({"failure": FailureKind.NOT_STARTED}, "its process was not started"),
        ({"failure": FailureKind.NOT_SERVABLE}, "not servable"),
        ({"failure": FailureKind.DEVICE}, "the device lacks what it needs"),
        ({"failure": FailureKind.INTERNAL}, "internal error"),
        ({"failure": FailureKind.USAGE}, "wrong description"),
        *(({"failure": kind}, None) for kind in FailureKind if kind not in DECIDED_ELSEWHERE),
        # What is said decides nothing: a panic may say anything.
        ({"failure": FailureKind.PANIC, "message": "this model was ended by SIGKILL", "reason": "no result"}, None),
        ({"reason": "timeout"}, None),
        ({"case_id": "file/a?"}, "an id that no entry can name"),
        ({"case_id": "file/\ud800"}, "an id that no entry can name"),
    ],
)
def test_what_the_machine_decided_is_no_evidence(changes, why):
    result = replace(a_result("node/a"), **changes)

    assert no_evidence(result) == why
    revision = revised("", result)
    assert (revision.added == 0) == (why is not None)
    assert revision.passed_over == ({why: (result.case_id,)} if why else {})


def test_what_is_no_evidence_changes_nothing():
    results = [
        a_result("node/a", failure=FailureKind.NO_RESULT),
        a_result("node/b", Stage.LOAD, Outcome.SKIPPED),
        a_result("zoo/candy", Stage.LOAD, failure=FailureKind.MACHINE),
    ]

    assert revised(FILE, *results).text == revised(FILE).text


def test_the_last_result_of_a_case_counts():
    assert revised("", a_result("node/a"), passed("node/a")).text == f"{HEAD}\n"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("E0308: mismatched types (+12 more)", "E0308: mismatched types"),
        ("Conv: float32[2, 3] and [4] of rank 5, 1.5e-03 off", "Conv: float32[…] and […] of rank N, N off"),
        ("UnsupportedConversion from I8 to I64, test_1d", "UnsupportedConversion from I8 to I64, test_1d"),
        ("a\ud800b", "a?b"),
        (" ", "failed without a word"),
    ],
)
def test_causes_are_told_without_the_numbers_of_one_case(reason, expected):
    assert cause(a_result("node/a", reason=reason)) == expected


def test_a_result_without_a_reason_is_told_by_its_message():
    assert cause(a_result("node/a", reason="", message="first\nsecond")) == "first"


@pytest.mark.parametrize(
    "text",
    [
        'expect = [{pattern = "node/a", stage = "run", reason = "r"}]\n',
        '# Head.\nexpect = [{cases = ["node/b", "node/a"], stage = "run", reason = "r"}]\n',
        "[[expect]]\npattern = 'node/a'\nstage = 'run'\nreason = '''\n[[expect]]\nr'''\n",
        "\r\n".join(["# Head.", "[[expect]]", "pattern = 'node/a'", "stage = 'run'", "reason = 'r'"]),
        f"# One.\n{an_entry('node/a')}\n# Two.\n# More.\n\n{an_entry('node/a', 'convert')}\n# Three.\n# Four.",
        f"\n# Of the entry.\n{an_entry('node/a')}",
    ],
)
def test_every_way_to_write_a_file_is_understood(text):
    once = revised(text).text

    assert revised(once).text == once
    assert {entry[0] for entry in entries_of(once)} == {entry[0] for entry in entries_of(text)}
    assert Expectations(parse(once, "f")).of("node/a").stage is Expectations(parse(text, "f")).of("node/a").stage


@pytest.mark.parametrize("file", list((resources.files("burn_verify") / "data" / "expectations").iterdir()), ids=str)
def test_packaged_files_are_written_as_an_update_writes_them(file):
    version, _, backend = file.name.removesuffix(".toml").partition("-")
    text = file.read_text(encoding="utf-8")

    parent = inherited_by(text, file.name)
    inherits = f'inherits = "{parent}"\n\n' if parent else ""
    header = HEADER.format(version=version, backend=backend.capitalize())
    inherited = packaged.inherited(text, file.name)
    assert text.startswith(f"{header}\n\n{inherits}[[expect]]\n")
    # What is inherited is not written again.
    assert updated(text, file.name, [], HEAD, inherited).text == text


NAMES = st.text(alphabet="ab", min_size=1, max_size=2)
IDS = st.builds("{}/{}".format, st.sampled_from(["node", "zoo"]), NAMES)
PATTERNS = st.one_of(
    IDS, st.builds("{}/{}".format, st.sampled_from(["node", "*"]), st.text("ab*?", min_size=1, max_size=3))
)
REASONS = st.one_of(st.sampled_from(["r", "a longer reason 7"]), st.text(st.characters(codec="utf-8")))
WRITTEN = st.builds(
    lambda patterns, stage, comment, link: "\n".join(
        [
            *([f"# {comment}"] if comment else []),
            "[[expect]]",
            f"cases = {patterns}",
            f'stage = "{stage.value}"',
            *([f"reason = '{comment or 'r'}'"]),
            *(["link = 'l'"] if link else []),
            "",
        ]
    ),
    st.lists(PATTERNS, min_size=1, max_size=3),
    st.sampled_from(Stage),
    st.sampled_from(["", "", "c", "d"]),
    st.booleans(),
)
FILES = st.builds(
    lambda head, blocks, foot: head + "\n".join(blocks) + foot,
    st.sampled_from(["", "# head\n", "# head\n\n", "\n"]),
    st.lists(WRITTEN, max_size=4),
    st.sampled_from(["", "# foot\n", "\n\n# foot"]),
)
RESULTS = st.lists(
    st.builds(
        a_result,
        IDS,
        st.sampled_from(Stage),
        st.sampled_from(Outcome),
        REASONS,
        st.sampled_from([None, FailureKind.NO_RESULT, FailureKind.PANIC]),
    ),
    max_size=6,
    unique_by=lambda result: result.case_id,
)


@given(text=FILES, results=RESULTS)
@settings(deadline=None)
def test_after_an_update_exactly_the_failures_are_expected(text, results):
    once = revised(text, *results)
    before, after = Expectations(parse(text, "f")), Expectations(parse(once.text, "f"))

    assert revised(once.text, *results).text == once.text
    assert counts(revised(once.text, *results))[:3] == (0, 0, 0)
    for result in results:
        was, now = before.of(result.case_id), after.of(result.case_id)
        if result.outcome is Outcome.PASSED:
            assert now is None
        elif result.outcome is Outcome.FAILED and no_evidence(result) is None:
            assert now is not None
            assert now.stage is result.stage
            if was is not None and was.stage is result.stage:
                assert (now.reason, now.link) == (was.reason, was.link)
        else:
            assert (was is None) == (now is None)
            assert was is None or (was.stage, was.reason, was.link) == (now.stage, now.reason, now.link)
    ran = {result.case_id for result in results}
    for entry in before.entries:
        if entry.pattern not in ran and not set("*?") & set(entry.pattern):
            assert after.of(entry.pattern) is not None
            assert after.of(entry.pattern).stage is before.of(entry.pattern).stage
    for line in text.splitlines():
        if line.startswith(("# head", "# foot")):
            assert line in once.text.splitlines()


@given(FILES, FILES, RESULTS)
@settings(deadline=None)
def test_beside_what_is_inherited_exactly_the_failures_are_expected(shared, text, results):
    inherited = parse(shared, "shared")
    once = updated(text, "f.toml", results, HEAD, inherited)
    own = parse(once.text, "f")
    after = Expectations([*inherited, *own])

    assert updated(once.text, "f.toml", results, HEAD, inherited).text == once.text
    for result in results:
        now = after.of(result.case_id)
        if result.outcome is Outcome.PASSED:
            assert now is None
        elif result.outcome is Outcome.FAILED and no_evidence(result) is None:
            assert now is not None
            assert now.stage is result.stage
    # What is common is written once.
    alone = Expectations(inherited)
    for entry in own:
        if not set("*?") & set(entry.pattern):
            known = alone.of(entry.pattern)
            assert (known and known.stage) is not entry.stage
