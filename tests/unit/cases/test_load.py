"""Reading models from a real disk: every way in which a file is not what it should be ends as a `LoadError`."""

import gzip
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import zstandard
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from burn_verify.cases import load
from burn_verify.cases.load import prepare
from burn_verify.cases.seeded import architectures
from burn_verify.core.case import Case, Hints, ModelFile, Seeded, TensorSpec, Unavailable
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.graph.infer.rules import infer
from burn_verify.reference.feeding import drawn_sets
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of

OPSETS = (helper.make_opsetid("", 17),)
FLOAT = TensorProto.FLOAT
WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)


def case_of(path: Path, sha256: str | None = None) -> Case:
    return Case(id="file/model", corpus="file", source=ModelFile(path=path, sha256=sha256))


def load_file(path: Path, cache: Cache) -> PreparedCase:
    return prepare(case_of(path), cache)


def refusal(path: Path, cache: Cache, sha256: str | None = None) -> LoadError:
    """Return the error that the file ends with; it names the file."""
    with pytest.raises(LoadError) as caught:
        prepare(case_of(path, sha256), cache)
    assert str(path) in caught.value.message
    return caught.value


def outcome_of(path: Path, cache: Cache) -> str:
    """Return the reason of the refusal, if it is one; anything but a `LoadError` fails the test."""
    try:
        load_file(path, cache)
    except LoadError as error:
        return error.reason
    return "loaded"


def adder(weights: TensorProto) -> onnx.GraphProto:
    """A graph that adds an initializer called ``w`` to its input."""
    return helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "adder",
        [helper.make_tensor_value_info("x", FLOAT, (2, 3))],
        [helper.make_tensor_value_info("y", FLOAT, (2, 3))],
        [weights],
    )


def with_external_data(folder: Path, location: str) -> Path:
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    set_external_data(tensor, location, offset=0, length=WEIGHTS.nbytes)
    tensor.ClearField("raw_data")
    return saved(adder(tensor), folder / "model.onnx")


def saved(graph: onnx.GraphProto, path: Path, **kwargs: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, **{"opset_imports": OPSETS, "ir_version": 8, **kwargs})
    path.write_bytes(model.SerializeToString())
    return path


def branching() -> onnx.GraphProto:
    """A graph with an If, whose branches hold further nodes, one of them in another domain."""
    then_branch = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["a"])], "then", [], [helper.make_tensor_value_info("a", FLOAT, (2,))]
    )
    inner = helper.make_graph(
        [helper.make_node("Normalizer", ["x"], ["c"], domain="ai.onnx.ml", norm="L2")],
        "inner",
        [],
        [helper.make_tensor_value_info("c", FLOAT, (2,))],
    )
    else_branch = helper.make_graph(
        [helper.make_node("If", ["cond"], ["b"], then_branch=inner, else_branch=inner)],
        "else",
        [],
        [helper.make_tensor_value_info("b", FLOAT, (2,))],
    )
    return helper.make_graph(
        [helper.make_node("If", ["cond"], ["y"], then_branch=then_branch, else_branch=else_branch)],
        "branching",
        [
            helper.make_tensor_value_info("cond", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("x", FLOAT, (2,)),
        ],
        [helper.make_tensor_value_info("y", FLOAT, (2,))],
    )


# ── good models ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_model(cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity(shape=("batch", 3))
    case = case_of(path, sha256_of(path))
    assert prepare(case, cache) == PreparedCase(
        case=case,
        model=path,
        digest=sha256_of(path),
        op_types=("Identity",),
        opset=17,
        inputs=(TensorSpec(name="x", dtype="float32", shape=("batch", 3)),),
        outputs=(TensorSpec(name="y", dtype="float32", shape=("batch", 3)),),
        fed=drawn_sets(infer(onnx.load(path)), Hints(), vary=False),
    )


@pytest.mark.parametrize(("draws", "names"), [(None, ["seeded", "sizes 2"]), (0, ["seeded", "sizes 2"])])
def test_sizes_are_drawn(cache: Cache, identity: Callable[..., Path], draws: int | None, names: list[str]) -> None:
    path = identity(shape=("batch", 3))
    case = replace(case_of(path), hints=Hints(draws=draws))
    assert [one.name for one in prepare(case, cache).fed] == names


def test_draws_that_are_asked_for_come_beside_what_is_stored(cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity(shape=("batch", 3))
    folder = path.parent / path.stem / "test_data_set_0"
    folder.mkdir(parents=True)
    assert prepare(case_of(path), cache).fed == ()
    asked = replace(case_of(path), hints=Hints(draws=2))
    assert [one.name for one in prepare(asked, cache).fed] == ["seeded", "sizes 2", "positive", "negative"]


def test_initializers_among_the_inputs_are_not_fed(cache: Cache, tmp_path: Path) -> None:
    graph = adder(numpy_helper.from_array(WEIGHTS, "w"))
    graph.input.append(helper.make_tensor_value_info("w", FLOAT, (2, 3)))
    path = saved(graph, tmp_path / "old.onnx", ir_version=3, opset_imports=[helper.make_opsetid("", 7)])
    prepared = load_file(path, cache)
    assert [spec.name for spec in prepared.inputs] == ["x"]
    assert prepared.opset == 7


def test_op_types_of_subgraphs(cache: Cache, tmp_path: Path) -> None:
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), *OPSETS]
    prepared = load_file(saved(branching(), tmp_path / "if.onnx", opset_imports=opsets), cache)
    assert prepared.op_types == ("If", "Neg", "ai.onnx.ml.Normalizer")
    assert prepared.opset == 17


