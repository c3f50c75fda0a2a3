"""The data of the page's script."""

import json

from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.summary.trails import trails_of
from burn_verify.report.views.page_data import CHUNK, Texts, as_script, evidence
from reported import a_record, agrees, of_operator, wrong


def data(*records):
    matrix = merge(records)
    findings = Findings(matrix=matrix, expected=tuple({} for _ in matrix.columns), comparisons=(), past=(), between=())
    return json.loads(as_script(findings))


def test_a_text_has_one_place():
    texts = Texts()

    assert [texts.place(text) for text in ("a", "b", "a")] == [0, 1, 0]
    assert texts.all == ["a", "b"]


def test_a_case_has_a_cell_for_each_target():
    made = data(a_record(agrees("zoo/a")), a_record(wrong("zoo/a"), version="0.21.0"))

    (case,) = made["cases"]
    words = [made["states"][cell["state"]]["key"] for cell in case["cells"]]
    assert (case["id"], words) == ("zoo/a", ["agrees", "wrong"])


def test_operators_are_counted_by_their_own_cases():
    made = data(a_record(of_operator("test_conv", "Conv"), of_operator("other", "Conv", make=wrong)))

    conv = next(operator for operator in made["operators"][0] if operator["name"] == "Conv")
    assert conv["counts"] == [1, 2, 2]


def test_nothing_in_a_text_ends_the_script():
    script = as_script(
        Findings(matrix=merge([a_record(wrong("zoo/</script>"))]), expected=({},), comparisons=(), past=(), between=())
    )

    assert "</script>" not in script
    assert script.isascii()


def test_the_cause_of_most_cases_comes_first():
    made = data(
        a_record(
            wrong("zoo/a"), of_operator("x", make=wrong, reason="other"), of_operator("y", make=wrong, reason="other")
        )
    )

    assert [len(cause["cases"]) for cause in made["causes"][0]] == [2, 1]


def test_evidence_lies_apart_in_parts():
    record = a_record(*(wrong(f"zoo/{place}") for place in range(CHUNK + 1)))
    findings = Findings(matrix=merge([record]), expected=({},))
    first, second = map(json.loads, evidence(findings))

    assert (len(first["cells"]), len(second["cells"])) == (CHUNK, 1)
    assert second["texts"][second["cells"][0][0]["message"]] == "Y: 4/6 elements differ"
    assert "message" not in data(record)["cases"][0]["cells"][0]


def test_a_case_has_its_trail():
    matrix = merge([a_record(agrees("zoo/a"), agrees("zoo/b"))])
    kept = [("0001", merge([a_record(wrong("zoo/a"))]).columns)]
    trails = (trails_of(matrix.columns[0].target, kept),)
    made = json.loads(as_script(Findings(matrix=matrix, expected=({},), trails=trails)))

    assert made["runs"] == [["0001"]]
    first, second = (case["cells"][0] for case in made["cases"])
    assert [made["states"][place]["word"] for place in first["trail"]] == ["wrong numbers"]
    assert "trail" not in second


def test_nodes_whose_wrong_one_was_looked_for_are_a_strip():
    right = {"name": "a", "op_type": "Neg", "value": "x", "fails": False, "known": True, "headroom": 0.5}
    states = [right, right | {"name": "b", "fails": True, "headroom": float("inf")}, right | {"known": False}]
    located = {"line": "first wrong: Neg `b`", "states": states}
    record = a_record(wrong("zoo/a", details={"located": located}), wrong("zoo/b", details={"located": {"line": "no"}}))
    (made,) = map(json.loads, evidence(Findings(matrix=merge([record]), expected=({},))))
    first, second = (cells[0] for cells in made["cells"])
    assert made["texts"][first["located"]] == located["line"]
    assert [tone for _, _, tone, _ in first["strip"]] == ["good", "wrong", "neutral"]
    assert [made["texts"][name] for name, *_ in first["strip"]] == ["a", "b", "a"]
    assert second["strip"] == []
