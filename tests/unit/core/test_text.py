"""Texts for people: nothing that a terminal or a CI obeys, and no sentence cut in half."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.text import first_sentence, harmless, sentences


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ümlaut … and 日本\n\ttabbed", "plain, with ümlaut … and 日本\n\ttabbed"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb\x00c\x7f\x9b", "a\\rb\\x00c\\x7f\\x9b"),
        ("right\u202eto left", "right\\u202eto left"),
        ("::error::file=x", "\\::error::file=x"),
        ("one\n   ::set-output name=a::b", "one\n   \\::set-output name=a::b"),
        ("std::vec::Vec", "std::vec::Vec"),
        ("see ##[error]no", "see ##\\[error]no"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_what_a_terminal_or_a_ci_would_obey_is_shown_instead(text, shown):
    assert harmless(text) == shown


@given(st.text())
@settings(deadline=None)
def test_no_line_is_a_command(text):
    made = harmless(text)
    assert all(char.isprintable() or char in "\n\t" for char in made)
    assert not any(re.match(r"\s*::", line) for line in made.split("\n"))
    assert "##[" not in made
    assert harmless(made) == made


LONG = "The rank has to be 4. Got no. of channels 6. Consider something else"


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (100, LONG),
        (50, "The rank has to be 4. Got no. of channels 6."),
        (43, "The rank has to be 4."),
        (30, "The rank has to be 4."),
        (20, "The rank has to be…"),
        (6, "The…"),
        (2, "T…"),
    ],
)
def test_whole_sentences_are_kept(room, said):
    assert sentences(LONG, room) == said
    assert len(said) <= room


def test_an_abbreviation_ends_no_sentence():
    assert first_sentence("must be equal Got no. of weights 4 and no. of channels 6. Next") == (
        "must be equal Got no. of weights 4 and no. of channels 6"
    )
