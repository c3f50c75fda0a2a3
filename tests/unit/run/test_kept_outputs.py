"""Answers that a user keeps: what is in a file, where it lies, and what is read again."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from safetensors import safe_open
from safetensors.numpy import save_file

from burn_verify.core.errors import RunError, UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.run.kept_outputs import BURN, FORMAT, INPUTS, REFERENCE, kept_in, make, place_of
from burn_verify.run.session import Session
from fakes import Faults, seams
from handmade import model, value

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def run(folder, cache, faults=Faults(), **options):  # noqa: B008
    """Verify a model and keep its answers; return what is kept."""
    settings = Settings(models=(str(ADD),), cache_dir=cache.root, keep_outputs=folder, **options)
    session = Session.open(settings, seams=seams(faults))
    try:
        session.prepare(session.selected.trials)
        for trial in session.selected.trials:
            session.verify(trial)
    finally:
        session.close()
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_says_what_is_in_it(tmp_path, cache):
    folder = tmp_path / "made" / "here"

    assert "file/add/seeded.safetensors" in run(folder, cache)
    with safe_open(folder / "file/add/seeded.safetensors", "numpy") as file:
        notes, names = file.metadata(), set(file.keys())
    kept = seeded(folder)
    (name,) = json.loads(notes["outputs"])
    assert names == {*(f"inputs/{one}" for one in json.loads(notes["inputs"])), f"burn/{name}", f"reference/{name}"}
    assert {key: notes[key] for key in ("format", "case", "data_set", "model", "backend", "reference", "outcome")} == {
        "format": FORMAT,
        "case": "file/add",
        "data_set": "seeded",
        "model": "add.onnx",
        "backend": "flex",
        "reference": "fake 1",
        "outcome": "passed",
    }
    assert len(notes["model_sha256"]) == 64
    assert {notes[key] for key in ("burn", "burn_onnx", "burn_verify")}
    assert (kept.case, kept.data_set) == ("file/add", "seeded")
    assert kept.arrays(BURN)[name].tolist() == kept.arrays(REFERENCE)[name].tolist()


def test_burn_s_answer_is_kept_as_it_came(tmp_path, cache):
    run(tmp_path / "kept", cache, Faults({("run", "add"): lambda outputs: [output + 1 for output in outputs]}))

    kept = seeded(tmp_path / "kept")
    (mine,), (wanted,) = kept.arrays(BURN).values(), kept.arrays(REFERENCE).values()
    assert np.allclose(mine, wanted + 1)
    assert kept.notes["outcome"] == "failed"


def test_without_an_answer_of_burn_the_rest_is_kept(tmp_path, cache):
    run(tmp_path / "kept", cache, Faults({("run", "add"): RunError("it panicked")}))

    kept = seeded(tmp_path / "kept")
    assert kept.arrays(BURN) == {}
    assert len(kept.arrays(REFERENCE)) == 1
    assert kept.arrays(INPUTS)
    assert kept.notes["stage"] == "run"


def test_several_targets_are_told_apart(tmp_path, cache):
    found = run(tmp_path / "kept", cache, simplify=(True, False))

    assert [name for name in found if "seeded" in name] == [
        "file/add@simplify=off/seeded.safetensors",
        "file/add@simplify=on/seeded.safetensors",
    ]


def test_every_sample_of_one_s_own_data_is_kept(tmp_path, cache):
    shape = ["n", 2]
    made = model([helper.make_node("Add", ["x", "x"], ["y"])], [value("x", shape=shape)], [value("y", shape=shape)])
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    np.savez(tmp_path / "own.npz", x=np.arange(8, dtype=np.float32).reshape(4, 2))
    typed = {"models": str(tmp_path / "net.onnx"), "data": str(tmp_path / "own.npz"), "cache_dir": str(cache.root)}
    settings = settings_from({**typed, "keep_outputs": str(tmp_path / "kept")})
    session = Session.open(settings, seams=seams())
    session.prepare(session.selected.trials)
    session.verify(session.selected.trials[0])
    session.close()

    found = kept_in(tmp_path / "kept")
    assert [kept.data_set for kept in found] == [f"own.npz[{place}]" for place in range(4)]
    assert [kept.arrays(INPUTS)["x"].ravel().tolist() for kept in found] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert all(kept.arrays(BURN) and kept.arrays(INPUTS) and kept.arrays(REFERENCE) for kept in found)


def test_nothing_is_kept_unless_asked(tmp_path, cache):
    settings = Settings(models=(str(ADD),), cache_dir=cache.root)
    session = Session.open(settings, seams=seams())
    session.prepare(session.selected.trials)
    session.verify(session.selected.trials[0])
    session.close()

    assert not list(tmp_path.rglob("seeded.safetensors"))


def seeded(folder):
    """Return what is kept of the data set that every case has."""
    (found,) = (kept for kept in kept_in(folder) if kept.data_set == "seeded")
    return found


@pytest.mark.parametrize(
    "names", [("a/b", "x"), ("..", ".."), ("a/../../b", "seeded"), ("é", "/etc/passwd"), ("a" * 400, "b\0c"), ("", ".")]
)
def test_a_file_stays_in_its_folder(names):
    place = place_of(*names)

    assert not place.is_absolute()
    assert ".." not in place.parts
    assert all(len(part.encode()) < 250 and part.isprintable() for part in place.parts)
    assert place.suffix == ".safetensors"


def test_names_that_differ_keep_files_apart():
    names = ["a b", "a_b", "a:b", "a" * 300, "a" * 301, "A b"]

    assert len({place_of("case", name) for name in names}) == len(names)


def test_a_folder_without_answers(tmp_path):
    save_file({"w": np.zeros(2)}, tmp_path / "weights.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 64)
    (tmp_path / "empty.safetensors").touch()

    with pytest.raises(UsageError, match="holds no answers that were kept: burn-verify verify MODEL --keep-outputs"):
        kept_in(tmp_path)


@pytest.mark.parametrize("notes", [{}, {"inputs": "[", "outputs": "[]"}, {"inputs": "1", "outputs": "[]"}])
def test_answers_that_are_damaged(tmp_path, notes):
    about = {"format": FORMAT, "case": "a", "data_set": "b", **notes}
    save_file({"burn/y": np.zeros(2)}, tmp_path / "a.safetensors", about)

    with pytest.raises(UsageError, match=r"a\.safetensors: kept answers that cannot be read"):
        kept_in(tmp_path)


def test_a_file_that_was_cut_short(tmp_path, cache):
    run(tmp_path / "kept", cache)
    kept = seeded(tmp_path / "kept")
    kept.path.write_bytes(kept.path.read_bytes()[:-4])

    with pytest.raises(UsageError, match="cannot be read"):
        kept.arrays(BURN)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"--keep-outputs .*: the folder cannot be made"):
        make(tmp_path / "file" / "below")
