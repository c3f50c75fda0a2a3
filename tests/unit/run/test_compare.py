"""Compiled Burn beside the reference: the real ONNX Runtime on one side, its own answers, spoilt, on the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn.runner import Inference
from burn_verify.cases.generated.twins import BATCH
from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, InputHint, ModelFile, TensorSpec, Unavailable
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.result import CaseResult, Verdict
from burn_verify.core.stage import Outcome, PreparedCase, Stage, StoredArrays
from burn_verify.judge import Judge
from burn_verify.reference.measure import Measurer
from burn_verify.reference.oracle import DataSet, Oracle
from burn_verify.reference.second import SecondOpinion
from burn_verify.report.views.terminal import row_of
from burn_verify.run.compare import Doubt, compare, compared
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array, encode_named, placed

FLOAT = TensorProto.FLOAT
SETS = ("test_data_set_0", "test_data_set_1")
Spoil = Callable[[list[Array]], list[Array]]


@pytest.fixture
def oracle(cache: Cache) -> Iterator[Oracle]:
    oracle = Oracle(cache, timeout=60.0)
    yield oracle
    oracle.close()


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
def verify(cache: Cache, oracle: Oracle) -> Verify:
    """Return a function that compares, where Burn answers what ONNX Runtime answers, or what a function makes of it."""

    def verify(
        prepared: PreparedCase, spoil: Spoil = lambda answers: answers, doubt: Doubt = lambda data: ""
    ) -> Verdict:
        prepared = replace(prepare(prepared.case, cache), seeded=prepared.seeded)
        known = Measurer(cache, oracle, 60.0).measured(prepared, oracle.answer(prepared))

        def infer(inputs: Sequence[Array]) -> Inference:
            outputs = spoil(oracle.infer(prepared.model, inputs))
            return Inference(outputs=outputs, load_seconds=0.0, forward_seconds=0.0)

        return compared(prepared, known, Judge(), infer, doubt=doubt, durations={}, details={"inputs": {}})

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
    return case_of(cache, tmp_path / "model.onnx", nodes, [value("x", shape)], [value("y", shape)], opset=11)


def test_a_softmax_over_one_element_verifies_nothing(verify: Verify, softmax: PreparedCase) -> None:
    verdict = verify(softmax)
    assert (verdict.name, verdict.reason) == (
        "insensitive",
        "insensitive: the output is saturated: nothing but 0 and ±1",
    )


def test_a_stored_data_set_that_could_fail_is_evidence(
    verify: Verify, softmax: PreparedCase, cache: Cache, oracle: Oracle
) -> None:
    x = np.random.default_rng(0).standard_normal((3, 1, 4)).astype(np.float32)
    store(softmax, cache, 0, [x], oracle.infer(softmax.model, [x]))
    verdict = verify(softmax)
    assert verdict.name == "agrees"
    assert [(one.data_set, bool(one.insensitive)) for one in verdict.metrics] == [("seeded", True), (SETS[0], False)]
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
    assert verify(replace(prepared, seeded=False)).name == name


def test_one_output_that_could_fail_is_enough_and_the_others_are_named(
    verify: Verify, cache: Cache, tmp_path: Path
) -> None:
    nodes = [helper.make_node("Exp", ["x"], ["y"]), helper.make_node("Shape", ["x"], ["s"])]
    outputs = [value("y", [2, 3]), value("s", [2], TensorProto.INT64)]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [2, 3])], outputs)
    verdict = verify(prepared)
    assert verdict.name == "agrees"
    assert [one.insensitive for one in verdict.metrics] == ["", "the output is the same for two different inputs"]


# Labels.


def test_an_output_that_cannot_be_compared_is_counted(verify: Verify, cache: Cache, tmp_path: Path) -> None:
    nodes = [helper.make_node("Exp", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])]
    outputs = [value("y", [2, 3]), value("z", [2, 3])]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [2, 3])], outputs)

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
        return row_of(result, {}).cells[-1]

    assert outputs_of(lambda answers: [answers[0], answers[1][:1]]) == "1/2"
    assert outputs_of(lambda answers: [answers[0], answers[1].astype(np.float64)]) == "1/2"
    assert outputs_of(lambda answers: [answers[0], answers[1][:0]]) == "1/2"
    assert outputs_of(lambda answers: answers[:1]) == "0/2"
    assert outputs_of(lambda answers: [answers[0] + 1, answers[1]]) == "1/2"


def test_who_answered_is_named(verify: Verify, cache: Cache, oracle: Oracle, tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    prepared = case_of(cache, tmp_path / "model.onnx", nodes, [value("x", [2, 3])], [value("y", [2, 3])])
    known = oracle.answer(prepared)

    def said(**fields: bool) -> str:
        def infer(inputs: Sequence[Array]) -> Inference:
            outputs = [answer + 1 for answer in oracle.infer(prepared.model, inputs)]
            return Inference(outputs=outputs, load_seconds=0.0, forward_seconds=0.0)

        verdict = compared(replace(prepared, **fields), known, Judge(), infer, durations={}, details={"inputs": {}})
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
    verify: Verify, cache: Cache, oracle: Oracle, tmp_path: Path, second: SecondOpinion
) -> None:
    nodes = [
        helper.make_node("MaxPool", ["x"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["m"], ["y"]),
    ]
    shape = [1, 2, "h", "h"]
    path = tmp_path / "model.onnx"
    prepared = case_of(cache, path, nodes, [value("x", shape)], [value("y", [1, 2, 1, 1])])
    prepared = replace(
        prepared, case=replace(prepared.case, hints=Hints(inputs=(InputHint(name="x", shape=(1, 2, 1, 1)),)))
    )
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 4)).astype(np.float32)
    store(prepared, cache, 0, [x], oracle.infer(path, [x]))

    def doubt(data: DataSet) -> str:
        return second.differs(prepared, data)

    asked: list[int] = []

    def wrong_at_first(answers: list[Array]) -> list[Array]:
        asked.append(1)
        return [one * 0 for one in answers] if len(asked) == 1 else answers

    verdict = verify(prepared, wrong_at_first, doubt=doubt)
    assert (verdict.name, [one.data_set for one in verdict.metrics]) == ("agrees", [SETS[0]])


# Twins. Compiled Burn is a function here.

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "data.safetensors"
    path.write_bytes(encode_named(placed(0, "in", [X])))
    spec = (TensorSpec(name="y", dtype="float32", shape=(2, 3)),)
    return PreparedCase(
        case=Case(id="op/a", corpus="op", source=Unavailable(reason="")),
        model=tmp_path,
        digest="",
        op_types=("Neg",),
        opset=17,
        inputs=spec,
        outputs=spec,
        stored=(StoredArrays(name="seeded", path=path, place=0),),
    )


@pytest.fixture
def batched(graph):
    """Return a case that has a batch in front, and so is asked in two halves."""
    return replace(graph, inputs=(TensorSpec(name="x", dtype="float32", shape=(BATCH, 3)),))


@pytest.fixture
def twin(graph):
    return replace(graph, case=replace(graph.case, id="op/b"))


def right(inputs):
    return [-inputs[0]]


def wrong(inputs):
    return [inputs[0]]


def panics(inputs):
    raise RunError("Burn panicked: no such shape", "panic")


def halves_panic(inputs):
    return right(inputs) if len(inputs[0]) == 2 else panics(inputs)


def of_another_rank(inputs):
    return right(inputs) if len(inputs[0]) == 2 else [-inputs[0][0, 0]]


def test_twins_that_agree_are_named(graph, batched, twin):
    assert compare(graph, right, twin, right) == {"twins": "as op/b"}
    assert compare(batched, right, twin, right) == {"twins": "as op/b; with the batch in two parts"}
    assert compare(graph, right, None, right) == {}


@pytest.mark.parametrize(
    ("mine", "other", "said"),
    [
        (right, wrong, "answers otherwise, as op/b"),
        (right, panics, "answers, but fails as op/b: Burn panicked: no such shape"),
        (panics, right, "fails, but answers as op/b: Burn panicked: no such shape"),
    ],
)
def test_a_twin_that_differs_or_fails_alone_is_told(graph, twin, mine, other, said):
    assert said in compare(graph, mine, twin, other)["twins_differ"]


def test_two_that_fail_alike_are_told_of_themselves(graph, batched, twin):
    assert compare(graph, panics, twin, panics) == {}
    assert compare(batched, panics, twin, panics) == {}


@pytest.mark.parametrize("fails", [halves_panic, of_another_rank])
def test_a_half_that_fails_is_told(batched, fails):
    assert "answers, but fails with the batch in two parts" in compare(batched, fails, None, right)["twins_differ"]
