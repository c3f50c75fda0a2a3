"""Graphs of several operators: made once, the same for a seed, found by their ids."""

import pytest

from burn_verify.cases.load import prepare
from burn_verify.core.errors import UsageError
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.several import collection
from burn_verify.several.corpus import BLOCK, KINDS, PATTERN
from burn_verify.system.files import sha256_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Cases of the first block, and the cache in which they are."""
    from burn_verify.system.cache import Cache

    cache = Cache(tmp_path_factory.mktemp("cache"))
    return cache, collection.cases(cache, BLOCK, 0)


def test_as_many_as_asked_are_made_once(made):
    cache, cases = made
    assert len(cases) == BLOCK
    told = []
    assert collection.cases(cache, 10, 0, told.append) == cases[:10]
    assert not told
    assert {case.corpus for case in cases} == {"several"}
    assert all(sha256_of(case.source.model) == case.source.digest for case in cases)


def test_every_form_is_among_them(made):
    _, cases = made
    found = {case.id.split("/")[2].partition("-")[2] for case in cases}
    for kind in set(KINDS) - {PATTERN}:
        assert any(name.startswith(f"{kind}-") for name in found), kind
    assert any(name.startswith("attention-") for name in found)


def test_answers_are_stored(made):
    cache, cases = made
    engine = OnnxRuntime(cache, 10.0)
    answers = read(Oracle(cache, engine).answer(prepare(cases[0], cache)))
    assert engine.pid is None
    assert len(answers.data_sets) >= 2


def test_an_id_finds_its_graph(made):
    cache, cases = made
    assert collection.named(cache, cases[17].id) == cases[17]
    assert collection.named(cache, "several/0/00017") == cases[17]


def test_only_the_graphs_around_a_number_are_made(made):
    cache, _ = made
    assert collection.named(cache, f"several/0/{2 * BLOCK + 7:05d}").id.startswith(f"several/0/{2 * BLOCK + 7:05d}-")
    root = cache.generation("several", collection.key()) / "0"
    assert sorted(path.name for path in root.iterdir()) == ["0000", "0002"]


@pytest.mark.parametrize("name", ["several/x/00001", "several/0", "several/0/17", "several/0/00017-none", "several/"])
def test_another_id_is_a_mistake_of_the_user(made, name):
    cache, _ = made
    with pytest.raises(UsageError, match="no graph of several operators"):
        collection.named(cache, name)
