"""The page's text: whole, self-contained, and safe whatever a record says. What it does is tested in a browser."""

import json
import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.stage import Outcome, Stage
from reported import a_record, a_result, agrees, many, no_program, of_operator, output, refused, rendered, wrong


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def evidence_of(text, chunk=0):
    found = re.search(rf'<script type="application/json" id="evidence-{chunk}">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


class Tags(HTMLParser):
    """Collects what a browser would load."""

    def __init__(self):
        super().__init__()
        self.loads = []
        self.scripts = 0

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.scripts += tag == "script"
        self.loads += [named[name] for name in ("src", "href") if name in named and not named[name].startswith("#")]


def test_the_page_needs_nothing_else():
    text = rendered(many(200))
    tags = Tags()
    tags.feed(text)

    assert tags.loads == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|https?://", text)


def test_the_first_words_answer_whether_it_works():
    text = rendered(
        a_record(agrees("zoo/1"), refused("zoo/2"), of_operator("test_a"), of_operator("test_b", make=wrong))
    )

    assert "With Burn 0.22.1 on flex, 1 of 2 models and 1 of 2 small test cases compute" in text
    cards = re.findall(r"<b>(.*?)</b> <span class=\"what\">(.*?)</span> <span class=\"of\">(.*?)</span>", text)
    assert [number for number, _, _ in cards] == ["0", "50%", "67%", "1", "1"]
    assert cards[0][1:] == ("operators verified", "0 of 1 entirely; of ordinary use nothing is known")
    assert cards[1][2] == "2 of 4"


def test_the_same_findings_give_the_same_page():
    assert rendered(many(50)) == rendered(many(50))


@given(st.text())
@settings(deadline=None, max_examples=25)
def test_nothing_that_a_record_says_is_markup(said):
    hostile = f"{said}</script><script>alert(1)</script><b>&\ud800"
    text = rendered(
        a_record(agrees("zoo/1"), wrong("zoo/2", reason=hostile, note=hostile)), old=a_record(agrees("zoo/2"))
    )
    tags = Tags()
    tags.feed(text)

    assert tags.scripts == 3
    assert "alert(1)" in text
    text.encode("utf-8")
    assert data_of(text)["cases"][1]["id"] == "zoo/2"


def test_cells_hold_their_evidence():
    record = a_record(
        no_program("zoo/1"),
        wrong("zoo/2", metrics=(output(8.0, max_abs=float("nan"), bound="1e-5 + 1e-3 · |desired|"),)),
    )
    text = rendered(record, expected={"zoo/1": "known"})
    data, evidence = data_of(text), evidence_of(text)
    (first, second), (said, measured) = data["cases"], evidence["cells"]
    cell, texts = said[0], evidence["texts"]

    assert texts[cell["rust"]] == "let x = y;"
    assert cell["line"] == 7
    assert texts[cell["reproduce"]] == "pytest --models=1"
    assert data["texts"][first["cells"][0]["expected"]] == "known"
    assert data["texts"][second["cells"][0]["bound"]] == "1e-5 + 1e-3 · |desired|"
    assert second["cells"][0]["headroom"] == 8.0
    assert measured[0]["metrics"][0][5:8] == ["nan", None, 8.0]
    assert data["causes"][0][0]["cases"] in ([0], [1])


def test_a_missing_column_is_missing():
    data = data_of(rendered(a_record(agrees("zoo/1")), a_record(agrees("zoo/2"), version="0.21.0")))
    words = {row["id"]: [data["states"][cell["state"]]["word"] for cell in row["cells"]] for row in data["cases"]}

    assert words == {"zoo/1": ["agrees", "missing"], "zoo/2": ["missing", "agrees"]}


def test_operators_have_a_cell_a_version_and_a_dtype():
    record = a_record(
        of_operator("test_a", "Abs", 13), of_operator("test_b", "Abs", 6, "int8", make=wrong), agrees("zoo/1")
    )
    data = data_of(rendered(record))
    row = next(row for row in data["operators"][0] if row["name"] == "Abs")
    shown = {name: data["operatorStates"][state]["word"] for name, state, *_ in row["versions"] + row["dtypes"]}

    assert shown == {"1": "untested", "6": "refuted", "13": "verified", "float32": "verified", "int8": "refuted"}


def test_every_stage_of_failure_finds_its_way_to_the_page():
    results = [
        of_operator(f"test_{stage}", make=lambda name, stage=stage, **fields: made(name, stage, fields))
        for stage in Stage
    ]
    data = data_of(rendered(a_record(*results, agrees("zoo/1"))))

    assert {data["texts"][cause["stage"]] for cause in data["causes"][0]} == set(Stage)


def made(name, stage, fields):
    return a_result(name, stage, Outcome.FAILED, reason=f"at {stage}", **fields)


def test_every_target_has_numbers_of_its_own_and_a_place_in_the_grid():
    text = rendered(
        a_record(agrees("zoo/1"), refused("zoo/2")),
        a_record(agrees("zoo/1"), wrong("zoo/2"), backend="wgpu"),
        a_record(agrees("zoo/1"), version="0.21.0"),
    )

    assert re.findall(r'<h2 id="target(.)">(.*?)</h2>', text) == [
        ("0", "Burn 0.22.1 on flex"),
        ("1", "Burn 0.22.1 on wgpu"),
        ("2", "Burn 0.21.0 on flex"),
    ]
    grid = re.search(r'<table class="targets grid">(.*?)</table>', text, re.DOTALL)[1]
    assert re.findall(r'<th scope="...">(.*?)</th>', grid) == ["version", "flex", "wgpu", "0.22.1", "0.21.0"]
    assert re.findall(r"(\d of \d, \d wrong|not in these records)", grid) == [
        "1 of 2, 0 wrong",
        "1 of 2, 1 wrong",
        "1 of 1, 0 wrong",
        "not in these records",
    ]


def test_no_python_value_is_shown():
    text = rendered(a_record(agrees("zoo/1"), simplify=True, partition=False, shards=["a", 1], cut=None))
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))

    assert [facts[name] for name in ("simplify", "partition", "shards", "cut")] == ["yes", "no", "a, 1", ""]