def test_opset_is_0_without_the_default_domain(cache: Cache, tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml", norm="L2")],
        "ml",
        [helper.make_tensor_value_info("x", FLOAT, (1, 3))],
        [helper.make_tensor_value_info("y", FLOAT, (1, 3))],
    )
    path = saved(graph, tmp_path / "ml.onnx", opset_imports=[helper.make_opsetid("ai.onnx.ml", 3)])
    assert load_file(path, cache).opset == 0


def test_a_sequence_input_is_named_as_such(cache: Cache, tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("SequenceLength", ["s"], ["y"])],
        "sequence",
        [helper.make_tensor_sequence_value_info("s", FLOAT, (2,))],
        [helper.make_tensor_value_info("y", TensorProto.INT64, ())],
    )
    prepared = load_file(saved(graph, tmp_path / "sequence.onnx"), cache)
    assert prepared.inputs == (TensorSpec(name="s", dtype="sequence", shape=()),)
    assert prepared.outputs == (TensorSpec(name="y", dtype="int64", shape=()),)


def test_stored_data_beside_the_model(cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity()
    for number in (0, 1):
        folder = path.with_suffix("") / f"test_data_set_{number}"
        folder.mkdir(parents=True)
        for name in ("input_10.pb", "input_2.pb", "output_0.pb", "input_x.pb", "notes.txt"):
            (folder / name).touch()
    (path.with_suffix("") / "test_data_set_2").touch()
    stored = load_file(path, cache).stored
    assert [data.name for data in stored] == ["test_data_set_0", "test_data_set_1"]
    assert [file.name for file in stored[0].inputs] == ["input_2.pb", "input_10.pb"]
    assert [file.name for file in stored[1].outputs] == ["output_0.pb"]
    assert stored[1].outputs[0].parent.name == "test_data_set_1"


# ── files that are no models ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x08\x08", bytes(range(256)), b"\x80" * 100])
def test_what_is_no_model(cache: Cache, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert refusal(path, cache).reason == "not an ONNX file"


def test_a_cut_model_is_refused_or_whole(cache: Cache, tmp_path: Path) -> None:
    whole = saved(branching(), tmp_path / "whole.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    reasons = []
    for end in range(0, len(whole), 10):
        path.write_bytes(whole[:end])
        reasons.append(outcome_of(path, cache))
    assert set(reasons) <= {"loaded", "not an ONNX file"}
    assert reasons.count("not an ONNX file") > len(reasons) // 2


@pytest.mark.parametrize("byte", [0x00, 0x0A, 0x7F, 0xFF])
def test_a_damaged_model_is_refused_or_read(cache: Cache, tmp_path: Path, byte: int) -> None:
    whole = saved(branching(), tmp_path / "whole.onnx").read_bytes()
    path = tmp_path / "damaged.onnx"
    reasons = set()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
        reasons.add(outcome_of(path, cache))
    assert {"loaded", "not an ONNX file"} <= reasons <= {"loaded", "not an ONNX file", "external data missing"}


def test_a_sample_of_no_data(cache: Cache, tmp_path: Path) -> None:
    path = saved(branching(), tmp_path / "a.onnx")
    case = Case(id="file/a", corpus="file", source=ModelFile(path=path), hints=Hints(sample="x[1]"))
    with pytest.raises(LoadError) as caught:
        prepare(case, cache)
    assert caught.value.kind is FailureKind.USAGE
    assert caught.value.message.startswith("--sample (--burn-sample): there are no data of which")


def test_a_missing_file(cache: Cache, tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.onnx", cache).reason == "no such file"
    assert refusal(tmp_path, cache).reason == "no such file"


def test_a_link_to_nothing_says_where_it_leads(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.symlink_to("blobs/0123")
    assert refusal(path, cache).message == f"{path}: a link to blobs/0123, which is not there"


def test_a_name_that_no_file_can_have(cache: Cache, tmp_path: Path) -> None:
    assert refusal(tmp_path / f"{'n' * 300}.onnx", cache).reason == "cannot be read"


@pytest.mark.parametrize("sha256", [None, "0" * 64])
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to root")
def test_a_file_that_cannot_be_read(cache: Cache, identity: Callable[..., Path], sha256: str | None) -> None:
    path = identity()
    path.chmod(0)
    assert refusal(path, cache, sha256).reason == "cannot be read"


def test_a_disk_that_fails_while_hashing(
    cache: Cache, identity: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(load, "sha256_of", broken)
    assert refusal(identity(), cache, "0" * 64).reason == "cannot be read"
    assert refusal(identity(), cache).reason == "cannot be read"


def test_a_wrong_sha256(cache: Cache, identity: Callable[..., Path]) -> None:
    path = identity()
    error = refusal(path, cache, "0" * 64)
    assert error.reason == "wrong sha256"
    assert sha256_of(path) in error.message


def test_what_is_not_available_says_why(cache: Cache) -> None:
    case = Case(id="zoo/x", corpus="zoo", source=Unavailable(reason="x is not here: do this"))
    with pytest.raises(LoadError, match=r"^x is not here: do this$") as caught:
        prepare(case, cache)
    assert caught.value.reason == "not available here"


# ── external data ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("location", ["weights.bin", "below/weights.bin", "below/../weights.bin"])
def test_external_data_inside(cache: Cache, tmp_path: Path, location: str) -> None:
    path = with_external_data(tmp_path, location)
    (tmp_path / "below").mkdir()
    (tmp_path / location).write_bytes(WEIGHTS.tobytes())
    before = load_file(path, cache).digest
    assert before != sha256_of(path)
    assert load_file(path, cache).digest == before
    (tmp_path / location).write_bytes((WEIGHTS + 1).tobytes())
    assert load_file(path, cache).digest != before


def test_a_moved_model_keeps_its_digest(cache: Cache, tmp_path: Path) -> None:
    digests = set()
    for folder in (tmp_path / "here", tmp_path / "there"):
        path = with_external_data(folder, "weights.bin")
        (folder / "weights.bin").write_bytes(WEIGHTS.tobytes())
        digests.add(load_file(path, cache).digest)
    assert len(digests) == 1


@pytest.mark.parametrize("location", ["../outside.bin", "below/../../outside.bin"])
def test_external_data_outside(cache: Cache, tmp_path: Path, location: str) -> None:
    (tmp_path / "outside.bin").write_bytes(WEIGHTS.tobytes())
    path = with_external_data(tmp_path / "folder", location)
    error = refusal(path, cache)
    assert error.reason == "external data outside the model's folder"
    assert location in error.message


def test_external_data_at_an_absolute_place(cache: Cache, tmp_path: Path) -> None:
    outside = tmp_path / "outside.bin"
    outside.write_bytes(WEIGHTS.tobytes())
    path = with_external_data(tmp_path / "folder", str(outside))
    assert refusal(path, cache).reason == "external data outside the model's folder"


def test_external_data_in_a_folder_with_the_same_beginning(cache: Cache, tmp_path: Path) -> None:
    path = with_external_data(tmp_path / "folder", "../folder2/weights.bin")
    (tmp_path / "folder2").mkdir()
    (tmp_path / "folder2" / "weights.bin").write_bytes(WEIGHTS.tobytes())
    assert refusal(path, cache).reason == "external data outside the model's folder"


def test_external_data_behind_a_link(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "outside.bin").write_bytes(WEIGHTS.tobytes())
    path = with_external_data(tmp_path / "folder", "weights.bin")
    (path.parent / "weights.bin").symlink_to(tmp_path / "outside.bin")
    assert refusal(path, cache).reason == "external data outside the model's folder"


def test_external_data_in_a_loop_of_links(cache: Cache, tmp_path: Path) -> None:
    path = with_external_data(tmp_path, "weights.bin")
    (tmp_path / "weights.bin").symlink_to(tmp_path / "other.bin")
    (tmp_path / "other.bin").symlink_to(tmp_path / "weights.bin")
    assert refusal(path, cache).reason == "external data missing"


@pytest.mark.parametrize("location", ["missing.bin", "", ".", "no/folder/weights.bin"])
def test_external_data_missing(cache: Cache, tmp_path: Path, location: str) -> None:
    assert refusal(with_external_data(tmp_path, location), cache).reason == "external data missing"


@pytest.mark.parametrize(("location", "reason"), [("a\0b", "not an ONNX file"), ("n" * 300, "cannot be read")])
def test_external_data_under_an_impossible_name(cache: Cache, tmp_path: Path, location: str, reason: str) -> None:
    assert refusal(with_external_data(tmp_path, location), cache).reason == reason


def test_external_data_of_a_constant_in_a_subgraph(cache: Cache, tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    set_external_data(tensor, "../outside.bin")
    tensor.ClearField("raw_data")
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["a"], value=tensor)],
        "branch",
        [],
        [helper.make_tensor_value_info("a", FLOAT, (2, 3))],
    )
    graph = helper.make_graph(
        [helper.make_node("If", ["cond"], ["y"], then_branch=branch, else_branch=branch)],
        "g",
        [helper.make_tensor_value_info("cond", TensorProto.BOOL, ())],
        [helper.make_tensor_value_info("y", FLOAT, (2, 3))],
    )
    path = saved(graph, tmp_path / "folder" / "model.onnx")
    assert refusal(path, cache).reason == "external data outside the model's folder"


def test_external_data_of_a_function(cache: Cache, tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    set_external_data(tensor, "../outside.bin")
    tensor.ClearField("raw_data")
    constant = helper.make_node("Constant", [], ["a"], value=tensor)
    function = helper.make_function("mine", "Weights", [], ["a"], [constant], OPSETS)
    graph = helper.make_graph(
        [helper.make_node("Weights", [], ["y"], domain="mine")],
        "g",
        [],
        [helper.make_tensor_value_info("y", FLOAT, (2, 3))],
    )
    opsets = [*OPSETS, helper.make_opsetid("mine", 1)]
    path = saved(graph, tmp_path / "folder" / "model.onnx", functions=[function], opset_imports=opsets)
    assert refusal(path, cache).reason == "external data outside the model's folder"


def test_op_types_of_a_function(cache: Cache, tmp_path: Path) -> None:
    function = helper.make_function("mine", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])], OPSETS)
    graph = helper.make_graph(
        [helper.make_node("Twice", ["x"], ["y"], domain="mine")],
        "g",
        [helper.make_tensor_value_info("x", FLOAT, (2,))],
        [helper.make_tensor_value_info("y", FLOAT, (2,))],
    )
    opsets = [*OPSETS, helper.make_opsetid("mine", 1)]
    path = saved(graph, tmp_path / "model.onnx", functions=[function], opset_imports=opsets)
    assert load_file(path, cache).op_types == ("Add", "mine.Twice")


# ── seeded models ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_seeded_model_is_built_once(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    build = architectures.build

    def counted(architecture: str, seed: int = 0) -> onnx.ModelProto:
        built.append((architecture, seed))
        return build(architecture, seed)

    monkeypatch.setattr(architectures, "build", counted)
    case = Case(id="zoo/mnist@seeded", corpus="zoo", source=Seeded(architecture="mnist"))
    first = prepare(case, cache)
    assert prepare(case, cache) == first
    assert built == [("mnist", 0)]
    other = prepare(Case(id="other", corpus="zoo", source=Seeded(architecture="mnist", seed=1)), cache)
    assert built == [("mnist", 0), ("mnist", 1)]
    assert other.digest != first.digest
    assert not list(first.model.parent.glob("*.new"))


# ── files as people have them ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.ZstdCompressor().compress)])
def test_a_compressed_model(
    cache: Cache, identity: Callable[..., Path], suffix: str, pack: Callable[..., bytes]
) -> None:
    plain = identity()
    path = plain.with_name(f"{plain.name}{suffix}")
    path.write_bytes(pack(plain.read_bytes()))
    folder = plain.with_suffix("") / "test_data_set_0"
    folder.mkdir(parents=True)

    prepared = load_file(path, cache)

    assert prepared.model.read_bytes() == plain.read_bytes()
    assert prepared.digest == load_file(plain, cache).digest
    assert [data.name for data in prepared.stored] == ["test_data_set_0"]


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1 << 16)])
def test_no_model_in_a_compressed_file(cache: Cache, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(LoadError, match=r"model\.onnx\.gz: ") as caught:
        load_file(path, cache)
    assert caught.value.reason == "not an ONNX file"


def test_a_compressed_model_does_not_find_data_beside_it(cache: Cache, tmp_path: Path) -> None:
    plain = with_external_data(tmp_path, "weights.bin")
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    path = tmp_path / "model.onnx.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    with pytest.raises(LoadError, match="unpack it, and name the unpacked file") as caught:
        load_file(path, cache)
    assert caught.value.reason == "external data missing"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.pt", b"", "a PyTorch checkpoint"),
        ("model.tflite", b"\x1c\x00\x00\x00TFL3" + bytes(32), "a TensorFlow Lite model"),
        ("model.onnx", b"\x1c\x00\x00\x00TFL3" + bytes(32), "a TensorFlow Lite model"),
        ("model.onnx", b"\x18\x00\x00\x00ORTM" + bytes(32), "ORT format"),
        ("model.onnx", pickle.dumps({"a": 1}), "a Python pickle"),
        ("model.onnx", b"<html>404</html>", "a web page"),
        ("model.onnx", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("model.onnx", gzip.compress(b"x", mtime=0), "gzip data"),
        ("model.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    ],
)
def test_a_model_of_another_kind(cache: Cache, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refusal(path, cache)
    assert error.reason.startswith("not an ONNX file: ")
    assert error.kind is FailureKind.REFUSED
    assert said in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize("name", ["model.pb", "model.pt", "model.bin", "model"])
def test_an_onnx_model_may_be_called_anything(cache: Cache, identity: Callable[..., Path], name: str) -> None:
    assert load_file(identity().rename(identity().with_name(name)), cache).op_types == ("Identity",)


def test_a_folder_of_another_kind(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    assert "a TensorFlow SavedModel" in refusal(tmp_path / "saved", cache).message


@pytest.mark.parametrize(("doublings", "said"), [(25, "67,108,864 nodes"), (400, "more than a trillion nodes")])
def test_functions_that_unfold_to_more_than_anybody_runs(
    cache: Cache, tmp_path: Path, doublings: int, said: str
) -> None:
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]

    def nodes(*calls: str) -> list[onnx.NodeProto]:
        return [helper.make_node(call, ["a"], [f"b{at}"], domain="mine") for at, call in enumerate(calls)] or [
            helper.make_node("Neg", ["a"], ["b0"])
        ]

    functions = [
        helper.make_function("mine", f"f{at}", ["a"], ["b0"], nodes(*[f"f{at + 1}"] * 2), opsets)
        for at in range(doublings)
    ]
    functions.append(helper.make_function("mine", f"f{doublings}", ["a"], ["b0"], nodes(), opsets))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("a", "b0", "b1")]
    graph = helper.make_graph(nodes("f0", "f0"), "g", values[:1], values[1:])
    path = tmp_path / "folded.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, functions=functions), path)
    assert said in refusal(path, cache).message


@pytest.mark.parametrize(("name", "said"), [("m.onnx", "save_as_external_data"), ("m.pth", "a PyTorch checkpoint")])
def test_a_file_of_more_than_two_gibibytes_is_not_parsed(cache: Cache, tmp_path: Path, name: str, said: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert said in refusal(path, cache).message


def test_what_is_no_tensor_is_named(cache: Cache, tmp_path: Path) -> None:
    value = helper.make_tensor_sequence_value_info("s", FLOAT, None)
    graph = helper.make_graph(
        [helper.make_node("SequenceLength", ["s"], ["y"])],
        "sequence",
        [value],
        [helper.make_tensor_value_info("y", TensorProto.INT64, ())],
    )
    prepared = load_file(saved(graph, tmp_path / "sequence.onnx"), cache)
    assert prepared.unsupported == "sequence"
    assert [line.partition(",")[0] for line in prepared.advice] == ["input `s` is a sequence of (a tensor of float32)"]
