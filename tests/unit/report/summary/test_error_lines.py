"""Failures by stage, kind and reason."""

from dataclasses import replace

from burn_verify.core.stage import Stage
from burn_verify.report.summary.causes import NO_CODE
from burn_verify.report.summary.error_lines import KINDS, sections_of
from reported import agrees, no_program, no_reference, of_operator, refused, wrong


def lines(results, stage, expected=None):
    return [
        line for section in sections_of(results, expected or {}) if section.stage is stage for line in section.lines
    ]


def test_equal_reasons_are_one_line_with_the_smallest_case():
    (line,) = lines([refused("node/b", op_types=("Foo", "Bar")), refused("node/a", op_types=("Foo",))], Stage.CONVERT)

    assert (line.key, line.count, line.example.case_id) == ("unsupported operator: Foo", 2, "node/a")


def test_every_section_is_there_also_without_a_failure():
    sections = sections_of([agrees("node/a")], {})

    assert {section.kind for section in sections if section.stage is Stage.CONVERT} >= set(KINDS)
    assert all(section.cases == 0 and not section.lines for section in sections)


def test_a_case_counts_once_for_each_code_of_rustc():
    result = no_program("node/a")
    several = replace(no_program("node/b"), details={"codes": ["E0308", "E0277", "E0308"]})

    found = {line.key: line.count for line in lines([result, several], Stage.COMPILE)}

    assert found == {"E0308": 2, "E0277": 1}
    without_code = replace(no_program("node/c"), details={})
    assert [line.key for line in lines([without_code], Stage.COMPILE)] == [NO_CODE]


def test_expected_failures_are_counted_beside():
    (line,) = lines([wrong("node/a"), wrong("node/b")], Stage.COMPARE, {"node/a": "known"})

    assert (line.count, line.expected) == (2, 1)


def test_operators_of_a_line_are_those_of_most_cases_first():
    results = [of_operator(f"{place}", "Conv", make=refused) for place in range(2)] + [
        of_operator("x", "Add", make=refused)
    ]

    (line,) = lines(results, Stage.CONVERT)

    assert [(operator.name, operator.count) for operator in line.operators] == [("Conv", 2), ("Add", 1)]


def test_wrong_answers_are_told_apart_by_operator():
    results = [of_operator(f"{place}", "Conv", make=wrong, reason="wrong values") for place in range(2)]
    results += [of_operator("x", "Add", make=wrong, reason="wrong values"), wrong("zoo/a", reason="wrong shape")]

    found = [(line.title, line.count) for line in lines(results, Stage.COMPARE)]

    assert found == [("wrong values: Conv", 2), ("wrong shape: several", 1), ("wrong values: Add", 1)]


def test_what_has_no_reference_is_listed_last():
    sections = sections_of([no_reference("node/a"), refused("node/b")], {})

    assert [section.stage for section in sections if section.lines] == [Stage.CONVERT, Stage.REFERENCE]
    assert sections[-1].lines[0].key == "ONNX Runtime: exited"
