"""What a comparison proves, with the real ONNX Runtime: its own answers, spoilt, stand for Burn's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn.program import Inference
from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, InputHint, ModelFile
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.result import CaseResult, Verdict
from burn_verify.core.stage import ConvertedModel, DrawnData, Outcome, PreparedCase, Reference, Stage
from burn_verify.core.target import Target
from burn_verify.judge import Judge
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import infer
from burn_verify.reference.measure import Measurer
from burn_verify.reference.oracle import Oracle
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.reference.second import SecondOpinion
from burn_verify.report.views.terminal import COLUMNS, row_of
from burn_verify.run.compare import answered, compared
from burn_verify.run.steps import Built, Ended, Loaded, Ready
from burn_verify.run.varied import Doubt, certain
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

FLOAT = TensorProto.FLOAT
SETS = ("test_data_set_0", "test_data_set_1")
Spoil = Callable[[list[Array]], list[Array]]


@pytest.fixture
def engine(cache: Cache) -> Iterator[OnnxRuntime]:
    engine = OnnxRuntime(cache, 60.0)
    yield engine
    engine.close()


def step_of(prepared: PreparedCase, known: Reference) -> Ready:
    model = ConvertedModel(label="", module="", rust=prepared.model, weights=prepared.model, seconds=0.0)
    loaded = Loaded(case=prepared.case, prepared=prepared)
    return Ready(built=Built(loaded=loaded, target=Target(), model=model, program=None), reference=known)  # type: ignore[arg-type]


def verdict_of(step: Ready, burn: Callable[[Sequence[Array]], list[Array]], doubt: Doubt = certain) -> Verdict:
    """Return the verdict, or raise what ended the case."""

    def asked(inputs: Sequence[Array]) -> Inference:
        return Inference(outputs=burn(inputs), load_seconds=0.0, forward_seconds=0.0)

    ran = answered(step, asked, doubt)
    made = ran if isinstance(ran, Ended) else compared(ran, Judge(), doubt)
    if isinstance(made, Ended):
        raise made.error
    return made.verdict


@pytest.fixture
def second(cache: Cache) -> Iterator[SecondOpinion]:
    second = SecondOpinion(cache, timeout=60.0)
    yield second
    second.close()


def value(name: str, shape: Sequence[object] | None, elem_type: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, elem_type, shape)


def case_of(
    cache: Cache,
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    opset: int = 17,
    **constants: Array,
) -> PreparedCase:
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache)


def store(prepared: PreparedCase, cache: Cache, place: int, inputs: Sequence[Array], outputs: Sequence[Array]) -> None:
    """Store a data set beside a model."""
    folder = prepared.model.with_suffix("") / SETS[place]
    folder.mkdir(parents=True)
    for kind, arrays in (("input", inputs), ("output", outputs)):
        for number, array in enumerate(arrays):
            (folder / f"{kind}_{number}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())


Verify = Callable[..., Verdict]


@pytest.fixture
def verify(cache: Cache, engine: OnnxRuntime) -> Verify:
    """Return a function that compares, where Burn answers what ONNX Runtime answers, or what a function makes of it."""

    def verify(prepared: PreparedCase, spoil: Spoil = lambda answers: answers, doubt: Doubt = certain) -> Verdict:
        prepared = replace(prepare(prepared.case, cache), fed=prepared.fed)
        known = Measurer(cache, engine, 60.0).measured(prepared, Oracle(cache, engine).answer(prepared))
        return verdict_of(step_of(prepared, known), lambda fed: spoil(infer(engine, prepared.model, fed)), doubt)

    return verify


# Comparisons that cannot fail.


@pytest.fixture
def softmax(cache: Cache, tmp_path: Path) -> PreparedCase:
    """Return a softmax over the batch, which has one element in the drawn data set."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[2, 0, 1]),
        helper.make_node("Softmax", ["t"], ["s"], axis=1),
        helper.make_node("Transpose", ["s"], ["y"], perm=[1, 2, 0]),
    ]
    shape = ["batch", 1, 4]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", shape)], [value("y", shape)], opset=11)
    one = Hints(dims=(("batch", 1),))
    return prepare(replace(prepared.case, hints=one), cache)


