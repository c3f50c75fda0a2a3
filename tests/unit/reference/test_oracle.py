"""The reference with the real ONNX Runtime: what is asked, what is stored, what is kept."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, InputHint, ModelFile
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.stage import DrawnData, PreparedCase, VariedData
from burn_verify.graph.dtypes import elem_type_of, numpy_dtype
from burn_verify.reference.inputs import make_inputs
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.reference.varied import NAMES
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

OPSETS = (helper.make_opsetid("", 17),)
FLOAT = TensorProto.FLOAT


def arrays(reference):
    return {name: (data.inputs, data.desired) for name, data in read(reference).data_sets.items()}


@pytest.fixture
def oracle(cache: Cache, engine: OnnxRuntime) -> Oracle:
    return Oracle(cache, engine)


def prepared_from(path: Path, cache: Cache, hints: Hints | None = None, case_id: str = "file/model") -> PreparedCase:
    case = Case(id=case_id, corpus="file", source=ModelFile(path=path), hints=hints or Hints())
    return prepare(case, cache)


def saved(path: Path, nodes: Sequence[onnx.NodeProto], inputs: object, outputs: object) -> Path:
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, outputs), opset_imports=OPSETS, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def adder(path: Path) -> Path:
    """Save a model with two inputs and two outputs, which cannot be mixed up unnoticed."""
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Sub", ["a", "b"], ["difference"])]
    names = ("sum", "difference")
    return saved(
        path,
        nodes,
        [value("a", FLOAT, (2, 3)), value("b", FLOAT, (3,))],
        [value(name, FLOAT, (2, 3)) for name in names],
    )


def store(model: Path, number: int, **tensors: bytes) -> Path:
    """Store a data set beside a model."""
    folder = model.with_suffix("") / f"test_data_set_{number}"
    folder.mkdir(parents=True)
    for name, content in tensors.items():
        (folder / f"{name}.pb").write_bytes(content)
    return folder


def tensor(array: Array) -> bytes:
    return numpy_helper.from_array(array).SerializeToString()


ONES = tensor(np.ones((2, 3), np.float32))
TWOS = tensor(np.full((2, 3), 2, np.float32))


def same(actual: Array, desired: Array) -> None:
    assert actual.dtype == desired.dtype
    assert actual.shape == desired.shape
    assert actual.tobytes() == desired.tobytes()


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    prepared = prepared_from(adder(tmp_path / "adder.onnx"), cache)
    reference = oracle.answer(prepared)
    assert reference.data_sets == ("seeded", "positive", "negative")
    assert reference.seconds > 0.0
    inputs, outputs = arrays(reference)["seeded"]
    for actual, desired in zip(inputs, make_inputs(prepared.digest, prepared.inputs, Hints()).values(), strict=True):
        same(actual, desired)
    same(outputs[0], inputs[0] + inputs[1])
    same(outputs[1], inputs[0] - inputs[1])


def test_the_second_answer_is_read_from_the_cache(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    prepared = prepared_from(adder(tmp_path / "adder.onnx"), cache)
    first = oracle.answer(prepared)
    idle = OnnxRuntime(cache, timeout=60.0)
    again = Oracle(cache, idle).answer(prepared)
    assert idle.pid is None
    assert again.seconds == 0.0
    assert (again.path, again.data_sets) == (first.path, first.data_sets)


def test_another_hint_is_another_answer_and_another_name_is_not(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    path = adder(tmp_path / "adder.onnx")
    hints = Hints(inputs=(InputHint(name="b", value=2.0),))
    answers = [
        oracle.answer(prepared_from(path, cache)),
        oracle.answer(prepared_from(path, cache, case_id="file/other")),
        oracle.answer(prepared_from(path, cache, hints)),
    ]
    assert answers[0].path == answers[1].path != answers[2].path
    same(arrays(answers[2])["seeded"][0][1], np.full(3, 2, np.float32))


@pytest.mark.parametrize(
    ("elem_type", "dtype"),
    [
        (TensorProto.FLOAT16, np.float16),
        (TensorProto.BFLOAT16, ml_dtypes.bfloat16),
        (TensorProto.DOUBLE, np.float64),
        (TensorProto.BOOL, np.bool_),
        (TensorProto.INT64, np.int64),
        (TensorProto.INT8, np.int8),
        (TensorProto.UINT16, np.uint16),
        (TensorProto.UINT64, np.uint64),
    ],
)
def test_every_dtype_goes_to_the_runtime_and_back(
    oracle: Oracle,
    cache: Cache,
    identity: Callable[..., Path],
    elem_type: int,
    dtype: type[np.generic],
) -> None:
    shapes: list[tuple[int, ...]] = [(), (3,), (2, 0), (2, 3)]
    for shape in shapes:
        reference = oracle.answer(prepared_from(identity(elem_type=elem_type, shape=shape), cache))
        (given,), (answered,) = arrays(reference)["seeded"]
        assert given.dtype == dtype
        assert given.shape == shape
        same(answered, given)


def test_more_outputs_than_three_digits_can_number(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    count = 1002
    nodes = [helper.make_node("Split", ["x"], [f"y{number}" for number in range(count)], axis=0)]
    outputs = [helper.make_tensor_value_info(f"y{number}", TensorProto.INT64, (1,)) for number in range(count)]
    value = helper.make_tensor_value_info("x", TensorProto.INT64, (count,))
    reference = oracle.answer(prepared_from(saved(tmp_path / "split.onnx", nodes, [value], outputs), cache))
    (given,), answered = arrays(reference)["seeded"]
    same(np.concatenate(answered), given)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_is_in_the_words_of_the_runtime(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("NoSuchOperator", ["x"], ["y"])]
    path = saved(tmp_path / "model.onnx", nodes, [value("x", FLOAT, (2,))], [value("y", FLOAT, (2,))])
    with pytest.raises(OracleError, match=r"^ONNX Runtime: .*NoSuchOperator") as caught:
        oracle.answer(prepared_from(path, cache))
    assert caught.value.reason.startswith("ONNX Runtime: ")
    assert caught.value.reason != caught.value.message
    assert not list((cache.root / "reference").rglob("*.safetensors"))


def test_a_refusal_while_running(oracle: Oracle, engine: OnnxRuntime, cache: Cache, tmp_path: Path) -> None:
    path = adder(tmp_path / "adder.onnx")
    hints = Hints(inputs=(InputHint(name="b", shape=(5,)),))
    with pytest.raises(OracleError, match="ONNX Runtime: "):
        oracle.answer(prepared_from(path, cache, hints))
    pid = engine.pid
    assert oracle.answer(prepared_from(path, cache)).seconds > 0.0
    assert engine.pid == pid, "the worker outlives a refusal"


@pytest.mark.parametrize(
    ("elem_type", "dtype"),
    [
        (TensorProto.STRING, "string"),
        (TensorProto.INT4, "int4"),
        (TensorProto.FLOAT8E4M3FN, "float8_e4m3fn"),
        (TensorProto.COMPLEX64, "complex64"),
    ],
)
def test_an_input_that_burn_has_no_value_for(
    oracle: Oracle,
    engine: OnnxRuntime,
    cache: Cache,
    identity: Callable[..., Path],
    elem_type: int,
    dtype: str,
) -> None:
    with pytest.raises(RunError, match=f"input 'x' has dtype {dtype}") as caught:
        oracle.answer(prepared_from(identity(elem_type=elem_type), cache))
    assert caught.value.reason == f"no Burn value for {dtype}"
    assert engine.pid is None


def test_a_refusal_says_what_was_fed(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Gather", ["x", "at"], ["y"])]
    inputs = [value("x", FLOAT, (1, 3)), value("at", TensorProto.INT64, (40,))]
    path = saved(tmp_path / "model.onnx", nodes, inputs, [value("y", FLOAT, (40, 3))])
    hints = Hints(inputs=(InputHint(name="at", low=0, high=10),))
    with pytest.raises(OracleError, match="out of") as caught:
        oracle.answer(prepared_from(path, cache, hints))
    x, at = caught.value.details["fed"]
    assert x.startswith("x: float32[1,3], ")
    assert at.startswith("at: int64[40], 0 to 9: ")


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "bool", "bfloat16"])
@pytest.mark.parametrize("size", [6, 40_000])
def test_an_output_that_is_an_input_handed_through(
    oracle: Oracle, engine: OnnxRuntime, cache: Cache, tmp_path: Path, dtype: str, size: int
) -> None:
    elem_type = elem_type_of(dtype)
    value = helper.make_tensor_value_info("x", elem_type, [size])
    copy = helper.make_tensor_value_info("y", elem_type, [size])
    path = saved(tmp_path / "model.onnx", [helper.make_node("Identity", ["x"], ["y"])], [value], [copy, value, value])
    prepared = prepared_from(path, cache)
    for optimise in (False, True):
        for seed in range(3):
            x = np.random.default_rng(seed).integers(-9, 9, size).astype(numpy_dtype(dtype))
            # What was freed may still look right: other answers are asked for between making and looking.
            several = engine.infer_all(path, [[x], [x + x], [x]], optimise=optimise)
            for answer in (*several[0], *several[2]):
                same(answer, x)
    inputs, outputs = arrays(oracle.answer(prepared))["seeded"]
    for output in outputs:
        same(output, inputs[0])


def test_an_output_that_burn_has_no_value_for(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.STRING)]
    path = saved(tmp_path / "model.onnx", nodes, [value("x", FLOAT, (2,))], [value("y", TensorProto.STRING, (2,))])
    with pytest.raises(OracleError, match="an output has dtype string"):
        oracle.answer(prepared_from(path, cache))


def test_a_sequence_for_an_output(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    nodes = [helper.make_node("SequenceConstruct", ["x"], ["y"])]
    path = saved(
        tmp_path / "model.onnx",
        nodes,
        [helper.make_tensor_value_info("x", FLOAT, (2,))],
        [helper.make_tensor_sequence_value_info("y", FLOAT, (2,))],
    )
    with pytest.raises(RunError, match="sequence"):
        oracle.answer(prepared_from(path, cache))


def test_a_sequence_for_an_input(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    nodes = [helper.make_node("SequenceLength", ["x"], ["y"])]
    path = saved(
        tmp_path / "model.onnx",
        nodes,
        [helper.make_tensor_sequence_value_info("x", FLOAT, (2,))],
        [helper.make_tensor_value_info("y", TensorProto.INT64, ())],
    )
    with pytest.raises(RunError, match="sequence"):
        oracle.answer(prepared_from(path, cache))


# ── stored data ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_stored_data_are_read_after_the_seeded_ones(
    oracle: Oracle, cache: Cache, identity: Callable[..., Path]
) -> None:
    path = identity()
    store(path, 0, input_0=ONES, output_0=TWOS)
    store(path, 1, input_0=TWOS, output_0=ONES)
    reference = oracle.answer(prepared_from(path, cache, Hints(draws=1)))
    assert reference.data_sets == ("seeded", "positive", "test_data_set_0", "test_data_set_1")
    data_sets = arrays(reference)
    assert list(data_sets) == list(reference.data_sets)
    for name, (given, expected) in {"test_data_set_0": (1, 2), "test_data_set_1": (2, 1)}.items():
        (actual_input,), (actual_output,) = data_sets[name]
        same(actual_input, np.full((2, 3), given, np.float32))
        same(actual_output, np.full((2, 3), expected, np.float32))


def reshaper(path: Path) -> Path:
    """Save a model that takes six elements only, though it declares any number of rows."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Constant", [], ["to"], value_ints=[6]),
        helper.make_node("Reshape", ["x", "to"], ["y"]),
    ]
    return saved(path, nodes, [value("x", FLOAT, ("rows", 3))], [value("y", FLOAT, (6,))])


