"""Tables in Parquet, and questions to them."""

import math
import os

import pytest

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record import parquet
from burn_verify.record.codec import Record

pytest.importorskip("duckdb")


def result(name, **fields):
    metrics = OutputMetrics(data_set="it's", name="ü\n", dtype="float32", shape=(), elements=1, mismatching=0, **fields)
    return CaseResult(
        case_id=name, corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED, metrics=(metrics,), op_types=("Add",)
    )


def record(*results, selection=None):
    return Record(results=results, target=Target(), selection=selection)


def test_what_is_written_is_what_is_read(tmp_path):
    written = record(
        result("a", max_abs=math.inf, max_ulp=2**70, headroom=math.nan), result("b"), selection=("a", "b", "c")
    )
    parquet.write([written], tmp_path)
    sql = "select case_id, max_abs, max_ulp, isnan(headroom), operators, outcome from results"
    answer = parquet.ask(sql, folder=tmp_path)

    assert answer.rows == (
        ("a", math.inf, 2**70, True, ["Add"], "passed"),
        ("b", None, None, None, ["Add"], "passed"),
        ("c", None, None, None, None, "missing"),
    )
    assert answer == parquet.ask(sql, records=[written])
    assert parquet.ask("select output from outputs", folder=tmp_path).rows == (("ü\n",), ("ü\n",))


def test_the_same_results_are_the_same_bytes_in_any_order(tmp_path):
    many = [result(f"m{number}", max_abs=number / 7) for number in range(300)]
    folders = tmp_path / "a", tmp_path / "b"
    for folder, some in zip(folders, (many, many[::-1]), strict=True):
        folder.mkdir()
        parquet.write([record(*some)], folder)
    for name in ("results", "outputs", "runs"):
        assert (folders[0] / f"{name}.parquet").read_bytes() == (folders[1] / f"{name}.parquet").read_bytes()


def test_tables_older_than_the_record_are_not_fresh(tmp_path):
    source = tmp_path / "record.jsonl"
    source.touch()
    assert not parquet.are_fresh(tmp_path, source)
    parquet.write([record(result("a"))], tmp_path)
    assert parquet.are_fresh(tmp_path, source)
    os.utime(source, (2e9, 2e9))
    assert not parquet.are_fresh(tmp_path, source)


@pytest.mark.parametrize("sql", ["selekt 1", "select nothing from results", "select * from nowhere", "", " ; "])
def test_wrong_sql_is_one_line(sql):
    with pytest.raises(UsageError) as caught:
        parquet.ask(sql, records=[])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("left", [0, 4, 300])
def test_a_damaged_table_is_one_line(tmp_path, left):
    parquet.write([record(result("a"))], tmp_path)
    table = tmp_path / "results.parquet"
    table.write_bytes(table.read_bytes()[:left])
    with pytest.raises(UsageError, match=r"results\.parquet is damaged: delete it") as caught:
        parquet.ask("select 1", folder=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        parquet.write([], tmp_path / "gone")
