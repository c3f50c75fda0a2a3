"""Several targets in a terminal: a column each, and one line for one that never ran."""

from dataclasses import replace

from burn_verify.core.result import Difference
from burn_verify.core.target import Target
from burn_verify.report.summary.changes import between
from burn_verify.report.summary.columns import merge
from burn_verify.report.views import side_by_side
from reported import a_record, agrees, refused, wrong

DIFFERENCE = Difference(
    case_id="zoo/a", part="backend", before=Target(), after=Target(backend="wgpu"), nearer="before", message="Y: 1/6"
)


def shown(*records, expected=None, width=100):
    columns = merge(records).columns
    return side_by_side.render(columns, expected or [{} for _ in columns], between(columns), width)


def on(backend, *results, **fields):
    record = replace(a_record(*results, backend=backend, **fields), target=Target(backend=backend))
    return record


def test_a_column_a_target():
    text = shown(on("flex", agrees("zoo/a"), refused("zoo/b")), on("wgpu", wrong("zoo/a"), refused("zoo/b")))

    assert [line.split("  ") for line in text.splitlines()[:1]]
    head, _, first, second = (line.split() for line in text.splitlines()[:4])
    assert head == ["model", "flex", "wgpu"]
    assert first == ["zoo/a", "agrees", "wrong", "numbers"]
    assert second == ["zoo/b", "refused", "refused"]
    assert "flex → wgpu: 1 newly wrong (1 agreed before), 1 as before" in text


def test_what_was_expected_is_said():
    records = on("flex", agrees("zoo/a")), on("wgpu", wrong("zoo/a"))
    text = shown(*records, expected=[{"zoo/a": "known"}, {"zoo/a": "known"}])

    assert "agrees (unexpectedly)" in text
    assert "wrong numbers (expected)" in text


def test_a_target_that_never_ran_is_one_line():
    ids = tuple(f"zoo/{n}" for n in range(100))
    dead = replace(on("wgpu", selection=ids), failure="no device")
    text = shown(on("flex", *(agrees(case_id) for case_id in ids)), dead)

    assert text.count("no device") == 1
    assert "wgpu was not run: no device" in text
    assert "100 of 100 ended as expected, and alike on all targets: they are not listed" in text
    assert "0 of 100 (0%)" in text


def test_of_many_cases_only_those_are_listed_that_differ_or_surprise():
    same = [agrees(f"zoo/{n}") for n in range(70)]
    text = shown(on("flex", *same, agrees("zoo/x")), on("wgpu", *same, refused("zoo/x")))

    assert "zoo/x" in text
    assert "zoo/1 " not in text
    assert "70 of 71 ended as expected" in text
    everything = [refused(f"zoo/{n}") for n in range(70)]
    assert "30 more differ or ended otherwise than expected" in shown(on("flex", *everything), on("wgpu", *everything))


def test_differences_say_which_side_is_nearer():
    found = replace(on("wgpu", agrees("zoo/a")), differences=(DIFFERENCE,))
    text = shown(on("flex", agrees("zoo/a")), found)
    assert "zoo/a: flex and wgpu answer differently (flex is nearer to the reference): Y: 1/6" in text

    for nearer, said in (("", "no reference says which is nearer"), ("neither", "both are as near to the reference")):
        one = replace(found, differences=(replace(DIFFERENCE, nearer=nearer),))
        assert f"({said})" in shown(on("flex", agrees("zoo/a")), one)