def test_a_refused_draw_does_not_cost_the_other_data_sets(oracle: Oracle, cache: Cache, tmp_path: Path) -> None:
    path = reshaper(tmp_path / "model.onnx")
    store(path, 0, input_0=ONES, output_0=numpy_helper.from_array(np.ones(6, np.float32)).SerializeToString())
    right = DrawnData(name="rows=2", hints=Hints(dims=(("rows", 2),)))
    prepared = replace(prepared_from(path, cache), fed=(DrawnData(), right))
    answers = read(oracle.answer(prepared))
    assert list(answers.data_sets) == ["rows=2", "test_data_set_0"]
    assert list(answers.unanswered) == ["seeded"]
    assert "Reshape" in answers.unanswered["seeded"]
    same(answers.data_sets["test_data_set_0"].desired[0], np.ones(6, np.float32))
    assert answers.data_sets["rows=2"].inputs[0].shape == (2, 3)
    with pytest.raises(OracleError, match="Reshape"):
        oracle.answer(replace(prepared, fed=(DrawnData(),), stored=()))


def varied(tmp_path: Path, cache: Cache, total: Array) -> PreparedCase:
    """Return a case of stored data alone, whose answer is another where the sum is, and of other values."""
    path = adder(tmp_path / "adder.onnx")
    one, other = np.ones((2, 3), np.float32), np.ones(3, np.float32)
    given = {"input_0": tensor(one), "input_1": tensor(other)}
    store(path, 0, **given, output_0=tensor(total), output_1=tensor(one - other))
    data = VariedData(like="test_data_set_0", names=NAMES)
    return replace(prepared_from(path, cache), fed=(), varied=data)


