"""The guide from a model to a program names messages that were really seen; tests/serve runs its commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guides" / "convert-and-serve.md").read_text(encoding="utf-8")
SEEN, SAID = GUIDE.partition("## When it does not work")[2].split("What the programs that are shipped say themselves:")
ERRORS = (ROOT / "reports" / "errors.md").read_text(encoding="utf-8").replace("\\", "")
SOURCES = [
    path.read_text(encoding="utf-8")
    for suffix in ("*.py", "*.rs")
    for path in sorted((ROOT / "src" / "burn_verify").rglob(suffix))
]


def messages(text):
    """Return the second cell of every row, where it is a message."""
    return re.findall(r"^\| [\w, ]+ \| `(.+?)` \|", text, re.MULTILINE)


def test_both_tables_have_messages():
    assert (len(messages(SEEN)), len(messages(SAID))) == (8, 4)


@pytest.mark.parametrize("message", messages(SEEN))
def test_a_message_of_burn_is_one_that_was_seen(message):
    assert message in ERRORS


@pytest.mark.parametrize("message", messages(SAID))
def test_a_message_of_ours_is_one_that_is_written(message):
    parts = [part for part in re.split(r"…|3000|127\.0\.0\.1|Address already in use", message) if part.strip()]
    assert any(all(part in source for part in parts) for source in SOURCES)
