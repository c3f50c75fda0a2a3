"""The round trip of many cases, with stand-ins for all programs."""

import json

import numpy as np
import onnx
import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.located import Side
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.run.travelling import rounds
from handmade import model, value
from wrong import has, seams

NDARRAY = Target(backend="ndarray")


@pytest.fixture
def travelled(cache, tmp_path):
    def ask(used, *op_types, other=NDARRAY):
        cases = []
        for op_type in op_types:
            path = tmp_path / f"{op_type}.onnx"
            node = onnx.helper.make_node(op_type, ["x"], ["y"])
            onnx.save(model([node], [value("x", shape=[3])], [value("y", shape=[3])]), path)
            cases.append(Case(id=f"file/{op_type}", corpus="file", source=ModelFile(path=path)))
        found = rounds(cases, Settings(), cache, listen=silent, seams=used, target=Target(), other=other)
        return {one.result.case_id: one for one in found}

    return ask


def test_each_case_has_its_trip_and_each_failure_a_side(travelled):
    found = travelled(seams("Exp", lambda array: array + np.float32(1), right_on="ndarray"), "Exp", "Neg")
    assert found["file/Neg"].trip.right
    assert found["file/Neg"].fault is None
    assert found["file/Exp"].trip.right
    assert found["file/Exp"].other.backend == "ndarray"
    assert found["file/Exp"].fault.side is Side.KERNEL
    assert json.loads(json.dumps(found["file/Exp"].line))["fault"]["side"] == "kernel"


def test_what_does_not_convert_has_no_trip(travelled):
    found = travelled(seams(refuses=has("Exp")), "Exp")["file/Exp"]
    assert (found.trip, found.other) == (None, None)
    assert found.fault.side is Side.IMPORTER
    assert found.line["trip"] is None


def test_another_backend_is_asked_only_where_one_is_named(travelled):
    found = travelled(seams("Exp", lambda array: array + np.float32(1)), "Exp", other=None)["file/Exp"]
    assert found.other is None
    assert found.fault.by == ("round trip",)