def test_a_softmax_over_one_element_verifies_nothing(verify: Verify, softmax: PreparedCase) -> None:
    verdict = verify(softmax)
    assert (verdict.name, verdict.reason) == (
        "insensitive",
        "insensitive: the output is saturated: nothing but 0 and ±1",
    )


def test_a_stored_data_set_that_could_fail_is_evidence(
    verify: Verify, softmax: PreparedCase, cache: Cache, engine: OnnxRuntime
) -> None:
    x = np.random.default_rng(0).standard_normal((3, 1, 4)).astype(np.float32)
    store(softmax, cache, 0, [x], infer(engine, softmax.model, [x]))
    verdict = verify(softmax)
    assert verdict.name == "agrees"
    assert [(one.data_set, bool(one.insensitive)) for one in verdict.metrics] == [
        ("seeded", True),
        ("positive", True),
        ("negative", True),
        (SETS[0], False),
    ]
    assert verify(softmax, lambda answers: [np.ones_like(answers[0])]).name == "disagrees"


def test_outputs_that_move_less_than_is_allowed_verify_nothing(verify: Verify, cache: Cache, tmp_path: Path) -> None:
    nodes = [helper.make_node("Mul", ["x", "scale"], ["m"]), helper.make_node("Add", ["m", "offset"], ["y"])]
    constants = {"scale": np.array(3e-8, np.float32), "offset": np.array([0.2, 0.3, 0.5], np.float32)}
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [3])], [value("y", [3])], **constants)
    verdict = verify(prepared)
    assert verdict.name == "insensitive"
    assert "the same for two different inputs, within what is allowed" in verdict.reason
    constants["scale"] = np.array(0.1, np.float32)
    moving = case_of(cache, tmp_path / "other.onnx", nodes, [value("x", [3])], [value("y", [3])], **constants)
    assert verify(moving).name == "agrees"


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (np.array([[1.5, -2.0]], np.float32), "agrees"),
        (np.array([[0.5, 0.5]], np.float32), "insensitive"),
        (np.zeros((1, 2), np.float32), "insensitive"),
        (np.zeros((0, 2), np.float32), "insensitive"),
        (np.full((1, 2), np.nan, np.float32), "insensitive"),
        (np.array([[3, 3]]), "insensitive"),
        (np.array([[3, 4]]), "agrees"),
        (np.array([[True, False]]), "agrees"),
        (np.array([[True, True]]), "insensitive"),
    ],
)
def test_stored_answers_that_are_constant_zero_or_empty_verify_nothing(
    verify: Verify, cache: Cache, tmp_path: Path, stored: Array, name: str
) -> None:
    elem_type = helper.np_dtype_to_tensor_dtype(stored.dtype)
    shape = ["n", 2]
    given = [value("x", shape, elem_type)]
    node = helper.make_node("Identity", ["x"], ["y"])
    prepared = case_of(cache, tmp_path / "model.onnx", [node], given, [value("y", shape, elem_type)])
    store(prepared, cache, 0, [stored], [stored])
    assert verify(replace(prepared, fed=())).name == name


def test_one_output_that_could_fail_is_enough_and_the_others_are_named(
    verify: Verify, cache: Cache, tmp_path: Path
) -> None:
    nodes = [helper.make_node("Exp", ["x"], ["y"]), helper.make_node("Shape", ["x"], ["s"])]
    outputs = [value("y", [2, 3]), value("s", [2], TensorProto.INT64)]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [2, 3])], outputs)
    verdict = verify(prepared)
    assert verdict.name == "agrees"
    assert [one.insensitive for one in verdict.metrics] == ["", "the output is the same for two different inputs"] * 3


# Labels.


def test_an_output_that_cannot_be_compared_is_counted(verify: Verify, cache: Cache, tmp_path: Path) -> None:
    nodes = [helper.make_node("Exp", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])]
    outputs = [value("y", [2, 3]), value("z", [2, 3])]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [2, 3])], outputs)
    prepared = replace(prepared, case=replace(prepared.case, hints=Hints(draws=0)), fed=(DrawnData(),))

    def outputs_of(spoil: Spoil) -> str:
        verdict = verify(prepared, spoil)
        assert verdict.name == "disagrees"
        result = CaseResult(
            case_id="file/model",
            corpus="file",
            stage=Stage.COMPARE,
            outcome=Outcome.FAILED,
            verdict=verdict.name,
            metrics=verdict.metrics,
        )
        return row_of(result, {}).cells[COLUMNS.index("outputs")]

    assert outputs_of(lambda answers: [answers[0], answers[1][:1]]) == "1/2"
    assert outputs_of(lambda answers: [answers[0], answers[1].astype(np.float64)]) == "1/2"
    assert outputs_of(lambda answers: [answers[0], answers[1][:0]]) == "1/2"
    assert outputs_of(lambda answers: answers[:1]) == "0/2"
    assert outputs_of(lambda answers: [answers[0] + 1, answers[1]]) == "1/2"


