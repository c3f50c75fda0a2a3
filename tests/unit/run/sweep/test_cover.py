"""A greedy cover: those models first that add most."""

from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases import manifest
from burn_verify.core.progress import silent
from burn_verify.run.sweep.cover import cover, greedy, operators
from swept import OPS, models

ITEMS = st.dictionaries(st.integers(0, 30).map(str), st.frozensets(st.sampled_from("abcdefgh")), max_size=20)


@given(ITEMS)
def test_each_model_adds_most_of_those_that_are_left(items):
    found = greedy(items)
    covered = set()
    for place, (model, new) in enumerate(zip(found.order, found.adds, strict=True)):
        best = max(len(items[other] - covered) for other in found.order[place:])
        assert (new, len(new)) == (items[model] - covered, best)
        covered |= new

    assert sorted(found.order) == sorted(items)
    assert found.first(found.needed) == frozenset().union(*items.values())
    assert not found.rest(found.needed)


def test_what_costs_less_for_what_it_adds_comes_first():
    items = {"dear": frozenset("abc"), "cheap": frozenset("ab"), "c": frozenset("c")}

    assert greedy(items).order == ("dear", "cheap", "c")
    assert greedy(items, {"dear": 9.0}).order == ("cheap", "c", "dear")


def test_models_are_read_and_one_that_cannot_be_comes_last(tmp_path, cache):
    models(tmp_path, 12)
    (tmp_path / "a.onnx").write_bytes(b"no model")
    found = cover(manifest.read(tmp_path, cache), cache, silent)

    assert found.order[-1] == "file/a"
    assert found.unread == ("file/a",)
    assert set(operators(found.first(4))) == set(OPS)
    assert found.needed < 12