def test_other_values_are_answered_where_the_stored_answer_is_confirmed(
    oracle: Oracle, cache: Cache, tmp_path: Path
) -> None:
    prepared = varied(tmp_path, cache, np.full((2, 3), 2, np.float32))
    found = read(oracle.answer(prepared)).data_sets
    assert tuple(found) == ("test_data_set_0", *NAMES)
    for name in NAMES:
        inputs, desired = found[name].inputs, found[name].desired
        np.testing.assert_array_equal(desired[0], inputs[0] + inputs[1])
        assert prepared.is_fed(name)
        assert not prepared.is_stored(name)


def test_an_engine_that_contradicts_a_stored_answer_is_asked_nothing_else(
    oracle: Oracle, cache: Cache, tmp_path: Path
) -> None:
    prepared = varied(tmp_path, cache, np.full((2, 3), 3, np.float32))
    assert tuple(read(oracle.answer(prepared)).data_sets) == ("test_data_set_0",)


def test_changed_stored_data_are_read_again(oracle: Oracle, cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity()
    file = store(path, 0, input_0=ONES, output_0=ONES) / "output_0.pb"
    before = oracle.answer(prepared_from(path, cache))
    file.write_bytes(TWOS)
    os.utime(file, ns=(1, 1))
    after = oracle.answer(prepared_from(path, cache))
    assert after.path != before.path
    same(arrays(after)["test_data_set_0"][1][0], np.full((2, 3), 2, np.float32))


@pytest.mark.parametrize("names", [(), ("input_0",), ("output_0",), ("input_0", "input_1", "output_0")])
def test_stored_data_of_another_count(
    oracle: Oracle, cache: Cache, identity: Callable[..., Path], names: tuple[str, ...]
) -> None:
    path = identity()
    store(path, 0, **dict.fromkeys(names, ONES))
    with pytest.raises(OracleError, match="test_data_set_0 holds") as caught:
        oracle.answer(prepared_from(path, cache))
    assert caught.value.reason == "stored test data does not fit the model"


def elsewhere() -> bytes:
    """Return a tensor that keeps its data in another file."""
    proto = numpy_helper.from_array(np.ones((2, 3), np.float32))
    onnx.external_data_helper.set_external_data(proto, "elsewhere.bin")
    proto.ClearField("raw_data")
    return proto.SerializeToString()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a tensor",
        ONES[:-3],
        TensorProto(dims=[2], data_type=99, raw_data=b"01234567").SerializeToString(),
        TensorProto(dims=[3], data_type=FLOAT, raw_data=b"01234567").SerializeToString(),
        elsewhere(),
    ],
    ids=["empty", "text", "cut", "unknown dtype", "another shape", "external"],
)
def test_damaged_stored_data(oracle: Oracle, cache: Cache, identity: Callable[..., Path], content: bytes) -> None:
    path = identity()
    folder = store(path, 0, input_0=ONES, output_0=content)
    with pytest.raises(OracleError, match="stored test data cannot be read") as caught:
        oracle.answer(prepared_from(path, cache))
    assert caught.value.reason == "stored test data damaged"
    assert str(folder / "output_0.pb") in caught.value.message


