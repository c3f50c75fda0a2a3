"""The page about a sweep that was harmed says what the steps found, and the models are models."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

import sweeping
from burn_verify.record import store
from reported import a_record
from sweeping import Swept, held, page

SAME = ("one", "two")
STEPS = {
    "killed": Swept(step="killed", words=("burn-verify", "sweep"), code=1, models=9, results=9, begun=4, had=1),
    "cut": Swept(step="cut", code=2, models=9, results=6, missing=3, journal="0002.jsonl", cut=77),
    "again": Swept(step="again", code=1, models=9, results=9, digests=SAME),
    "one": Swept(step="one", code=1, models=9, results=9, seconds=12.4, digests=SAME),
}


def test_the_page_tells_what_was_harmed_and_that_nothing_is_lost():
    text = page(STEPS, [("dense", 9, 8)], [("select 1", 0.25)], 2)

    assert held(STEPS)
    assert "a part of 4 models, 1 of which had a result" in text
    assert "The last 77 bytes of `0002.jsonl`" in text
    assert "The results of 3 models were gone" in text
    assert "are the same bytes." in text
    assert "| `select 1` | 0.25 s |" in text


@pytest.mark.parametrize(
    "other",
    [
        {"again": replace(STEPS["again"], digests=("one", "other"))},
        {"again": replace(STEPS["again"], missing=1)},
        {"killed": replace(STEPS["killed"], begun=0)},
        {"cut": replace(STEPS["cut"], missing=0)},
    ],
)
def test_it_does_not_hold_where_something_was_lost_or_nothing_was_harmed(other):
    assert not held(STEPS | other)


def test_tables_that_differ_are_told():
    assert "NOT THE SAME bytes" in page(STEPS | {"one": replace(STEPS["one"], digests=("x",))}, [], [], 2)


@pytest.mark.parametrize("kind", sweeping.KINDS)
def test_models_are_valid_and_their_own(kind):
    one, other = (sweeping.made(kind, number) for number in (1, 2))

    onnx.checker.check_model(one, full_check=True)
    assert one.SerializeToString() == sweeping.made(kind, 1).SerializeToString()
    assert one.SerializeToString() != other.SerializeToString()
    assert all(np.isfinite(onnx.numpy_helper.to_array(tensor)).all() for tensor in one.graph.initializer)


def test_one_model_in_ten_is_a_generated_graph(tmp_path, monkeypatch):
    path = tmp_path / "graph.onnx"
    path.write_bytes(sweeping.made("dense", 0).SerializeToString())
    monkeypatch.setattr(sweeping, "generated", lambda count: iter([path] * count))
    sweeping.make(tmp_path / "models", 20)
    names = sorted(one.name for one in (tmp_path / "models").iterdir())
    first = onnx.load(tmp_path / "models" / "generated-00000.onnx")

    assert [name for name in names if name.startswith("generated")] == ["generated-00000.onnx", "generated-00010.onnx"]
    assert len(names) == 20
    assert first.graph.input[0].name == "v0_x"


def test_a_run_without_phases_died(tmp_path):
    record = a_record()
    assert sweeping.unfinished([replace(record, phases={})])
    assert not sweeping.unfinished([replace(record, phases={"collect": 0.1})])
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert store.every_run(tmp_path / "a.jsonl") == ()
    assert sweeping.died(tmp_path) == ("", 0, 0)


def test_the_growth_of_cost_is_told():
    spent = [Swept(step="", models=count, results=count, processor=3.0 * count**1.2) for count in (250, 500, 2000)]

    assert sweeping.exponent(spent) == pytest.approx(1.2)
    text = page(STEPS, [], [], 2, spent)
    assert "| 250 |" in text.replace("  ", "")
    assert "grows with the power 1.20 of" in text
    assert "the power" not in page(STEPS, [], [], 2, spent[:1])
