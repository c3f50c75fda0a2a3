"""What is found out about a reference, with the real ONNX Runtime: float64, magnitudes, spread and limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, InputHint, ModelFile
from burn_verify.core.errors import OracleError
from burn_verify.core.latency import Block, BlockPlan
from burn_verify.core.result import JudgeMode
from burn_verify.core.stage import DrawnData, FailureKind, PreparedCase, Reference, VariedData
from burn_verify.judge import Judge, Question
from burn_verify.judge.evidence import Measured
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Deviations, Engine, Measurement, infer
from burn_verify.reference.measure import Measurer, at_hand, read_measures
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.compare import by_tolerance, evidence_of, of_drawn
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array, encode_named, placed

FLOAT = TensorProto.FLOAT
Saved = Callable[..., PreparedCase]


@pytest.fixture
def saved(tmp_path: Path, cache: Cache) -> Saved:
    """Return a function that saves a model from [2, 3] to whatever, and prepares it."""

    def save(*nodes: onnx.NodeProto, **constants: Array) -> PreparedCase:
        graph = helper.make_graph(
            list(nodes),
            "g",
            [helper.make_tensor_value_info("x", FLOAT, [2, 3])],
            [helper.make_tensor_value_info("y", FLOAT, None)],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        )
        path = tmp_path / "model.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        return prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache)

    return save


def measured(cache: Cache, engine: Engine, prepared: PreparedCase, timeout: float = 60.0) -> Reference:
    return Measurer(cache, engine, timeout).measured(prepared, Oracle(cache, engine).answer(prepared))


def test_measurements_go_by_the_name_of_the_data_set(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Reshape", ["x", "to"], ["y"]), to=np.array([6]))
    wrong = DrawnData(name="wrong", hints=Hints(inputs=(InputHint(name="x", shape=(3, 3)),)))
    found = read_measures(measured(cache, engine, replace(prepared, fed=(wrong, DrawnData())))).data_sets
    assert list(found) == ["seeded"]
    assert found["seeded"].other is not None


def test_one_operator_has_float64_and_its_magnitude(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    weights = np.array([[1.0], [-1.0], [1.0]], np.float32)
    prepared = saved(helper.make_node("MatMul", ["x", "w"], ["y"]), w=weights)
    reference = measured(cache, engine, prepared)
    found = read_measures(reference).data_sets["seeded"]
    (x,) = read(reference).data_sets["seeded"].inputs
    np.testing.assert_array_equal(found.wide[0], x.astype(np.float64) @ weights)
    np.testing.assert_allclose(found.scale[0], np.abs(x).astype(np.float64) @ np.abs(weights), rtol=1e-15)
    assert found.evaluator == "onnxruntime"
    assert found.lone is not None
    assert (found.lone.facts.op_type, found.lone.facts.input_shapes) == ("MatMul", ((2, 3), (3, 1)))


def test_other_values_are_measured_once_they_are_needed(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["y"]))
    inputs = [np.array([[-1.0, 0.5, 2.0], [0.0, -3.0, 1.0]], np.float32)]
    desired = infer(engine, prepared.model, inputs)
    name, path = "varied-normal", cache.folder("given") / "data.safetensors"
    path.write_bytes(encode_named({**placed(0, "in", inputs), **placed(0, "out", desired)}))
    prepared = replace(prepared, fed=(), varied=VariedData(like="stored_0", names=(name,)))
    measurer = Measurer(cache, engine, 60.0)
    reference = measurer.measured(prepared, Reference(path=path, data_sets=(name,), seconds=0.0))
    at_hand = read_measures(reference).data_sets[name]
    assert at_hand.lone is not None
    assert not at_hand.wide
    data = DataSet(inputs=inputs, desired=desired)
    full = measurer.of_varied(prepared, reference, name, data)
    np.testing.assert_allclose(full.wide[0], np.exp(inputs[0].astype(np.float64)), rtol=1e-15)
    engine.close()
    again = measurer.of_varied(prepared, reference, name, data)
    np.testing.assert_array_equal(again.wide[0], full.wide[0])


def test_where_onnx_runtime_has_no_kernel_another_one_answers(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    nodes = [helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Softsign", ["n"], ["y"])]
    found = read_measures(measured(cache, engine, saved(*nodes))).data_sets["seeded"]
    assert found.evaluator == "onnx.reference and onnxruntime"
    assert found.lone is None
    assert found.optimised is not None


def test_a_graph_has_the_deviation_that_rounding_explains(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["e"]), helper.make_node("Log", ["e"], ["y"]))
    reference = measured(cache, engine, prepared)
    data, found = read(reference).data_sets["seeded"], read_measures(reference).data_sets["seeded"]
    assert found.sigma[0].shape == (2, 3)
    assert (found.sigma[0] > 2.0**-24).all()
    assert (found.sigma[0] < 2.0**-16).all()
    assert found.why_no_sigma == ""
    evidence = evidence_of(data, found, stored=False)
    for factor, name in ((1.0, "agrees"), (1.0001, "disagrees")):
        burns = [answer * np.float32(factor) for answer in data.desired]
        said = Judge().verdict(Question(case_id="file/model"), ["y"], burns, evidence, "seeded")
        assert said.name == name
        assert said.metrics[0].rounding_share is not None


@pytest.mark.parametrize(
    ("node", "deviates"),
    [
        (helper.make_node("Exp", ["x"], ["y"]), False),
        (helper.make_node("MeanVarianceNormalization", ["x"], ["y"]), True),
    ],
)
def test_one_operator_has_a_deviation_where_it_has_no_bound(
    cache: Cache, engine: OnnxRuntime, saved: Saved, node: onnx.NodeProto, deviates: bool
) -> None:
    if deviates:
        node.attribute.append(helper.make_attribute("axes", [1]))
    found = read_measures(measured(cache, engine, saved(node))).data_sets["seeded"]
    assert found.lone is not None
    assert bool(found.sigma) == (deviates and not found.scale)


def test_a_walk_that_takes_too_long_leaves_the_older_rule(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    class OutOfTime(OnnxRuntime):
        def deviations(self, model: Path, inputs: Sequence[Array], *, timeout: float) -> Deviations:
            return super().deviations(model, inputs, timeout=-1.0)

        def _ask(self, header: Mapping[str, Any], payload: bytes, timeout: float) -> tuple[dict[str, Any], bytes]:
            # It is the walk that looks at its time, not the process that waits for its answer.
            return super()._ask(header, payload, 60.0)

    prepared = saved(helper.make_node("Exp", ["x"], ["e"]), helper.make_node("Log", ["e"], ["y"]))
    hasty = OutOfTime(cache, 60.0)
    try:
        found = read_measures(measured(cache, hasty, prepared)).data_sets["seeded"]
    finally:
        hasty.close()
    assert found.wide
    assert not found.sigma
    assert "takes more than" in found.why_no_sigma
    # More time may find it, so that it is tried again then.
    assert read_measures(measured(cache, engine, prepared, timeout=61.0)).data_sets["seeded"].sigma


def test_a_quantised_operator_has_what_it_rounds(cache: Cache, engine: OnnxRuntime, tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("QuantizeLinear", ["x", "s"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [2, 3])],
        [numpy_helper.from_array(np.asarray(0.25, np.float32), "s")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    prepared = prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache)
    reference = measured(cache, engine, prepared)
    (answer,) = read(reference).data_sets["seeded"].desired
    quotient = read_measures(reference).data_sets["seeded"].quotient
    assert quotient is not None
    np.testing.assert_array_equal(np.rint(quotient.target).clip(0, 255), answer)


class Wrong(OnnxRuntime):
    """Answers half as much again."""

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        honest = super().infer_all(model, sets, optimise=optimise, threads=threads)
        return [[answer * np.float32(1.5) for answer in answers] for answers in honest]


def test_a_tampered_oracle_is_named_and_not_burn(cache: Cache, saved: Saved) -> None:
    prepared = saved(helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Exp", ["h"], ["y"]))
    engine = Wrong(cache, timeout=60.0)
    try:
        reference = measured(cache, engine, prepared)
    finally:
        engine.close()
    data, found = read(reference).data_sets["seeded"], read_measures(reference).data_sets["seeded"]
    burns = [answer / np.float32(1.5) for answer in data.desired]
    evidence = evidence_of(data, found, stored=False)
    verdict = Judge().verdict(Question(case_id="file/model"), ["y"], burns, evidence, "seeded")
    assert (verdict.name, verdict.guilty) == ("oracle_disagrees", "onnxruntime")
    assert verdict.passes


def test_other_inputs_are_asked_as_well(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["y"]))
    reference = measured(cache, engine, prepared)
    (first,), other = read(reference).data_sets["seeded"].desired, read_measures(reference).data_sets["seeded"].other
    assert other is not None
    assert other[0].shape == first.shape
    assert not np.isin(other[0], first).any()


def test_inputs_are_drawn_until_an_answer_is_another(cache: Cache, engine: OnnxRuntime, tmp_path: Path) -> None:
    # Two booleans are the same for every fourth draw, and for eight draws on end practically never.
    for place in range(6):
        value = helper.make_tensor_value_info
        zero = numpy_helper.from_array(np.zeros((), np.float32), f"zero{place}")
        node = helper.make_node("Greater", ["x", zero.name], ["y"])
        graph = helper.make_graph([node], "g", [value("x", FLOAT, [2])], [value("y", TensorProto.BOOL, [2])], [zero])
        path = tmp_path / f"model{place}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        prepared = prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache)
        reference = measured(cache, engine, prepared)
        (first,) = read(reference).data_sets["seeded"].desired
        (other,) = read_measures(reference).data_sets["seeded"].other or ()
        assert (other != first).any()


def test_a_model_that_is_fed_nothing_is_asked_once(cache: Cache, engine: OnnxRuntime, tmp_path: Path) -> None:
    shape = numpy_helper.from_array(np.array([2, 3]), "shape")
    node = helper.make_node("ConstantOfShape", ["shape"], ["y"])
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("y", FLOAT, [2, 3])], [shape])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    prepared = prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache)
    assert read_measures(measured(cache, engine, prepared)).data_sets["seeded"].other is None


class Slow(OnnxRuntime):
    """Answers, and measures nothing in time; counts how often that is asked for."""

    asked = 0

    def measure(
        self, model: Path, inputs: Sequence[Array], *, wide: bool, shapes: Sequence[Sequence[int]], timeout: float
    ) -> Measurement:
        self.asked += 1
        message = f"ONNX Runtime: no answer within {timeout:g} s"
        raise OracleError(message, kind=FailureKind.TIMEOUT)

    def deviations(self, model: Path, inputs: Sequence[Array], *, timeout: float) -> Deviations:
        self.asked += 1
        message = f"ONNX Runtime: no answer within {timeout:g} s"
        raise OracleError(message, kind=FailureKind.TIMEOUT)


def test_it_is_measured_once(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["y"]))
    first = measured(cache, engine, prepared)
    idle = Slow(cache, 60.0)
    assert measured(cache, idle, prepared).measures == first.measures
    assert idle.asked == 0


def test_who_gave_up_tries_again_with_more_time(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["y"]))
    slow = Slow(cache, 60.0)
    try:
        without = read_measures(measured(cache, slow, prepared, timeout=1.0)).data_sets["seeded"]
    finally:
        slow.close()
    assert not without.wide
    assert "no answer within 1 s" in without.why
    assert not read_measures(measured(cache, engine, prepared, timeout=1.0)).data_sets["seeded"].wide
    assert read_measures(measured(cache, engine, prepared, timeout=60.0)).data_sets["seeded"].wide


class Other:
    """An engine that is one module and knows nothing of float64."""

    name = "other"
    version = "1"
    pid = None

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        return [[np.exp(inputs[0])] for inputs in sets]

    def measure(
        self, model: Path, inputs: Sequence[Array], *, wide: bool, shapes: Sequence[Sequence[int]], timeout: float
    ) -> Measurement:
        return Measurement()

    def deviations(self, model: Path, inputs: Sequence[Array], *, timeout: float) -> Deviations:
        return Deviations()

    def block(self, model: Path, inputs: Sequence[Array], threads: int, plan: BlockPlan) -> Block:
        raise NotImplementedError

    def restart(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def test_what_another_engine_says_is_kept_apart(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["y"]))
    mine, others = measured(cache, engine, prepared), measured(cache, Other(), prepared)
    assert mine.path != others.path
    assert mine.measures != others.measures
    assert not read_measures(others).data_sets["seeded"].wide


def test_nothing_is_kept_of_a_run_that_ended(cache: Cache, engine: OnnxRuntime, saved: Saved) -> None:
    prepared = saved(helper.make_node("Exp", ["x"], ["y"]))
    reference = Oracle(cache, engine).answer(prepared)
    engine.close()
    with pytest.raises(OracleError, match="closed"):
        Measurer(cache, engine, 60.0).measured(prepared, reference)
    assert not list(cache.folder("measured").rglob("*.safetensors"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One operator, a drawn set of values, ONNX Runtime's answer to it, and who finds out more about it."""

    prepared: PreparedCase
    data: DataSet
    ways: tuple[Callable[[], Measured], ...]


