"""Text for people: one line, no more than fits, a plural, and JSON that Git can compare line by line."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.text import (
    counted,
    first_sentence,
    harmless,
    json_text,
    one_line,
    plain,
    sentences,
    shortened,
    without_numbers,
)


@given(st.text())
def test_one_line_is_printable_and_has_single_blanks(text):
    line = one_line(text)

    assert line.isprintable()
    assert "  " not in one_line(line)


def test_one_line_keeps_every_word():
    assert one_line("  a\tb\n\nc\x1b d ") == "a b c d"


@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_fits_and_begins_like_the_whole(text, room):
    short = shortened(text, room)

    assert len(short) <= room
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@pytest.mark.parametrize(("count", "text"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases")])
def test_a_number_takes_the_plural(count, text):
    assert counted(count, "case") == text


def test_json_has_a_line_for_each_value_in_a_fixed_order():
    text = json_text({"b": "ü", "a": [1, 2]})

    assert text.splitlines() == ["{", ' "a": [', "  1,", "  2", " ],", ' "b": "ü"', "}"]
    assert json.loads(text) == {"a": [1, 2], "b": "ü"}


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


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("perm length 4 does not match input rank -1", "perm length N does not match input rank N"),
        ("shape [2, 3, 4] of 1.5e-3", "shape […] of N"),
        ("E0308: Tensor<2> is no I64, conv2d1 neither", "E0308: Tensor<N> is no I64, conv2d1 neither"),
    ],
)
def test_equal_causes_are_equal_texts(text, cause):
    assert without_numbers(text) == cause


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (1.5, "1.5"),
        (["a", True], "a, yes"),
        ((), ""),
        ({"index": 1, "of": [2, 3], "cut": None}, "index 1, of 2, 3, cut"),
    ],
)
def test_values_are_shown_as_people_write_them(value, text):
    assert plain(value) == text
