"""Text for people: one line, no more than fits, a plural, and JSON that Git can compare line by line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.core.text import counted, json_text, one_line, shortened


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
