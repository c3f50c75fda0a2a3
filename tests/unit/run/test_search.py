"""Batches of a search leave nothing behind."""

import numpy as np
from onnx import helper

from burn_verify.core.options import Settings
from burn_verify.run.models import Model
from burn_verify.run.search import Search
from fakes import seams
from handmade import model, value


def test_nothing_of_a_batch_is_kept_among_the_references(cache):
    proto = model([helper.make_node("Neg", ["x"], ["y"])], [value("x", shape=[3])], [value("y", shape=[3])])
    search = Search(settings=Settings(latency=True), cache=cache, seams=seams())
    found = search.run([Model(name="a", model=proto, inputs=[np.arange(3, dtype=np.float32)])])
    assert found["a"].result.verdict == "agrees"
    assert found["a"].result.latency is None
    assert not (cache.root / "reference").exists()


def test_an_empty_batch_builds_nothing(cache):
    assert Search(settings=Settings(), cache=cache).run([]) == {}


def test_a_deadline_passes(cache):
    assert Search(settings=Settings(), cache=cache, deadline=0.0).is_over
    assert not Search(settings=Settings(), cache=cache).is_over


def test_references_stay_where_a_search_is_repeated(cache):
    proto = model([helper.make_node("Neg", ["x"], ["y"])], [value("x", shape=[3])], [value("y", shape=[3])])
    search = Search(settings=Settings(), cache=cache, seams=seams(), keeps=True)
    search.run([Model(name="a", model=proto, inputs=[np.arange(3, dtype=np.float32)])])
    assert list((cache.root / "reference").rglob("*.safetensors"))
