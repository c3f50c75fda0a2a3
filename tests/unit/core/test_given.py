"""Options about inputs: what they mean, and one line where they mean nothing."""

import numpy as np
import pytest

from burn_verify.core.case import Distribution, Fill, Hints, InputHint, OutputTolerance
from burn_verify.core.given import (
    data_paths,
    dimension,
    dimension_texts,
    hints_of,
    input_hint,
    input_texts,
    put_over,
)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("input_ids:int64[0,30522)", {"name": "input_ids", "dtype": "int64", "low": 0, "high": 30522}),
        ("mask:ones", {"name": "mask", "fill": Fill.ONES}),
        ("pos:arange", {"name": "pos", "fill": Fill.ARANGE}),
        ("x:float32[-1,1]", {"name": "x", "dtype": "float32", "low": -1, "high": 1, "closed": True}),
        ("x:[0.5, 1e3)", {"name": "x", "low": 0.5, "high": 1000.0}),
        ("x:int32", {"name": "x", "dtype": "int32"}),
        ("x:normal", {"name": "x", "distribution": Distribution.NORMAL}),
        ("n:7", {"name": "n", "value": 7}),
        ("n:-0.5", {"name": "n", "value": -0.5}),
        ("ids:0:int64[0,9]", {"name": "ids:0", "dtype": "int64", "low": 0, "high": 9, "closed": True}),
    ],
)
def test_an_input(text, hint):
    assert input_hint(text) == InputHint(**hint)


@pytest.mark.parametrize(
    "text",
    ["", "x", ":ones", "x:", "x:twos", "x:float32[1,0]", "x:float32[0,0)", "x:int64[0;9]", "x:int64[a,b]",
     "x:float32[nan,1]", "x=", "x=gone.npy", "x=table.csv", "=x.npy"],
)  # fmt: skip
def test_an_input_that_means_nothing(text):
    with pytest.raises(ValueError, match=r".") as caught:
        input_hint(text)
    assert "\n" not in str(caught.value)


def test_a_file_has_an_absolute_path(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.zeros(3))
    monkeypatch.chdir(tmp_path)
    assert input_hint("x=x.npy").file == tmp_path / "x.npy"
    assert input_texts("x=x.npy\nmask:ones") == (f"x={tmp_path / 'x.npy'}", "mask:ones")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("batch=1,3", ("batch", (1, 3))),
        ("batch = 1, 3, 1", ("batch", (1, 3))),
        ("seq=7", ("seq", (7,))),
        ("total=past+seq", ("total", "past+seq")),
        ("b=2*batch", ("b", "2*batch")),
    ],
)
def test_a_dimension(text, found):
    assert dimension(text) == found


@pytest.mark.parametrize(
    "text", ["", "batch", "=3", "batch=", "batch=1,x", "n=f(x)", "n=99999999999999", "n=-1", "n=1.5"]
)
def test_a_dimension_that_means_nothing(text):
    with pytest.raises(ValueError, match=r".") as caught:
        dimension(text)
    assert "\n" not in str(caught.value)


def test_nothing_is_said_twice():
    with pytest.raises(ValueError, match="the dimension 'n' is named twice"):
        dimension_texts("n=1\nn=3")
    with pytest.raises(ValueError, match="the input 'x' is named twice"):
        input_texts("x:ones\nx:zeros")
    with pytest.raises(ValueError, match="depends on itself"):
        dimension_texts("a=b\nb=a")


def test_data_are_paths_that_exist(tmp_path):
    (tmp_path / "a.npz").touch()
    assert data_paths(f"{tmp_path / 'a.npz'}\n\n{tmp_path}\n{tmp_path}") == (tmp_path / "a.npz", tmp_path)
    with pytest.raises(ValueError, match="gone: no such file or folder"):
        data_paths("gone")


def test_the_hints_of_options(tmp_path):
    assert hints_of(["mask:ones"], ["batch=3,1", "total=a+b"], [tmp_path], "a.npz[3]") == Hints(
        dims=(("batch", 3),),
        sizes=(("batch", (3, 1)),),
        relations=(("total", "a+b"),),
        inputs=(InputHint(name="mask", fill=Fill.ONES),),
        data=(tmp_path,),
        sample="a.npz[3]",
    )


def test_nothing_over_hints_changes_nothing():
    under = Hints(dims=(("n", 3),), inputs=(InputHint(name="x", low=1),), relations=(("m", "n"),))
    assert put_over(Hints(), under) == under


def test_a_size_over_a_relation_and_the_reverse():
    under = hints_of([], ["n=1,3", "m=2*n"])
    assert put_over(hints_of([], ["m=5"]), under) == hints_of([], ["n=1,3", "m=5"])
    over = put_over(hints_of([], ["n=m"]), hints_of([], ["n=1,3", "m=5"]))
    assert (over.sizes, over.relations) == ((("m", (5,)),), (("n", "m"),))


def test_a_range_over_a_fill_leaves_the_shape():
    under = Hints(inputs=(InputHint(name="x", fill=Fill.ONES, shape=(2, 3)), InputHint(name="y", value=1)))
    found = put_over(Hints(inputs=(InputHint(name="x", low=0, high=5),)), under)
    assert found.inputs == (InputHint(name="x", low=0, high=5, shape=(2, 3)), InputHint(name="y", value=1))


def test_tolerances_and_data_of_the_upper_one_win(tmp_path):
    def allowed(reason):
        return OutputTolerance(output="y", rtol=0.0, atol=1.0, reason=reason)

    under = Hints(tolerances=(allowed("under"),), data=(tmp_path / "a",))
    over = Hints(tolerances=(allowed("over"),), data=(tmp_path / "b",))
    assert put_over(over, under) == over