@pytest.fixture
def elu(cache: Cache, engine: OnnxRuntime, saved: Saved) -> Drawn:
    prepared = saved(helper.make_node("Elu", ["x"], ["y"]))
    inputs = [np.array([[-1, -0.5, 0], [0.5, 1, 2]], np.float32)]
    data = DataSet(inputs=inputs, desired=infer(engine, prepared.model, inputs))
    measurer = Measurer(cache, engine, 60.0)
    model = onnx.load(prepared.model)
    return Drawn(
        prepared=prepared, data=data, ways=(lambda: at_hand(model, data), lambda: measurer.of_data_set(prepared, data))
    )


def never() -> Measured:
    raise AssertionError


def test_drawn_values_are_held_to_the_bound_of_their_operator(elu: Drawn) -> None:
    (right,) = elu.data.desired
    came = [np.where(right < 0, right * np.float32(1.0001), right)]
    assert by_tolerance(elu.prepared, came, elu.data.desired, "drawn").agrees
    verdict = of_drawn(elu.prepared, Judge(), elu.data, came, elu.ways)
    assert (verdict.name, verdict.guilty) == ("disagrees", "burn")
    assert "against float64" in verdict.message
    assert of_drawn(elu.prepared, Judge(mode=JudgeMode.ONNX), elu.data, came, [never]).agrees


def test_what_the_bound_allows_needs_no_float64(elu: Drawn) -> None:
    near = [np.nextafter(answer, np.float32(-9)) for answer in elu.data.desired]
    assert of_drawn(elu.prepared, Judge(), elu.data, near, [elu.ways[0], never]).agrees


def test_float64_clears_burn_where_the_oracle_is_odd(elu: Drawn) -> None:
    honest = elu.data.desired
    elu.data.desired[:] = [answer * np.float32(1.5) for answer in honest]
    came = [answer / np.float32(1.5) for answer in elu.data.desired]
    assert not of_drawn(elu.prepared, Judge(), elu.data, came, elu.ways[:1]).passes
    verdict = of_drawn(elu.prepared, Judge(), elu.data, came, elu.ways)
    assert (verdict.name, verdict.guilty) == ("oracle_disagrees", "onnxruntime")
