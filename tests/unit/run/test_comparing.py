"""Two sides compared as the command does it: folders that runs kept, and models that an engine answers."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from burn_verify.core.errors import OracleError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.result import JudgeMode
from burn_verify.run.comparing import compare
from burn_verify.run.kept_outputs import kept_in
from burn_verify.run.session import Session
from fakes import Faults, seams
from handmade import model, value

FLOAT = onnx.TensorProto.FLOAT


def affine(path, scale=2.0, shift=1.0, names="xy", extra=(), elem_type=FLOAT, shape=(2, 3)):
    """Write a model that scales and shifts its input, with further outputs that negate it."""
    source, result = names
    dtype = helper.tensor_dtype_to_np_dtype(elem_type)
    weights = [
        numpy_helper.from_array(np.asarray(number, dtype), name) for name, number in (("s", scale), ("t", shift))
    ]
    nodes = [helper.make_node("Mul", [source, "s"], ["m"]), helper.make_node("Add", ["m", "t"], [result])]
    nodes += [helper.make_node("Neg", [source], [name]) for name in extra]
    outputs = [value(name, elem_type, shape) for name in (result, *extra)]
    path.write_bytes(model(nodes, [value(source, elem_type, shape)], outputs, weights).SerializeToString())
    return path


def kept(folder, path, cache, faults=Faults(), **options):  # noqa: B008
    """Verify models and keep their answers."""
    models = tuple(map(str, [path] if isinstance(path, Path) else path))
    settings = Settings(models=models, cache_dir=cache.root, keep_outputs=folder, **options)
    session = Session.open(settings, seams=seams(faults))
    session.prepare(session.selected.trials)
    for trial in session.selected.trials:
        session.verify(trial)
    session.close()
    return folder


@pytest.fixture
def compared(cache):
    """Return a function that compares two sides."""

    def compared(one, other, answers="burn", faults=Faults(), **options):  # noqa: B008
        settings = Settings(cache_dir=cache.root, **options)
        return compare((one, other), settings, answers=answers, seams=seams(faults))

    return compared


def seeded(some):
    """Return what is about the data set that every model has."""
    return [one for one in some if one.data_set == "seeded"]


def off(outputs):
    return [output * 2 for output in outputs]


# ── two models ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_agrees_with_itself(tmp_path, compared):
    path = affine(tmp_path / "m.onnx", extra=["n"])

    found = compared(path, path)

    assert found.agrees
    assert [(one.name, one.by_name, one.verdict) for one in seeded(found.compared)] == [
        ("y", True, "agrees"),
        ("n", True, "agrees"),
    ]
    assert found.sides == (f"{path}: answered by fake 1", f"{path}: answered by fake 1")
    assert (found.left_out, found.notes) == ((), ())


def test_a_model_that_was_changed_differs(tmp_path, compared):
    found = compared(affine(tmp_path / "a.onnx", extra=["n"]), affine(tmp_path / "b.onnx", shift=1.5, extra=["n"]))

    assert not found.agrees
    assert [(one.name, one.agrees) for one in seeded(found.compared)] == [("y", False), ("n", True)]
    assert seeded(found.compared)[0].metrics.max_abs == pytest.approx(0.5)
    assert seeded(found.compared)[0].verdict == "differs"
    assert "y: float32[2,3] 6/6 elements differ" in seeded(found.compared)[0].difference


def test_rounding_is_no_difference(tmp_path, compared):
    assert compared(affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx", scale=2 + 1e-7)).agrees


def test_other_names_go_by_their_place_and_it_is_told(tmp_path, compared):
    found = compared(affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx", names="pq"))

    assert found.agrees
    assert [(one.name, one.other, one.by_name) for one in seeded(found.compared)] == [("y", "q", False)]
    assert found.notes == ("input 'p' is fed with 'x', by its place",)


def test_an_output_that_only_one_side_has(tmp_path, compared):
    found = compared(affine(tmp_path / "a.onnx", extra=["n"]), affine(tmp_path / "b.onnx"))

    assert not found.agrees
    assert [one.name for one in seeded(found.compared)] == ["y"]
    assert [left.why for left in seeded(found.left_out)] == ["only A has the output 'n'"]


def test_another_dtype_is_fed_and_told_and_judged(tmp_path, compared):
    found = compared(affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx", elem_type=onnx.TensorProto.FLOAT16))

    assert found.notes == ("input 'x' takes float16, and gets 'x' cast to it",)
    assert not found.agrees
    assert "dtype" in seeded(found.compared)[0].difference


def test_another_shape_of_the_answer(tmp_path, compared):
    def cut(outputs):
        return [output[:1] for output in outputs]

    found = compared(affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx"), faults=Faults({("infer", "b"): cut}))

    assert "shape" in seeded(found.compared)[0].difference


def test_models_of_other_inputs_are_no_pair(tmp_path, compared):
    two = model(
        [helper.make_node("Add", ["p", "q"], ["y"])],
        [value("p", shape=[2]), value("q", shape=[2])],
        [value("y", shape=[2])],
    )
    (tmp_path / "two.onnx").write_bytes(two.SerializeToString())

    with pytest.raises(
        UsageError, match=r"two\.onnx: takes p, q; the inputs are x .*two models are compared on one input"
    ):
        compared(affine(tmp_path / "a.onnx"), tmp_path / "two.onnx")


@pytest.mark.parametrize("broken", ["a", "b"])
def test_a_model_that_the_engine_refuses(tmp_path, compared, broken):
    faults = Faults({("infer", broken): OracleError("no kernel for Foo")})

    with pytest.raises(UsageError, match=f"{broken}.onnx: it has no answers to compare: no kernel for Foo"):
        compared(affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx"), faults=faults)


@pytest.mark.parametrize("name", ["m.onnx", "m.pt", "m.onnx.gz"])
def test_a_file_that_is_no_model(tmp_path, compared, name):
    (tmp_path / name).write_bytes(b"nothing of the kind")

    with pytest.raises(UsageError, match=name):
        compared(affine(tmp_path / "a.onnx"), tmp_path / name)


# ── two folders ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_runs_of_one_model_agree(tmp_path, cache, compared):
    path = affine(tmp_path / "m.onnx")

    found = compared(kept(tmp_path / "a", path, cache), kept(tmp_path / "b", path, cache))

    assert found.agrees
    assert [(one.case, one.data_set) for one in seeded(found.compared)] == [("file/m", "seeded")]
    assert found.sides[0].startswith(f"{tmp_path / 'a'}: answers of Burn ")
    assert "to m.onnx, sha256 " in found.sides[0]


def test_burn_s_answers_count_unless_the_reference_s_are_asked_for(tmp_path, cache, compared):
    path = affine(tmp_path / "m.onnx")
    sides = kept(tmp_path / "a", path, cache), kept(tmp_path / "b", path, cache, Faults({("run", "m"): off}))

    assert not compared(*sides).agrees
    assert compared(*sides, answers="reference").agrees
    assert "answers of fake 1" in compared(*sides, answers="reference").sides[0]


def test_other_inputs_are_told_and_not_compared(tmp_path, cache, compared):
    # The bytes of a model are the seed of its inputs.
    one, other = affine(tmp_path / "m.onnx"), affine(tmp_path / "n.onnx", shift=1.0000001)
    found = compared(kept(tmp_path / "a", one, cache), kept(tmp_path / "b", other, cache))

    assert not found.agrees
    assert found.compared == ()
    assert found.notes == ("file/m of A is compared with file/n of B: either folder has one case",)
    assert [left.why for left in seeded(found.left_out)] == ["other inputs: the values of 'x' are not the same"]


def test_what_only_one_side_has_is_told(tmp_path, cache, compared):
    one, other = affine(tmp_path / "m.onnx"), affine(tmp_path / "n.onnx", shift=3.0)
    found = compared(kept(tmp_path / "a", [one, other], cache), kept(tmp_path / "b", one, cache))

    assert not found.agrees
    assert [one.case for one in seeded(found.compared)] == ["file/m"]
    assert [(left.case, left.why) for left in seeded(found.left_out)] == [("file/n", "only A has it")]


def test_folders_without_a_common_case(tmp_path, cache, compared):
    paths = [affine(tmp_path / f"{name}.onnx", shift=place) for place, name in enumerate("abcd")]

    with pytest.raises(UsageError, match=r"have nothing in common: file/a, .* is in A, file/c"):
        compared(kept(tmp_path / "1", paths[:2], cache), kept(tmp_path / "2", paths[2:], cache))


def test_a_case_that_burn_did_not_answer(tmp_path, cache, compared):
    path = affine(tmp_path / "m.onnx")
    failed = kept(tmp_path / "b", path, cache, Faults({("run", "m"): OracleError("panic")}))

    found = compared(kept(tmp_path / "a", path, cache), failed)

    assert not found.agrees
    assert seeded(found.left_out)[0].why.startswith("B has no answer: it ended at ")


@pytest.mark.parametrize("empty", ["first", "second"])
def test_a_folder_without_answers(tmp_path, cache, compared, empty):
    (tmp_path / "empty").mkdir()
    sides = [kept(tmp_path / "a", affine(tmp_path / "m.onnx"), cache), tmp_path / "empty"]

    with pytest.raises(UsageError, match="empty: holds no answers that were kept"):
        compared(*(sides if empty == "second" else sides[::-1]))


# ── a folder and a model ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("turned", [False, True])
def test_a_folder_and_its_model(tmp_path, cache, compared, turned):
    path = affine(tmp_path / "m.onnx")
    sides = [kept(tmp_path / "a", path, cache), path]

    found = compared(*(sides[::-1] if turned else sides))

    assert found.agrees
    assert seeded(found.compared)[0].case == "file/m"
    assert seeded(found.compared)[0].data_set == "seeded"
    assert ["answers of Burn" in side for side in found.sides] == [not turned, turned]


@pytest.mark.parametrize("turned", [False, True])
def test_a_folder_and_a_model_that_was_changed(tmp_path, cache, compared, turned):
    folder = kept(tmp_path / "a", affine(tmp_path / "m.onnx", shift=1.0), cache)
    sides = [folder, affine(tmp_path / "n.onnx", shift=4.0)]

    found = compared(*(sides[::-1] if turned else sides))

    assert not found.agrees
    assert seeded(found.compared)[0].metrics.max_abs == pytest.approx(3.0)


def test_of_several_cases_in_a_folder_those_of_the_model_count(tmp_path, cache, compared):
    paths = [affine(tmp_path / f"{name}.onnx", shift=place) for place, name in enumerate("ab")]
    folder = kept(tmp_path / "kept", paths, cache)

    found = compared(folder, paths[1])

    assert found.agrees
    assert [one.case for one in seeded(found.compared)] == ["file/b"]
    with pytest.raises(UsageError, match=r"holds answers of several cases .* and none of them is of .*c\.onnx"):
        compared(folder, affine(tmp_path / "c.onnx", shift=9.0))


def test_the_folder_is_left_as_it_was(tmp_path, cache, compared):
    path = affine(tmp_path / "m.onnx")
    folder = kept(tmp_path / "a", path, cache)
    before = [(one.path, one.path.stat().st_mtime_ns) for one in kept_in(folder)]

    compared(folder, path)

    assert [(one.path, one.path.stat().st_mtime_ns) for one in kept_in(folder)] == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "cache", "m.onnx"]


def test_the_judge_may_be_another(tmp_path, compared):
    one, other = affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx", scale=2.001)

    assert not compared(one, other).agrees
    assert compared(one, other, judge=JudgeMode.ONNX).agrees