def test_who_answered_is_named(verify: Verify, cache: Cache, engine: OnnxRuntime, tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [2, 3])], [value("y", [2, 3])])
    known = Oracle(cache, engine).answer(prepared)

    def said(**fields: bool) -> str:
        step = step_of(replace(prepared, **fields), known)
        verdict = verdict_of(step, lambda fed: [answer + 1 for answer in infer(engine, prepared.model, fed)])
        assert (verdict.name, verdict.guilty) == ("disagrees", "unknown")
        return verdict.message

    assert "against onnxruntime" in said(answered=True)
    assert "against onnx.reference" in said(answered=True, evaluated=True)


# Shapes at which two references differ.


@pytest.mark.parametrize("last", ["GlobalAveragePool", "ReduceSum", None])
@pytest.mark.parametrize("answer", ["zero", "panic"])
@pytest.mark.parametrize("size", [1, 4])
def test_a_window_over_nothing_accuses_nobody(
    verify: Verify, cache: Cache, tmp_path: Path, second: SecondOpinion, last: str | None, answer: str, size: int
) -> None:
    nodes = [helper.make_node("MaxPool", ["x"], ["m" if last else "y"], kernel_shape=[2, 2], strides=[2, 2])]
    nodes += [helper.make_node(last, ["m"], ["y"])] if last else []
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [1, 2, size, size])], [value("y", None)])

    def spoil(answers: list[Array]) -> list[Array]:
        if answer == "panic":
            raise RunError("Burn panicked", "panic")
        return [np.zeros_like(one) for one in answers]

    def verdict() -> Verdict:
        return verify(prepared, spoil, doubt=lambda data: second.differs(prepared, data))

    if size == 1:
        with pytest.raises(OracleError, match="nobody says what is right") as caught:
            verdict()
        assert caught.value.reason == "two references answer otherwise"
    elif answer == "panic":
        with pytest.raises(RunError):
            verdict()
    else:
        assert verdict().name == "disagrees"


def test_a_doubtful_shape_leaves_what_is_stored(
    verify: Verify, cache: Cache, engine: OnnxRuntime, tmp_path: Path, second: SecondOpinion
) -> None:
    nodes = [
        helper.make_node("MaxPool", ["x"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["m"], ["y"]),
    ]
    shape = [1, 2, "h", "h"]
    path = tmp_path / "model.onnx"
    prepared = case_of(cache, path, nodes, [value("x", shape)], [value("y", [1, 2, 1, 1])])
    prepared = replace(
        prepared,
        case=replace(prepared.case, hints=Hints(inputs=(InputHint(name="x", shape=(1, 2, 1, 1)),))),
        fed=(DrawnData(),),
    )
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 4)).astype(np.float32)
    store(prepared, cache, 0, [x], infer(engine, path, [x]))

    def doubt(data: DataSet) -> str:
        return second.differs(prepared, data)

    asked: list[int] = []

    def wrong_at_first(answers: list[Array]) -> list[Array]:
        asked.append(1)
        return [one * 0 for one in answers] if len(asked) == 1 else answers

    verdict = verify(prepared, wrong_at_first, doubt=doubt)
    assert (verdict.name, [one.data_set for one in verdict.metrics]) == ("agrees", [SETS[0]])


def test_inputs_are_taken_or_not(cache: Cache, tmp_path: Path, second: SecondOpinion) -> None:
    nodes = [helper.make_node("Concat", ["x", "w"], ["y"], axis=1)]
    constant = np.ones((2, 3), np.float32)
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", ["N", 3])], [value("y", None)], w=constant)
    assert second.takes(prepared, [constant])
    assert not second.takes(prepared, [constant[:1]])
