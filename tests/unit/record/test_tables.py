"""Rows of tables: one for each model and target, also where nothing came back."""

import json

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import Record
from burn_verify.record.tables import MISSING, TABLES, rows


def output(name, **fields):
    return OutputMetrics(data_set="a", name=name, dtype="float32", shape=(2, 3), elements=6, mismatching=0, **fields)


def result(name, *outputs, **fields):
    return CaseResult(
        case_id=name, corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED, metrics=outputs, **fields
    )


def test_every_row_has_only_columns_of_its_table():
    record = Record(results=(result("a", output("x", max_abs=1.0), durations={"run": 1.0}),), target=Target())
    for name, found in rows([record]).items():
        assert found
        assert all(row.keys() <= TABLES[name].keys() for row in found)


def test_a_case_without_a_result_is_missing():
    record = Record(selection=("a", "b"), results=(result("b"),), target=Target())

    assert [(row["case_id"], row["outcome"]) for row in rows([record])["results"]] == [("a", MISSING), ("b", "passed")]


def test_rows_do_not_depend_on_the_order_in_which_models_ran():
    one, other = (result(name, output("y"), output("x"), durations={"run": 0.5}) for name in "ab")
    first = rows([Record(results=(one, other), target=Target())])

    assert first == rows([Record(results=(other, one), target=Target())])
    assert [row["output"] for row in first["outputs"]] == ["x", "y", "x", "y"]


def test_the_worst_output_counts_and_nan_is_worst():
    record = Record(results=(result("a", output("x", max_abs=2.0), output("y", max_abs=float("nan"))),))
    (row,) = rows([record])["results"]

    assert (row["max_abs"], row["max_ulp"], row["outputs"]) == ("nan", None, 2)
    json.dumps(row, allow_nan=False)
