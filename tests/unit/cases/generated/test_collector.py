"""Graphs written one by one: what their entries say, whose answers they have, and which name which as their twin."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from burn_verify.cases.generated import collector
from burn_verify.cases.generated.build import Choice, Space
from burn_verify.cases.generated.operator_spec import DTYPE
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.core.case import Tolerance
from burn_verify.core.errors import OracleError
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of
from burn_verify.system.wire import at, decode_named
from fakes import FakeEngine, Faults

REFUSAL = OracleError("no kernel", "no kernel")


def engine(tmp_path: Path, *refused: str) -> FakeEngine:
    faults = Faults({("infer", stem): REFUSAL for stem in refused})
    return FakeEngine(Cache(tmp_path / "cache"), 10.0, faults)


def graph(op_type: str, version: int, **row: object) -> Choice:
    space = Space(operator_specs()[op_type], version)
    choice = space.choice({**space.default, **row})
    assert choice is not None
    return choice


def test_an_entry_says_what_was_written(tmp_path: Path) -> None:
    choice = graph("Neg", 13)
    entry = collector.write_graph(choice, "0000", tmp_path, engine(tmp_path))
    assert (entry.id, entry.name, entry.op_types) == (choice.id, "0000", ("Neg",))
    assert entry.digest == sha256_of(tmp_path / "0000.onnx")
    assert (entry.answered, entry.evaluated, entry.note, entry.tolerance) == (True, False, None, None)
    assert entry.subject is not None
    assert (entry.subject.op_type, entry.subject.since_version, entry.subject.axes) == ("Neg", 13, choice.labels)
    onnx.checker.check_model(onnx.load(tmp_path / "0000.onnx"), full_check=True)
    named = decode_named((tmp_path / "0000.safetensors").read_bytes())
    np.testing.assert_array_equal(at(named, 0, "out")[0], -at(named, 0, "in")[0])


def test_the_evaluator_answers_where_the_engine_refuses(tmp_path: Path) -> None:
    entry = collector.write_graph(graph("Neg", 13), "0000", tmp_path, engine(tmp_path, "0000"))
    assert (entry.answered, entry.evaluated, entry.refused) == (True, True, None)
    assert entry.note is not None


class OnlyFloat32(FakeEngine):
    """Has a kernel for graphs in float32 only."""

    def infer_all(self, model: Path, sets: Sequence[Sequence[Any]], **_: Any) -> list[list[Any]]:
        if any(np.asarray(array).dtype == np.float64 for array in sets[0]):
            raise REFUSAL
        (output,) = onnx.load(model).graph.output
        return [[np.ones([max(1, dim.dim_value) for dim in output.type.tensor_type.shape.dim], "f4")] for _ in sets]


def test_float64_answered_in_float32_has_the_tolerance_of_float32(tmp_path: Path) -> None:
    # onnx's evaluator does not know the operator.
    some = OnlyFloat32(Cache(tmp_path / "cache"), 10.0, Faults())
    entry = collector.write_graph(graph("MaxRoiPool", 1, **{DTYPE: "float64"}), "0000", tmp_path, some)
    assert (entry.evaluated, entry.refused, entry.tolerance) == (False, None, Tolerance(rtol=1e-4, atol=1e-5))
    assert [path.name for path in sorted(tmp_path.glob("*.onnx"))] == ["0000.onnx"]
    (answer,) = at(decode_named((tmp_path / "0000.safetensors").read_bytes()), 0, "out")
    assert answer.dtype == np.float64


def test_what_nothing_answers_says_why(tmp_path: Path) -> None:
    entry = collector.write_graph(graph("MaxRoiPool", 1), "0000", tmp_path, engine(tmp_path, "0000"))
    assert (entry.evaluated, entry.note) == (False, None)
    assert (entry.refused or "").startswith("no kernel; ")


def test_a_graph_that_onnx_refuses_has_no_entry(tmp_path: Path) -> None:
    choice = graph("Neg", 13)
    nobody = replace(choice, call=replace(choice.call, attributes={"nobody_knows": 1}))
    with pytest.raises(collector.InvalidGraph, match="nobody_knows"):
        collector.write_graph(nobody, "0000", tmp_path, engine(tmp_path))


def test_the_function_of_an_operator_is_its_twin(tmp_path: Path) -> None:
    entry, twin = collector.write_with_twin(graph("Gelu", 20), "0000", tmp_path, engine(tmp_path))
    assert (entry.twin, twin.name) == (twin.id, "0000x")
    assert twin.id.endswith("/twin=expanded")
    assert "Gelu" not in twin.op_types
    assert twin.subject is not None
    assert twin.subject.axes[-1] == ("twin", "expanded")
    inputs, outputs = (
        [at(decode_named((tmp_path / f"{name}.safetensors").read_bytes()), 0, kind)[0] for name in ("0000", "0000x")]
        for kind in ("in", "out")
    )
    np.testing.assert_array_equal(*inputs)
    np.testing.assert_allclose(*outputs, rtol=1e-5)


def test_an_operator_without_a_function_has_no_twin(tmp_path: Path) -> None:
    (entry,) = collector.write_with_twin(graph("Neg", 13), "0000", tmp_path, engine(tmp_path))
    assert entry.twin is None


def test_constants_name_the_graph_that_gets_them_at_run_time(tmp_path: Path) -> None:
    spec = operator_specs()["Add"]
    space = Space(spec, 14)
    found = [graph("Add", 14, **{space.kind_axis("B"): kind}) for kind in ("init", "const", "run")]
    entries = [collector.write_graph(one, one.kinds["B"], tmp_path, engine(tmp_path)) for one in found]
    initializer, constant, run_time = collector.link_twins(entries, found, spec)
    assert (initializer.twin, constant.twin, run_time.twin) == (run_time.id, run_time.id, None)
    # A twin that there is already stays, and one that was not written is not named.
    named = [replace(entry, twin="other") for entry in entries]
    assert list(collector.link_twins(named, found, spec)) == named
    assert list(collector.link_twins(entries[:2], found, spec)) == entries[:2]
