"""The comment on a pull request."""

from burn_verify.report.summary.changes import compare
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.gate import gate
from burn_verify.report.views.comment import nothing, render
from reported import a_record, agrees, no_program, refused, wrong


def comment(before, after, **environment):
    old, new = merge([a_record(*before)]), merge([a_record(*after, version="0.23.0-pre.1", **environment)])
    (comparison,) = compare(old, new)
    return render([gate(comparison, old.columns[0], new.columns[0])])


def test_every_group_has_a_row_with_its_smallest_case_and_a_command():
    text = comment(
        [agrees("node/a|b"), agrees("node/c"), refused("node/d")],
        [wrong("node/a|b"), wrong("node/c"), agrees("node/d")],
    )

    assert text.startswith("### burn-verify: 2 newly wrong, 1 fixed\n")
    assert "Burn 0.22.1 on flex → Burn 0.23.0-pre.1 on flex" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| newly wrong")]
    assert "Y: 4/6 elements differ" in row
    assert "pytest --conformance=node -k" in text
    assert "node/a\\|b" in text
    assert text.count("<details>") == text.count("</details>") == 2


def test_nothing_changed_is_said_with_what_was_not_run():
    text = comment([agrees("node/a")], [agrees("node/a")], alike=1800)

    assert text.startswith("### burn-verify: nothing changed\n")
    assert "1 cases are as before. 1800 become the same Rust on both sides, and were not run." in text
    assert "1800 become the same Rust" in nothing(1800)


def test_long_lists_are_cut():
    names = [f"node/{number}" for number in range(70)]
    text = comment([agrees(name) for name in names], [wrong(name) for name in names])

    assert "- … 20 more" in text


def test_what_fails_otherwise_is_counted_and_named_in_no_group():
    text = comment([agrees("node/a"), refused("node/b")], [agrees("node/a"), no_program("node/b")])

    assert text.startswith("### burn-verify: nothing is better or worse\n")
    assert "1 cases are as before. 1 changed otherwise: they fail in another way, or pass with less to spare." in text
