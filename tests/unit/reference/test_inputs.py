"""Seeded inputs: the same everywhere, independent of each other, and of the shape and type that was asked for."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.case import Hints, InputHint, TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.graph.dtypes import ELEM_TYPES, numpy_dtype
from burn_verify.reference.inputs import FIRST_DIM, OTHER_DIM, bind_shape, described, make_inputs

NO_HINTS = Hints()
quick = settings(deadline=None, database=None)

dims = st.one_of(st.integers(0, 4), st.sampled_from(["n", "seq", "k"]), st.none())
specs = st.lists(
    st.builds(
        lambda name, dtype, shape: TensorSpec(name=name, dtype=dtype, shape=tuple(shape)),
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(sorted(ELEM_TYPES.values())),
        st.lists(dims, max_size=3),
    ),
    max_size=4,
    unique_by=lambda spec: spec.name,
)


def spec(name="x", dtype="float32", shape=(1000,)):
    return TensorSpec(name=name, dtype=dtype, shape=shape)


def one(dtype="float32", shape=(1000,), case_id="c", **hint):
    """Make one input, hinted at."""
    hints = Hints(inputs=(InputHint(name="x", **hint),)) if hint else NO_HINTS
    return make_inputs(case_id, [spec(dtype=dtype, shape=shape)], hints)["x"]


def same(left, right):
    return left.dtype == right.dtype and left.shape == right.shape and left.tolist() == right.tolist()


def test_what_is_drawn_is_pinned():
    drawn = [one(dtype, (3,), "zoo/mnist-12") for dtype in ("int64", "float32")]
    assert drawn[0].tolist() == [3, 5, 0]
    assert [float(value).hex() for value in drawn[1]] == [
        "-0x1.e3fe840000000p+0",
        "-0x1.8918080000000p-2",
        "-0x1.2de96a0000000p+0",
    ]


def test_case_data_set_and_input_are_told_apart():
    parts = [("a", "", "x"), ("b", "", "x"), ("a", "b", "x"), ("ab", "", "x"), ("", "ab", "x"), ("", "a", "bx")]
    drawn = [make_inputs(case_id, [spec(name)], NO_HINTS, data_set)[name] for case_id, data_set, name in parts]
    assert len({array.tobytes() for array in drawn}) == len(parts)


def test_another_process_with_another_hash_seed_draws_the_same():
    code = (
        "from burn_verify.reference.inputs import make_inputs; from burn_verify.core.case import Hints, TensorSpec;"
        "print(make_inputs('c', [TensorSpec(name='x', dtype='float32', shape=(3,))], Hints())['x'].tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert run.stdout.strip() == str(one(shape=(3,)).tolist())


@quick
@given(specs)
def test_dtype_and_shape_are_those_asked_for(asked):
    made = make_inputs("c", asked, NO_HINTS)
    assert list(made) == [entry.name for entry in asked]
    for entry in asked:
        assert made[entry.name].dtype == numpy_dtype(entry.dtype)
        assert made[entry.name].shape == bind_shape(entry, NO_HINTS)


@quick
@given(specs)
def test_inputs_do_not_depend_on_each_other(asked):
    together = make_inputs("c", asked, NO_HINTS)
    backwards = make_inputs("c", asked[::-1], NO_HINTS)
    for entry in asked:
        alone = make_inputs("c", [entry], NO_HINTS)[entry.name]
        assert same(together[entry.name], alone)
        assert same(backwards[entry.name], alone)


def test_cases_and_names_draw_differently():
    first = make_inputs("c", [spec("x"), spec("y")], NO_HINTS)
    assert not np.array_equal(first["x"], first["y"])
    assert not np.array_equal(first["x"], one(case_id="d"))


@pytest.mark.parametrize(
    ("shape", "hints", "expected"),
    [
        ((), NO_HINTS, ()),
        ((2, 0), NO_HINTS, (2, 0)),
        ((None, None, 3), NO_HINTS, (FIRST_DIM, OTHER_DIM, 3)),
        (("batch_size", "whatever"), NO_HINTS, (1, OTHER_DIM)),
        (("whatever", "N"), NO_HINTS, (OTHER_DIM, 1)),
        (("", ""), NO_HINTS, (FIRST_DIM, OTHER_DIM)),
        ((-1, 3), NO_HINTS, (FIRST_DIM, 3)),
        (("N", "k"), Hints(dims=(("N", 4), ("k", 5))), (4, 5)),
        (("N", 3), Hints(dims=(("N", 4),), inputs=(InputHint(name="x", shape=(7,)),)), (7,)),
        (("N", 3), Hints(inputs=(InputHint(name="y", shape=(7,)),)), (1, 3)),
    ],
)
def test_bind_shape(shape, hints, expected):
    assert bind_shape(spec(shape=shape), hints) == expected


@quick
@given(specs)
def test_a_symbolic_name_has_one_size(asked):
    made = make_inputs("c", asked, NO_HINTS)
    sizes = {(dim, made[s.name].shape[i]) for s in asked for i, dim in enumerate(s.shape) if isinstance(dim, str)}
    assert len(sizes) == len({name for name, _ in sizes})


def test_a_hinted_shape_binds_its_names_for_the_other_inputs():
    asked = [spec("mask", shape=("rows", "cols")), spec("x", shape=("rows", 3))]
    made = make_inputs("c", asked, Hints(inputs=(InputHint(name="x", shape=(5, 3)),)))
    assert made["mask"].shape == (5, OTHER_DIM)


def test_hinted_dims_win_over_the_names_of_a_hinted_shape():
    asked = [spec("mask", shape=("rows",)), spec("x", shape=("rows",))]
    made = make_inputs("c", asked, Hints(dims=(("rows", 2),), inputs=(InputHint(name="x", shape=(5,)),)))
    assert (made["mask"].shape, made["x"].shape) == ((2,), (5,))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_floats_are_normal(dtype):
    drawn = one(dtype, (10_000,)).astype(np.float64)
    assert abs(drawn.mean()) < 0.1
    assert abs(drawn.std() - 1) < 0.1


def test_scale_and_shift():
    drawn = one(shape=(10_000,), scale=0.5, shift=3.0)
    assert abs(drawn.mean() - 3) < 0.1
    assert abs(drawn.std() - 0.5) < 0.1


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_floats_of_one_name_are_one_draw_rounded(dtype):
    assert np.array_equal(one(dtype), one("float64").astype(numpy_dtype(dtype)))


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float4_e2m1fn"])
def test_small_floats_are_finite(dtype):
    drawn = one(dtype).astype(np.float64)
    assert np.isfinite(drawn).all()
    assert len(set(drawn.tolist())) > 5


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("uint8", 0, 256), ("int8", -128, 128), ("uint4", 0, 16), ("int4", -8, 8), ("uint2", 0, 4), ("int2", -2, 2)]
    + [(dtype, 0, 10) for dtype in ("int16", "uint16", "int32", "uint32", "int64", "uint64")],
)
def test_integers_use_their_whole_usual_range(dtype, low, high):
    drawn = one(dtype, (10_000,)).astype(np.int64)
    assert (drawn.min(), drawn.max()) == (low, high - 1)


@pytest.mark.parametrize(
    ("hint", "low", "high"),
    [
        ({"low": 2, "high": 4}, 2, 4),
        ({"low": 20}, 20, 21),
        ({"low": -3}, -3, 10),
        ({"high": 3}, 0, 3),
        ({"high": -3}, -4, -3),
        ({"value": 7}, 7, 8),
    ],
)
def test_hinted_integers(hint, low, high):
    drawn = one("int64", (10_000,), **hint)
    assert (drawn.min(), drawn.max()) == (low, high - 1)


def test_the_ends_of_64_bits_can_be_drawn():
    assert one("uint64", low=2**64 - 1, high=2**64).tolist() == [2**64 - 1] * 1000
    assert one("int64", low=-(2**63), high=1 - 2**63).tolist() == [-(2**63)] * 1000


def test_booleans_are_fair():
    assert 0.45 < one("bool", (10_000,)).mean() < 0.55


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [("float32", 0.5, 0.5), ("int32", 3.0, 3), ("bool", 1, True), ("bool", 0, False), ("string", 2.0, "2")],
)
def test_a_value_fills(dtype, value, expected):
    assert one(dtype, (2, 2), value=value).tolist() == [[expected] * 2] * 2


def test_text_is_short_ascii_words():
    drawn = one("string", (2, 50))
    assert all(isinstance(word, str) and word.isascii() and 0 < len(word) < 9 for word in drawn.reshape(-1))
    assert len(set(drawn.reshape(-1))) > 3


@pytest.mark.parametrize("dtype", sorted(ELEM_TYPES.values()))
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2)])
def test_rank_0_and_no_elements(dtype, shape):
    drawn = one(dtype, shape)
    assert isinstance(drawn, np.ndarray)
    assert drawn.shape == shape


@pytest.mark.parametrize("dtype", ["sequence", "seq(tensor(float))", "map", "float", ""])
def test_an_unknown_type_is_an_oracle_error(dtype):
    with pytest.raises(OracleError, match="input x: cannot make seeded data") as caught:
        one(dtype)
    assert "x:" not in caught.value.reason


@pytest.mark.parametrize(
    ("dtype", "hint"),
    [
        ("uint8", {"high": 257}),
        ("uint32", {"low": -1}),
        ("int64", {"low": 3, "high": 3}),
        ("int8", {"value": 200}),
        ("int8", {"value": 0.5}),
        ("int8", {"value": float("nan")}),
        ("int4", {"low": -9}),
    ],
)
def test_a_hint_the_dtype_cannot_hold_is_an_oracle_error(dtype, hint):
    with pytest.raises(OracleError, match="input x: "):
        one(dtype, **hint)


@pytest.mark.parametrize("limit", [0, 1024])
def test_inputs_that_are_larger_than_memory_are_not_drawn(limit: int) -> None:
    asked = [spec("small"), spec("x", shape=(1, 2**31 - 1, 2**31 - 1))]
    with pytest.raises(OracleError, match=r"^the input x would take 32 EiB while it is drawn, the limit is") as raised:
        make_inputs("c", asked, NO_HINTS, memory_limit=limit)
    assert raised.value.kind is FailureKind.MEMORY
    assert ("1 GiB (--burn-memory-limit)" in str(raised.value)) is bool(limit)


def test_the_limit_is_one_for_all_inputs() -> None:
    asked = [spec(name, shape=(50_000,)) for name in "abc"]
    assert make_inputs("c", asked[:2], NO_HINTS, memory_limit=1).keys() == {"a", "b"}
    with pytest.raises(OracleError, match=r"would take 391 KiB while it is drawn, the limit is 1 MiB"):
        make_inputs("c", asked, NO_HINTS, memory_limit=1)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[0.5, -1.25, 3.0]], np.float32), "x: float32[1,3], -1.25 to 3: 0.5, -1.25, 3"),
        (np.arange(6), "x: int64[6], 0 to 5: 0, 1, 2, 3, …"),
        (np.array(7, np.uint8), "x: uint8[]: 7"),
        (np.zeros((0, 3), np.float32), "x: float32[0,3]"),
        (np.array([True, False]), "x: bool[2]: True, False"),
        (np.array(["a", "b"], dtype=object), "x: string[2]: a, b"),
        (np.array([1, 2], ml_dtypes.bfloat16), "x: bfloat16[2], 1 to 2: 1, 2"),
        (np.array([np.nan, 1.0], np.float32), "x: float32[2], 1 to 1: nan, 1"),
    ],
)
def test_what_is_fed_is_told_in_a_line(array, said):
    assert described([spec()], [array]) == [said]


def test_a_shape_of_names_and_a_relation():
    asked = [spec("x", shape=("batch", "total")), spec("y", shape=("batch", "past"))]
    hints = Hints(
        dims=(("batch", 3), ("past", 5), ("seq", 2)),
        relations=(("total", "past + seq"),),
        inputs=(InputHint(name="y", shape=("2*batch", "past")),),
    )
    made = make_inputs("c", asked, hints)
    assert (made["x"].shape, made["y"].shape) == ((3, 7), (6, 5))


def test_a_relation_of_itself_is_an_error_of_the_reference():
    with pytest.raises(OracleError, match="a size cannot be told: the dimension 'n' depends on itself"):
        make_inputs("c", [spec(shape=("n",))], Hints(relations=(("n", "n + 1"),)))


def test_a_file_binds_the_names_of_its_shape(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 2), dtype="f4"))
    asked = [spec("x", shape=("n", 2)), spec("y", shape=("n",))]
    made = make_inputs("c", asked, Hints(inputs=(InputHint(name="x", file=tmp_path / "x.npy"),)))
    assert (made["x"].shape, made["y"].shape) == ((5, 2), (5,))
