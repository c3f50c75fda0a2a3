"""The page as a person meets it: in a real browser, by mouse and by keyboard, wide and narrow."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from burn_verify.report.summary.changes import compare
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import PastRun
from reported import a_record, agrees, many, no_program, of_operator, output, refused, wrong
from timed import latency

ROWS = "#table tbody tr"
METRICS = (output(0.25, max_abs=1.5e-6, max_ulp=7, bound="16 u S", ulps=(3, 2, 0, 1)),)
HOSTILE = "<img src=x onerror=alert(1)> & <b>bold</b>"

NOW = a_record(
    agrees("zoo/mnist-12", metrics=METRICS, op_types=("Conv", "Relu")),
    refused("zoo/candy", op_types=("Crop",), message=HOSTILE),
    wrong("zoo/odd id#1 & more+", metrics=(output(40.0, max_abs=1.0, bound="exact"),), op_types=("Conv",)),
    of_operator("test_abs", "Abs", 13),
    of_operator("test_abs_int8", "Abs", 6, "int8", make=wrong),
    no_program("node/test_cast", op_types=("Cast",)),
    of_operator("test_conv", "Conv", 22, make=refused),
    rustc="rustc 1.95.0",
)
BEFORE = a_record(agrees("zoo/candy"), agrees("zoo/mnist-12"), refused("node/test_abs"), rustc="rustc 1.94.0")
OTHER = a_record(agrees("zoo/candy", op_types=("Crop",)), version="0.21.0")


@pytest.fixture(scope="module")
def small(site):
    return site(NOW, comparisons=lambda merged: compare(merge([BEFORE]), merged))


@pytest.mark.parametrize(
    "address",
    [
        *(f"view={name}" for name in ("__proto__", "constructor", "toString", "nothing", "%00")),
        *(f"{name}=__proto__" for name in ("text", "status", "operator", "rows", "target", "sort", "column", "list")),
        "__proto__=x",
        "target=1.5&view=failures",
        "target=-1&view=operators",
        "case=zoo/candy&column=-1",
        "case=zoo/candy&column=0.5",
        *(
            f"list={kind}.{place}"
            for kind in ("causes", "operators")
            for place in ("length", "constructor", "-1", "9e9")
        ),
        "list=operators.0.name.0",
        "sort=constructor.up",
    ],
)
def test_an_address_that_means_nothing_shows_the_page(visit, small, address):
    page = visit(f"{small}#{address}")
    assert page.locator("[data-view][aria-pressed=true]").count() == 1
    assert page.locator("#count").inner_text()


@pytest.fixture(scope="module")
def wide(site):
    past = (PastRun(name="0001_abc_20260101", label="Burn 0.22.1 on flex", agree=1, total=7),)
    return site(NOW, OTHER, past=past)


def ids(page):
    return [text.strip() for text in page.locator(f"{ROWS} th").all_inner_texts()]


def test_the_first_screen_answers(visit, small):
    page = visit(small)

    assert page.title() == "Does ONNX work with Burn 0.22.1 on flex?"
    for words in (
        "1 of 3 models and 1 of 4 small test cases",
        "wrong numbers",
        "Regressed",
        "rustc 1.94.0 → rustc 1.95.0",
    ):
        box = page.get_by_text(words).first.bounding_box()
        assert box
        assert box["y"] + box["height"] < 900


def test_models_are_shown_first_and_every_cell_speaks_without_colour(visit, small):
    page = visit(small)

    assert ids(page) == ["zoo/mnist-12", "zoo/candy", "zoo/odd id#1 & more+"]
    assert page.locator(f"{ROWS} a.cell").all_inner_texts() == ["✓ agrees", "⊖ refused", "✗ wrong numbers"]


def test_filters_narrow_and_are_cleared(visit, small):
    page = visit(small)
    page.select_option("#rows", "all")
    assert len(ids(page)) == 7
    page.fill("#text", "ABS unsupp")
    assert ids(page) == []
    assert "nothing fits" in page.inner_text("#count")
    page.fill("#text", "abs")
    assert ids(page) == ["node/test_abs", "node/test_abs_int8"]
    page.select_option("#status", "wrong")
    assert ids(page) == ["node/test_abs_int8"]
    page.click("button[type=reset]")
    assert len(ids(page)) == 7
    page.fill("#operator", "conv")
    assert ids(page) == ["zoo/mnist-12", "zoo/odd id#1 & more+", "node/test_conv"]
    assert page.inner_text("#count") == "3 of 7 cases"


def test_a_heading_sorts_by_mouse_and_keyboard(visit, small):
    page = visit(small)
    page.click("thead button:has-text('Burn 0.22.1')")
    assert page.locator(f"{ROWS} a.cell").first.inner_text() == "✗ wrong numbers"
    assert page.get_attribute("#table thead th >> nth=1", "aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert page.locator(f"{ROWS} a.cell").first.inner_text() == "✓ agrees"
    assert page.get_attribute("#table thead th >> nth=1", "aria-sort") == "descending"


def test_a_cell_opens_its_evidence_and_closes_by_key(visit, small):
    page = visit(small)
    page.focus("a.cell[data-case='zoo/mnist-12']")
    page.keyboard.press("Enter")
    text = page.inner_text("#evidence")

    for words in ("zoo/mnist-12", "compare", "Conv, Relu", "pytest --models=mnist-12", "1.5e-6", "16 u S", "0.25"):
        assert words in text
    distances = page.get_attribute("#evidence svg.ulps", "aria-label")
    assert distances == "Y, elements by distance in ULP: 3 up to 0, 2 up to 1, 0 up to 3, 1 up to 7"
    page.keyboard.press("Escape")
    assert not page.is_visible("#evidence")
    assert page.evaluate("document.activeElement.dataset.case") == "zoo/mnist-12"
    assert "case=" not in page.evaluate("location.href")


@pytest.mark.parametrize("case_id", ["zoo/odd id#1 & more+", "node/test_cast"])
def test_a_cell_has_a_link_of_its_own(visit, small, case_id):
    page = visit(f"{small}#case={quote(case_id)}&column=0")
    assert page.inner_text("#evidence h2") == case_id


def test_the_generated_line_is_shown(visit, small):
    page = visit(f"{small}#case=node/test_cast&column=0")
    assert "Generated Rust, line 7\nlet x = y;" in re.sub(r"\n+", "\n", page.inner_text("#evidence"))


def test_the_address_keeps_the_view(visit, small):
    page = visit(small)
    page.click("[data-view=operators]")
    page.fill("#text", "abs")
    again = visit(page.evaluate("location.href"))

    assert again.get_attribute("[data-view=operators]", "aria-pressed") == "true"
    assert ids(again)[0] == "Abs"
    assert again.input_value("#text") == "abs"


def test_back_closes_what_was_opened(visit, small):
    page = visit(small)
    page.click("a.cell[data-case='zoo/candy']")
    assert page.is_visible("#evidence")
    page.go_back()
    assert not page.is_visible("#evidence")


def test_what_a_record_says_is_text(visit, small):
    page = visit(f"{small}#case=zoo/candy&column=0")

    assert HOSTILE in page.inner_text("#evidence")
    assert page.locator("#evidence img").count() == 0


def test_an_operator_lists_the_cases_of_a_version(visit, small):
    page = visit(small)
    page.click("[data-view=dtypes]")
    page.fill("#operator", "Abs")
    page.click("a.cell[aria-label='Abs, int8: refuted, 0 of 1 agree']")
    assert page.inner_text("#evidence h2") == "Abs, dtype int8"
    page.click("#evidence a.cell")
    assert page.inner_text("#evidence h2") == "node/test_abs_int8"


def test_the_status_of_an_operator_opens_all_its_cases_also_on_a_telephone(visit, small):
    page = visit(f"{small}#view=operators", width=390)
    page.fill("#text", "abs")
    page.click(f"{ROWS} a.cell:visible")
    assert page.inner_text("#evidence h2") == "Abs, refuted"
    assert page.locator("#evidence li").count() == 2


def test_squares_stand_below_one_another_and_headings_stay(visit, small):
    page = visit(f"{small}#view=versions", width=390)
    columns = page.evaluate(
        """() => [...document.querySelectorAll("#table tr")].map(
             row => [...row.cells].map(cell => Math.round(cell.getBoundingClientRect().left)))"""
    )
    assert len({tuple(column) for column in columns}) == 1
    page.evaluate("document.getElementById('scroll').scrollTo(300, 400)")
    shown = page.evaluate(
        """() => { const box = document.getElementById("scroll").getBoundingClientRect();
           const head = document.querySelector("#table thead th").getBoundingClientRect();
           const name = document.querySelectorAll("#table tbody th")[15].getBoundingClientRect();
           return [head.top - box.top, head.left - box.left, name.left - box.left].map(Math.round) }"""
    )
    assert shown == [0, 0, 0]


def test_models_show_times_tolerance_and_size(visit, site):
    page = visit(site(a_record(agrees("zoo/a", metrics=METRICS, latency=latency()))))
    row = page.inner_text(ROWS)

    for words in ("0.25", "tolerance 16 u S", "agrees"):
        assert words in row
    heads = page.locator("#table thead th").all_inner_texts()
    assert {"Burn / ONNX Runtime", "weights"} <= set(heads)


def test_the_past_of_a_case_is_drawn_and_said(visit, site):
    past = a_record(wrong("zoo/a"), of_operator("b", "Abs", 13, make=refused))
    page = visit(site(a_record(agrees("zoo/a"), of_operator("b", "Abs", 13)), kept=(("0001_a", past),)))
    page.click("a.cell[data-case='zoo/a']")

    assert page.get_attribute("#evidence svg.trail", "aria-label") == "0001_a: wrong numbers, this run: agrees"
    page.click("#evidence summary:has-text('as a table')")
    assert page.locator("#evidence details table tr").all_inner_texts() == ["0001_a\twrong numbers", "this run\tagrees"]
    page.keyboard.press("Escape")
    page.click("[data-view=operators]")
    assert page.get_attribute("#table svg.trail", "aria-label") == "agree by run: 0 of 1, 1 of 1"


def test_long_lists_and_messages_are_folded(visit, site):
    names = tuple(f"Operator{place}" for place in range(123))
    message = "\n".join(f"line {place}" for place in range(60))
    page = visit(site(a_record(wrong("zoo/a", op_types=names), refused("zoo/b", message=message))))
    page.click("a.cell[data-case='zoo/a']")
    assert page.inner_text("#evidence .facts summary") == "111 more"
    page.keyboard.press("Escape")
    page.click("a.cell[data-case='zoo/b']")
    assert page.inner_text("#evidence summary") == "all 60 lines"
    assert "line 59" not in page.inner_text("#evidence pre")


def test_no_word_is_broken_in_a_dialog(visit, site):
    metrics = (output(0.25, data_set="seeded", name="last_hidden_state", dtype="float32", shape=(2, 8, 384)),)
    page = visit(site(a_record(agrees("zoo/a", metrics=metrics))) + "#case=zoo/a&column=0", width=390)
    heights = page.evaluate(
        """() => [...document.querySelectorAll("#evidence td.word")].map(cell => {
             const range = document.createRange(); range.selectNodeContents(cell);
             return range.getClientRects().length })"""
    )
    assert heights == [1, 1, 1]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_name_is_broken_before_a_capital_letter(visit, site, width):
    name = "NegativeLogLikelihoodLossOfManyThings"
    row = replace(of_operator("a", name, make=refused), reason=f"unsupported operators: {name}")
    page = visit(f"{site(a_record(row))}#view=failures", width=width)
    lines = page.evaluate(
        """() => [...document.querySelectorAll("#table th.cause, #table td.names")].flatMap(cell =>
             [...cell.childNodes].filter(node => node.nodeType === Node.TEXT_NODE && !node.data.includes(" ")))
             .map(node => { const range = document.createRange(); range.selectNodeContents(node);
                            return range.getClientRects().length })"""
    )
    assert len(lines) >= 6
    assert set(lines) <= {0, 1}


def test_failures_are_grouped_by_cause(visit, small):
    page = visit(small)
    page.click("[data-view=failures]")
    assert page.locator(f"{ROWS} td.number a").all_inner_texts() == ["2", "1", "1", "1"]
    page.click(f"{ROWS}:has-text('unsupported operator') td.number a")
    assert "zoo/candy" in page.inner_text("#evidence")
    assert "node/test_conv" in page.inner_text("#evidence")


def test_several_targets_are_columns_and_what_is_missing_is_said(visit, wide):
    page = visit(wide)

    assert page.locator(f"{ROWS}:has-text('zoo/mnist-12') a.cell").all_inner_texts() == ["✓ agrees", "∅ missing"]
    page.click("a.cell[data-case='zoo/candy'][data-column='1']")
    assert "Burn 0.21.0 on flex" in page.inner_text("#evidence .facts")
    page.click("#evidence ul a.cell")
    assert "Burn 0.22.1 on flex" in page.inner_text("#evidence .facts")


def test_changes_link_to_their_cells(visit, small):
    page = visit(small)
    page.click("details[open] a:has-text('zoo/candy')")
    assert page.inner_text("#evidence h2") == "zoo/candy"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("view", ["models", "operators", "dtypes", "versions", "failures"])
def test_nothing_overflows(visit, site, wide, width, view, tmp_path):
    page = visit(f"{wide}#view={view}&rows=all", width=width)
    # Left where pytest keeps it, to be looked at: --basetemp=DIR says where.
    page.screenshot(path=tmp_path / f"{view}-{width}.png", full_page=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """width => [...document.querySelectorAll("body *")].filter(each => !each.closest(".scroll, dialog")
           && each.getBoundingClientRect().right > width + 1).map(each => each.outerHTML.slice(0, 80))""",
        width,
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "part",
    [
        "#view=models&rows=all",
        "#view=operators",
        "#view=dtypes",
        "#view=versions",
        "#view=failures",
        "#case=zoo/mnist-12&column=0",
    ],
)
def test_no_barrier_for_anyone(visit, wide, scheme, part):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'")
    page = visit(wide + part, color_scheme=scheme)
    found = axe.Axe().run(page).response["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == []


def test_a_barrier_would_be_seen(visit, small):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'")
    page = visit(small)
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")

    assert "button-name" in [each["id"] for each in axe.Axe().run(page).response["violations"]]


def test_everything_is_printed(visit, site):
    page = visit(site(many(300)) + "#rows=all")
    before = page.locator(ROWS).count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    assert before < 300
    assert page.locator(ROWS).count() == 300
    assert not page.is_visible(".filters")


def test_a_button_shows_more(visit, site):
    page = visit(site(many(600)) + "#rows=all")
    assert page.locator(ROWS).count() == 50
    page.focus("#more")
    page.keyboard.press("Enter")
    assert page.locator(ROWS).count() == 250
    assert page.inner_text("#more") == "Show 200 more of 350"
    page.fill("#text", "test_599")
    assert page.locator(ROWS).count() == 1
    assert not page.is_visible("#more")


def test_without_javascript_the_answer_is_there(browser, small):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(small)

    assert "1 of 3 models" in page.inner_text("body")
    assert "compatibility-matrix.md" in page.inner_text("noscript")
    context.close()


def test_the_nodes_of_a_located_model_are_a_strip(visit, site):
    right = {"name": "a", "op_type": "Neg", "value": "x", "fails": False, "known": True, "headroom": 0.5}
    states = [right, right | {"name": "b", "fails": True, "headroom": 30.0}, right, right | {"known": False}]
    said = {"line": "first wrong: Neg `b` (fails alone)", "states": states}
    page = visit(f"{site(a_record(wrong('zoo/a', details={'located': said})))}#case=zoo/a&column=0")
    heights = [float(rect.get_attribute("height")) for rect in page.locator("svg.strip rect").all()]
    assert [place for place, height in enumerate(heights) if height == max(heights)] == [1]
    assert "first wrong one is Neg b: wrong, 30 of its bound" in page.get_attribute("svg.strip", "aria-label")
    assert said["line"] in page.inner_text("#evidence")
