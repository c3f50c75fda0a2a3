"""The round trip with the real Burn and its exporter, where that is compiled: importer and kernel are told apart."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.export import Exporter
from burn_verify.core.located import Side
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.versions import DEFAULT
from burn_verify.run.models import Model
from burn_verify.run.seams import Seams
from burn_verify.run.search import Instruments, Search
from burn_verify.run.whose import whose
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of
from handmade import model, value

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def proto(op_type):
    nodes = [onnx.helper.make_node("Relu", ["x"], ["a"]), onnx.helper.make_node(op_type, ["a", "x"], ["y"])]
    return model(nodes, [value("x", shape=[2, 3])], [value("y", shape=[2, 3])])


@pytest.fixture
def search(cache, tmp_path):
    """A search whose importer takes every addition for a multiplication."""
    shared = Cache(settings_from({}).cache_dir)
    if not (shared.root / "export" / DEFAULT.burn / "target").is_dir():
        pytest.skip("Burn with its exporter is not compiled: burn-verify round-trip mnist")
    path = tmp_path / "wrong.onnx"
    onnx.save(proto("Mul"), path)

    class Wrong(CargoBuilder):
        def convert(self, prepared, target):
            return super().convert(replace(prepared, model=path, digest=sha256_of(path)), target)

    def exporter(own, *given):
        return Exporter(shared, *given)

    return Search(settings=Settings(), cache=cache, seams=Seams(builder=Wrong, exporter=exporter))


def test_an_importer_that_is_wrong_is_told_by_the_round_trip(search):
    asked = Model(name="m", model=proto("Add"), inputs=[X])
    verified = search.run([asked])["m"]

    found = whose(asked, verified, search, Instruments(round_trip=True))

    assert (found.side, found.by) == (Side.IMPORTER, ("round trip",))


def test_what_is_written_of_a_right_model_is_right(search):
    asked = Model(name="m", model=proto("Mul"), inputs=[X])
    wrong = Model(name="m", model=proto("Add"), inputs=[X])
    verified = search.run([wrong])["m"]

    # Burn's answer is wrong for the one model, and what it asks for is right for the other: as if a kernel were.
    found = whose(asked, verified, search, Instruments(round_trip=True))

    assert (found.side, found.by) == (Side.KERNEL, ("round trip",))
