"""The data sets that an engine answers, with the real ONNX Runtime."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.stage import PreparedCase
from burn_verify.graph.infer.rules import infer
from burn_verify.reference.feeding import LARGEST, Fed, Feeder, drawn_sets
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array
from parsed import parsed

TABLE = np.ones((2, 4), np.float32)
Prepared = Callable[..., PreparedCase]


@pytest.fixture
def feed(cache: Cache, tmp_path: Path) -> Iterator[Callable[[onnx.ModelProto], Fed]]:
    engine = OnnxRuntime(cache, timeout=60.0)

    def function(model: onnx.ModelProto) -> Fed:
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        return Feeder(engine).feed(prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache))

    yield function
    engine.close()


def shapes(fed: Fed) -> list[list[tuple[int, ...]]]:
    return [[array.shape for array in data.inputs] for data in fed.data_sets.values()]


def test_every_size_is_fed(feed: Callable[[onnx.ModelProto], Fed]) -> None:
    fed = feed(parsed("(float[N,S] x) => (float[N,S] y) { y = Relu(x) }"))
    assert list(fed.data_sets) == ["seeded", "sizes 2", "sizes 3", "sizes 4"]
    assert shapes(fed) == [[(1, 7)], [(3, 7)], [(1, 19)], [(3, 19)]]
    assert fed.sizes["sizes 2"] == {"N": 3, "S": 7}
    assert fed.tried == ()


def test_an_index_is_in_the_table(feed: Callable[[onnx.ModelProto], Fed]) -> None:
    fed = feed(parsed("(int64[N,S] x) => (float[N,S,4] y) { y = Gather(w, x) }", w=TABLE))
    assert not fed.failed
    assert {int(value) for data in fed.data_sets.values() for value in data.inputs[0].flat} == {0, 1}


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        # What no rule sees: the shape is computed.
        (
            "(float[N,S] x, float[N,T] z) => (float[N,?] y) { s = Shape(z) e = Reshape(x, s) y = Add(e, z) }",
            lambda given: given["S"] == given["T"],
        ),
        (
            "(float[A] x, float[B] y, float[C] z) => (float[?] o) "
            "{ s = Shape(z) c = Concat<axis = 0>(x, y) r = Reshape(c, s) o = Add(r, z) }",
            lambda given: given["A"] + given["B"] == given["C"],
        ),
        (
            "(float[A] x, float[C] z) => (float[?] o) "
            "{ s = Shape(z) c = Concat<axis = 0>(x, x) r = Reshape(c, s) o = Add(r, z) }",
            lambda given: 2 * given["A"] == given["C"],
        ),
    ],
)
def test_relations_that_no_rule_sees_are_found_by_trial(
    feed: Callable[[onnx.ModelProto], Fed], text: str, sizes: Callable[[dict[str, int]], bool]
) -> None:
    model = parsed(text)
    fed = feed(model)
    assert fed.tried
    declared = [[dim.dim_param for dim in value.type.tensor_type.shape.dim] for value in model.graph.input]
    for data in fed.data_sets.values():
        names = (name for dims in declared for name in dims)
        found = dict(zip(names, (size for array in data.inputs for size in array.shape), strict=True))
        assert sizes(found)


def test_a_further_size_that_is_refused_is_replaced(feed: Callable[[onnx.ModelProto], Fed]) -> None:
    # Positions for 16 only.
    fed = feed(
        parsed(
            "(float[N,S] x) => (float[N,?,4] y) "
            "{ s = Shape(x) n = Gather(s, one) r = Range(zero, n, one) p = Gather(w, r) u = Unsqueeze(x, last) "
            "y = Add(u, p) }",
            one=np.array(1),
            zero=np.array(0),
            last=np.array([-1]),
            w=np.ones((16, 4), np.float32),
        )
    )
    assert not fed.failed
    assert shapes(fed) == [[(1, 7)], [(3, 7)], [(1, 13)], [(3, 13)]]
    assert fed.tried == ("sizes 3: S = 13",)
    assert fed.change.sizes == {"S": (7, 13)}


def test_a_further_size_that_nothing_replaces_is_refused(feed: Callable[[onnx.ModelProto], Fed]) -> None:
    # The table that is read has a row for each sample of a batch of 1.
    fed = feed(
        parsed(
            "(float[N,4] x) => (float[N,4] y) "
            "{ s = Shape(x) n = Gather(s, zero) r = Range(zero, n, one) p = Gather(w, r) y = Add(x, p) }",
            one=np.array(1),
            zero=np.array(0),
            w=np.ones((1, 4), np.float32),
        )
    )
    assert list(fed.data_sets) == ["seeded"]
    assert list(fed.failed) == ["sizes 2"]
    assert fed.tried == ()


def test_a_model_that_takes_nothing_fails_with_the_first_error(feed: Callable[[onnx.ModelProto], Fed]) -> None:
    fed = feed(parsed("(float[N,4] x) => (float[?] y) { y = Reshape(x, to) }", to=np.array([-7])))
    assert next(iter(fed.failed)) == "seeded"
    assert not fed.data_sets


def test_a_choice_is_fed_at_the_first_sizes() -> None:
    text = """(int64 k, float[N] v) => (float[N] y) { c = Equal(k, one) y = If (c) <
        then_branch = t () => (float[N] u) { u = Neg(v) }, else_branch = e () => (float[N] w) { w = Abs(v) }
    > }"""
    sets = drawn_sets(infer(parsed(text, one=np.array(16))), Hints())
    assert [one.name for one in sets] == ["seeded", "sizes 2", "values 3", "values 4", "positive", "negative"]
    assert [dict(one.sizes)["k"] for one in sets[:4]] == [16, 16, 15, 17]
    assert dict(sets[2].sizes)["N"] == dict(sets[0].sizes)["N"]


def test_large_inputs_are_drawn_at_the_first_sizes_only() -> None:
    model = parsed("(float[N,3,1000,1000] x) => (float[N,3,1000,1000] y) { y = Relu(x) }")
    assert "sizes 2" not in [one.name for one in drawn_sets(infer(model), Hints())]


def test_a_change_that_one_sample_alone_takes_is_the_last_resort(feed: Callable[[onnx.ModelProto], Fed]) -> None:
    # A mask of one column fits by broadcasting, at a batch of one only.
    text = (
        "(float[N,P,4] p, float[N,S,4] x, float[N,T] m) => (float[N,?,?] y) "
        "{ k = Concat<axis = 1>(p, x) t = Transpose<perm = [0,2,1]>(k) s = MatMul(x, t) u = Unsqueeze(m, one) "
        "y = Add(s, u) }"
    )
    fed = feed(parsed(text, one=np.array([1])))
    assert not fed.failed
    assert fed.change.relations == {"T": "P + S"}


class Measuring(OnnxRuntime):
    """An engine that knows the number of elements of everything it was fed."""

    def __init__(self, cache: Cache, timeout: float) -> None:
        super().__init__(cache, timeout)
        self.fed: list[int] = []

    def infer_all(self, model: Path, sets: Sequence[Sequence[Array]], **options: Any) -> list[list[Array]]:
        self.fed += [sum(array.size for array in one) for one in sets]
        return super().infer_all(model, sets, **options)


def test_no_guess_takes_gigabytes(cache: Cache, tmp_path: Path) -> None:
    engine = Measuring(cache, timeout=60.0)
    path = tmp_path / "model.onnx"
    # No size of H and W fits, so all guesses are made: among them the samples of a second of speech, for both.
    model = parsed("(float[1,4,H,W] x) => (float[11,13,17] y) { y = Reshape(x, s) }", s=np.array([11, 13, 17]))
    onnx.save(model, path)
    try:
        fed = Feeder(engine).feed(prepare(Case(id="file/model", corpus="file", source=ModelFile(path=path)), cache))
    finally:
        engine.close()
    assert fed.failed
    assert len(engine.fed) > 3
    assert max(engine.fed) <= LARGEST
