"""The command ``burn-verify query``."""

import json

import pytest

from fakes import seams
from reported import agrees as result
from swept import models

pytest.importorskip("duckdb")
COUNT = "select outcome, count(*) n from results group by all order by all"


def test_a_record_is_asked(command, written):
    path = written(result("zoo/a"), result("zoo/b"))
    code, out, _ = command("query", COUNT, path, "--json")

    assert (code, json.loads(out)) == (0, [{"outcome": "passed", "n": 2}])


def test_a_sweep_is_asked_by_its_tables_and_by_its_record(command, tmp_path):
    models(tmp_path / "in", 3)
    command("sweep", tmp_path / "in", "--out", tmp_path / "out", seams=seams())
    tables = command("query", COUNT, tmp_path / "out", "--csv")
    (tmp_path / "out" / "results.parquet").unlink()

    assert tables == (0, "outcome,n\npassed,3\n", "")
    assert command("query", COUNT, tmp_path / "out", "--csv") == tables
    assert command("query", COUNT, "--csv") == tables


def test_a_table_is_for_people(command, written):
    code, out, _ = command("query", "select case_id, operators, null x, 0.1 y from results", written(result("zoo/a")))

    assert code == 0
    assert "zoo/a" in out


@pytest.mark.parametrize(
    ("sql", "place", "message"),
    [
        ("selekt", "run.jsonl", "query: Parser Error"),
        ("select nix from results", "run.jsonl", '"nix" not found in FROM clause! Candidate bindings: "'),
        ("select case_id + 'a' from results", "run.jsonl", "add explicit type casts"),
        (COUNT, "gone.jsonl", "no such record"),
        (COUNT, ".", "--gather makes it"),
    ],
)
def test_a_mistake_is_one_line(command, written, tmp_path, sql, place, message):
    written(result("zoo/a"))
    code, out, err = command("query", sql, tmp_path / place)

    assert (code, out) == (4, "")
    assert message in err
    assert err.count("\n") == 1
