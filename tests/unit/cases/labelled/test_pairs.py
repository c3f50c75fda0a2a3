"""Sentence pairs of a CSV, with quotes and without a header."""

import pytest

from burn_verify.cases.labelled.pairs import pairs
from burn_verify.cases.own.schema import Wrong


def read(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return pairs(tmp_path / name, "a")


def test_without_a_header(tmp_path):
    found = read(tmp_path, 'a cat,"a, ""b""",4.5\nc,d,0\n')
    assert [(one.items, one.label) for one in found.entries] == [(("a cat", 'a, "b"'), 4.5), (("c", "d"), 0.0)]
    assert [one.name for one in found.entries] == ["a.csv:1", "a.csv:2"]


def test_a_header_names_the_columns(tmp_path):
    found = read(tmp_path, "split\tscore\tsentence1\tsentence2\ntest\t2\ta\tb\n", "a.tsv")
    assert [(one.items, one.label) for one in found.entries] == [(("a", "b"), 2.0)]


@pytest.mark.parametrize(
    "head", ["Sentence1,Sentence2,Similarity_Score", "id;text1;text2;label", "s1\ts2\tscore", "\ufeffscore,s1,s2"]
)
def test_headers_of_published_data(tmp_path, head):
    delimiter = next(one for one in ",;\t" if one in head)
    cells = {"score": "2", "label": "2", "similarity_score": "2", "s1": "a", "s2": "b", "id": "7"}
    cells |= {"text1": "a", "text2": "b", "sentence1": "a", "sentence2": "b"}
    row = delimiter.join(cells[one.strip("\ufeff").lower()] for one in head.split(delimiter))
    found = read(tmp_path, f"{head}\n{row}\n")
    assert [(one.items, one.label) for one in found.entries] == [(("a", "b"), 2.0)]
    assert found.broken == ()


def test_a_field_that_is_too_large_is_told_and_the_rest_goes_on(tmp_path):
    found = read(tmp_path, f"a,{'b' * 200_000},1\nc,d,2\n")
    assert "a.csv:1: no CSV: field larger than field limit" in found.broken[0]
    assert [one.items for one in found.entries] == [("c", "d")]


def test_a_header_of_other_names_is_told(tmp_path):
    found = read(tmp_path, "left,right,gold\na,b,1\n")
    assert len(found.entries) == 1
    assert found.broken == (
        "a.csv:1: score: a number is needed, not 'gold'; a header names its columns sentence1, sentence2, score",
    )


def test_broken_lines_are_told(tmp_path):
    found = read(tmp_path, "a,b,1\na,b\na,,2\na,b,five\n")
    assert len(found.entries) == 1
    assert found.broken == (
        "a.csv:2: two texts and a score are needed, and the line has 2 columns",
        "a.csv:3: a text is empty",
        "a.csv:4: score: a number is needed, not 'five'",
    )


def test_what_is_no_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00,")
    with pytest.raises(Wrong, match="no text in UTF-8"):
        pairs(tmp_path / "a.csv", "a")
    with pytest.raises(Wrong, match="it holds no line"):
        read(tmp_path, "")
