"""The gate against the complete run: what is planted, and what is missed."""

from dataclasses import asdict, replace

import pytest

import gate
from burn_verify.core.result import CaseResult, Difference, VerdictName
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import Record
from gating.changes import CHANGES, CRATES, RELEASES, plant, planted
from gating.rows import Row, Said, page, recall, said

PASSED = ("compare", "passed", "agrees", None, "")
WRONG = ("compare", "failed", "disagrees", "mismatch", "wrong values")


def a_result(case_id, outcome=Outcome.PASSED, **changes):
    return CaseResult(case_id=case_id, corpus="op", stage=Stage.COMPARE, outcome=outcome, **changes)


def wrong(case_id):
    return a_result(case_id, Outcome.FAILED, verdict=VerdictName.DISAGREES, reason="wrong values")


def agrees(case_id):
    return a_result(case_id, verdict=VerdictName.AGREES)


def a_run(changed=(), seconds=1.0, **after):
    return Said(seconds=seconds, ran=len(after), changed=changed, after=after, comment="")


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.name)
def test_a_change_is_made_once_and_is_another_text(change):
    text = f"first {change.before} and a test: {change.before}"

    assert change.before != change.after
    assert planted(change, text) == f"first {change.after} and a test: {change.before}"
    assert change.file.partition("/")[0] in CRATES


def test_a_change_without_its_place_is_refused():
    with pytest.raises(ValueError, match="there is no"):
        planted(CHANGES[0], "fn main() {}")


def test_there_are_ten_changes_of_many_parts():
    assert len({one.name for one in CHANGES}) == len(CHANGES) >= 10
    assert len({one.part for one in CHANGES}) >= 6


def test_a_change_that_is_taken_back_is_newer_than_what_was_built(tmp_path):
    change = CHANGES[0]
    crate, _, rest = change.file.partition("/")
    for name in CRATES:
        (tmp_path / f"{name}-{gate.VERSION}" / "src").mkdir(parents=True)
    source = tmp_path / f"{crate}-{gate.VERSION}" / rest
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(change.before)
    work = tmp_path / "after"
    gate.fresh(tmp_path, work)
    other = work / "Cargo.toml"
    times = other.stat().st_mtime_ns

    plant(change, work)
    planted_at = (work / change.file).stat().st_mtime_ns
    gate.fresh(tmp_path, work)

    assert (work / change.file).read_text() == change.before
    assert (work / change.file).stat().st_mtime_ns >= planted_at
    assert other.stat().st_mtime_ns == times


def test_what_changed_is_told_from_two_records():
    before, after = Target(), Target(simplify=False)
    difference = Difference(case_id="op/c", part="burn-onnx", before=before, after=after, nearer="", message="m")
    records = [
        Record(target=before, results=(agrees("op/a"), agrees("op/b"), agrees("op/c"))),
        Record(target=after, results=(agrees("op/a"), wrong("op/b"), agrees("op/c")), differences=(difference,)),
    ]
    found = said(records, 2.0, "1 newly wrong")

    assert (found.ran, found.changed) == (3, ["op/b", "op/c"])
    assert set(found.after) == {"op/b", "op/c"}


def test_a_checkout_that_could_not_be_built_is_no_run():
    with pytest.raises(ValueError, match="no cargo"):
        said([Record(), Record(failure="no cargo")], 1.0, "")
    with pytest.raises(ValueError, match="1 records"):
        said([Record()], 1.0, "")


def test_what_the_gate_does_not_name_is_missed():
    complete = a_run(("op/a", "op/b"), **{"op/a": WRONG, "op/b": WRONG})

    assert recall(complete, complete).missed == ()
    assert recall(a_run(("op/a",), **{"op/a": WRONG}), complete).missed == ("op/b",)
    assert recall(a_run(("op/a", "op/b"), **{"op/a": WRONG, "op/b": PASSED}), complete).otherwise == ("op/b",)


def test_the_page_says_what_was_missed_and_what_was_not_run():
    complete = a_run(("op/a", "op/b"), **{"op/a": WRONG, "op/b": WRONG})
    row = Row(name="Add subtracts", part="code", gate=a_run(("op/a",), **{"op/a": WRONG}), complete=complete)
    text = page([row, replace(row, name="none", gate=None, complete=None, error="no cargo")], "How.", ["none", "other"])

    assert "1 changes of burn-onnx 0.22.0, one at a time. " in text
    assert "know 2 cases that changed; the gate misses 1 of them." in text
    assert "Two releases" not in text
    assert "- Add subtracts: missed `op/b`" in text
    assert "- none: not run: no cargo" in text
    assert text.endswith("Not tried yet: other.\n")
    assert gate.row_from(asdict(row)) == row


def test_rows_of_other_selections_are_other_tables():
    row = Row(name="one", part="code", selection="--ops", gate=a_run(), complete=a_run())
    text = page([row, replace(row, name="two", selection="--conformance"), replace(row, name="three")], "How.", [])
    first, second = text.split("`burn-verify verify ")[1:]

    assert (first.startswith("--ops`:"), second.startswith("--conformance`:")) == (True, True)
    assert [name in first for name in ("| one", "| two", "| three")] == [True, False, True]


def test_releases_have_a_table_of_their_own_and_the_whole_comment():
    complete = a_run(("op/a", "op/b"), **{"op/a": WRONG, "op/b": WRONG})
    planted_row = Row(name="Add subtracts", part="code", gate=complete, complete=complete)
    pair = RELEASES[0]
    comment = "### burn-verify: 1 fixed\n\nThis and that.\n"
    row = replace(planted_row, name=pair.name, part=pair.part, markdown=comment)
    before, _, after = page([planted_row, row], "How.", []).partition("## Two releases\n")

    assert (before.count("Add subtracts"), before.count(pair.name)) == (1, 0)
    assert "The complete runs know 2 cases that changed; the gate misses 0 of them." in after
    assert f"## The comment on {pair.name}\n\n### burn-verify: 1 fixed\n\nThis and that.\n" in after
    assert gate.row_from(asdict(row)) == row


def test_releases_are_two_checkouts_of_their_own_sources(tmp_path):
    sources, work = tmp_path / "registry", tmp_path / "work"
    for version in (RELEASES[0].before, RELEASES[0].after):
        for crate in CRATES:
            (sources / f"{crate}-{version}" / "src").mkdir(parents=True)
            (sources / f"{crate}-{version}" / "src" / f"only-{version}.rs").write_text(crate)
    gate.fresh(sources, work / "after")
    gate.make(RELEASES[0], sources, work)

    files = [{path.name for path in (work / side).rglob("*.rs")} for side in ("before", "after")]
    assert files == [{f"only-{RELEASES[0].before}.rs"}, {f"only-{RELEASES[0].after}.rs"}]
