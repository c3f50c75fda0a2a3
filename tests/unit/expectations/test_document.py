"""Files of expectations taken apart and put together: what a person wrote is not lost."""

import tomllib

import pytest

from burn_verify.core.stage import Stage
from burn_verify.expectations.document import Document, read, render
from burn_verify.expectations.match import Expectation, parse

FILE = '''\
# Head.

inherits = "0.22-flex"

# Of the first.
[[expect]]  # beside the header
pattern = "node/a"  # beside the pattern
stage = "run"
reason = """two
[[expect]]
# lines"""

# Of the second.

# As well.
  [[expect]]
  cases = [
    "zoo/b",  # beside an element
    # above an element
    "zoo/c",
  ]
  stage = 'convert'
  reason = "r"

# Foot.

# Foot as well.
'''


def entries_of(document: Document) -> list[Expectation]:
    return [entry for block in document.blocks for entry in block.entries]


def an_entry(pattern: str, reason: str = "r", **fields: object) -> Expectation:
    return Expectation(pattern=pattern, stage=Stage.RUN, reason=reason, source="f", line=1, **fields)


def test_a_file_is_taken_apart_between_its_entries():
    document = read(FILE, "f")
    assert document.head == '# Head.\n\ninherits = "0.22-flex"'
    assert document.foot == "# Foot.\n\n# Foot as well."
    assert [[entry.pattern for entry in block.entries] for block in document.blocks] == [
        ["node/a"],
        ["zoo/b", "zoo/c"],
    ]
    first, second = document.blocks
    assert first.text.splitlines()[0] == "# Of the first."
    assert first.text.splitlines()[-1] == '# lines"""'
    assert second.text.splitlines()[:3] == ["# Of the second.", "", "# As well."]


def test_entries_know_their_lines():
    assert [(entry.pattern, entry.line) for entry in entries_of(read(FILE, "f"))] == [
        (entry.pattern, entry.line) for entry in parse(FILE, "f")
    ]


def test_what_did_not_change_is_as_it_was_written():
    document = read(FILE, "f")
    assert render(document, entries_of(document), "# Other head.") == FILE


def test_comments_of_an_entry_that_changes_stay():
    document = read(FILE, "f")
    written = render(document, [entry for entry in entries_of(document) if entry.pattern != "zoo/c"], "")
    *_, changed = written.removesuffix("\n\n# Foot.\n\n# Foot as well.\n").partition("# Of the second.")
    assert changed == '\n# As well.\n# above an element\n[[expect]]\npattern = "zoo/b"\nstage = "convert"\nreason = "r"'
    first = entries_of(document)[0]
    more = render(document, [first, an_entry("node/b", first.reason)], "")
    assert all(f"# {words}" in more for words in ("Of the first.", "beside the header", "beside the pattern"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_an_inline_array_inherits_stays(newline):
    text = newline.join(["# Head.", 'inherits = "a"', 'expect = [{pattern = "node/a", stage = "run", reason = "r"}]'])
    document = read(text, "f")
    assert render(document, entries_of(document), "") == (
        '# Head.\ninherits = "a"\n\n[[expect]]\npattern = "node/a"\nstage = "run"\nreason = "r"\n'
    )


def test_every_key_is_written():
    written = render(read("", "f"), [an_entry("node/a", link="https://example.org", on=("wgpu", "0.22"))], "# Head.")
    entry = {"pattern": "node/a", "stage": "run", "reason": "r", "link": "https://example.org", "on": ["wgpu", "0.22"]}
    assert tomllib.loads(written) == {"expect": [entry]}
    assert written.startswith("# Head.\n\n[[expect]]\n")


@pytest.mark.parametrize("reason", ['"', "\\", "a\nb", "\x7f", "\u202eright to left", "\u200b", "é", "\U0001f525"])
def test_any_text_is_read_again_and_nothing_invisible_is_written(reason):
    written = render(read("", "f"), [an_entry("node/a", reason)], "")
    assert tomllib.loads(written)["expect"][0]["reason"] == reason
    assert all(line.isprintable() for line in written.split("\n"))