def test_stored_data_that_is_a_dangling_link(oracle: Oracle, cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity()
    folder = store(path, 0, input_0=ONES)
    (folder / "output_0.pb").symlink_to(folder / "nowhere")
    with pytest.raises(OracleError, match=r"output_0\.pb: stored test data cannot be read"):
        oracle.answer(prepared_from(path, cache))


def test_stored_data_that_burn_has_no_value_for(oracle: Oracle, cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity()
    store(path, 0, input_0=ONES, output_0=tensor(np.array(["a", "b"], dtype=object)))
    with pytest.raises(RunError, match="dtype string") as caught:
        oracle.answer(prepared_from(path, cache))
    assert caught.value.reason == "no Burn value for string"


# ── the cached file ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("damage", ["cut", "empty", "nonsense", "gone"])
def test_a_damaged_cache_says_what_to_do(oracle: Oracle, cache: Cache, tmp_path: Path, damage: str) -> None:
    reference = oracle.answer(prepared_from(adder(tmp_path / "adder.onnx"), cache))
    content = reference.path.read_bytes()
    reference.path.unlink()
    if damage != "gone":
        reference.path.write_bytes({"cut": content[:-1], "empty": b"", "nonsense": b"n" * 99}[damage])
    with pytest.raises(OracleError, match="delete it and run again") as caught:
        read(reference)
    assert caught.value.reason == "reference cache damaged"
    assert str(reference.path) in caught.value.message


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_a_damaged_answer_is_asked_again(oracle: Oracle, cache: Cache, tmp_path: Path, damage: str) -> None:
    prepared = prepared_from(adder(tmp_path / "model.onnx"), cache)
    first = oracle.answer(prepared)
    content, known = first.path.read_bytes(), arrays(first)
    spoilt = {"flip": content[:-1] + bytes([content[-1] ^ 1]), "truncate": content[:-1], "delete": None}[damage]
    if spoilt is None:
        first.path.unlink()
    else:
        first.path.write_bytes(spoilt)
    again = oracle.answer(prepared)
    assert again.seconds > 0
    np.testing.assert_equal(arrays(again), known)
