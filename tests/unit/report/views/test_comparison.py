"""A comparison as text: a row for each output, what was left out, and one sentence."""

import pytest

from burn_verify.core.comparison import ComparedOutput, Comparison, NotCompared
from burn_verify.core.result import OutputMetrics
from burn_verify.report.views.comparison import MANY, comparison_text


def output(name="y", other=None, mismatching=0, data_set="seeded"):
    metrics = OutputMetrics(
        data_set=data_set, name=name, dtype="float32", shape=(6,), elements=6, mismatching=mismatching,
        max_abs=0.25 if mismatching else 0.0, max_ulp=2_000_000 if mismatching else 0, cosine=0.5,
    )  # fmt: skip
    return ComparedOutput(
        case="file/a", data_set=data_set, name=name, other=other or name, by_name=other is None,
        verdict="differs" if mismatching else "agrees", metrics=metrics,
        difference=f"{name}: differs" if mismatching else "",
    )  # fmt: skip


def text(*compared, **more):
    return comparison_text(Comparison(sides=("one", "two"), compared=compared, **more))


def test_sides_that_agree():
    said = text(output())

    assert said.splitlines()[:2] == ["A  one", "B  two"]
    assert said.splitlines()[-1] == "A and B agree: 1 of 1 outputs are the same within the judge's bounds"
    assert "file/a seeded y name 0/6 0 0 0.500000 agrees" in " ".join(said.split())


def test_sides_that_differ():
    said = text(output(), output("z", "w", mismatching=3))

    assert said.index("z / w") < said.index("  y ")
    assert "3/6" in said
    assert "2.5e-01" in said
    assert "2.0e+06" in said
    assert "\nfile/a, seeded: z: differs\n" in said
    assert said.endswith("A and B do not agree: 1 of 2 outputs are the same within the judge's bounds")


def test_what_was_left_out_and_what_was_done():
    left = NotCompared(case="file/a", data_set="t", why="other inputs")
    said = text(output(), left_out=(left,), notes=("cast",))

    assert "\n   cast\n" in said
    assert "file/a, t: not compared: other inputs" in said
    assert said.endswith("bounds, 1 could not be compared")
    assert "A and B do not agree" in said


def test_nothing_compared():
    assert "A and B do not agree: 0 of 0" in text()


@pytest.mark.parametrize("differing", [0, 5])
def test_many_rows_are_folded_and_those_that_differ_are_shown(differing):
    rows = [output(data_set=f"s{place}") for place in range(MANY)]
    rows += [output(mismatching=1, data_set=f"t{place}") for place in range(differing)]
    said = text(*rows, output())

    assert f"{differing + 1} more rows, 0 of them differ" in said
    assert said.count("differs") == 2 * differing


def test_names_do_nothing_to_a_terminal():
    assert "\x1b" not in text(output("\x1b[31m"))
