"""A user's own models: which files a word means, and ids that pytest and the tables can bear."""

import shlex
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burn_verify.cases import files
from burn_verify.core.case import ModelFile
from burn_verify.core.errors import UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in ("a.onnx", "b.onnx", "notes.txt", "model", "deep/a.onnx", "deep/er/c.onnx", "none/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "folder.onnx").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(*paths):
    return [case.id for case in files.cases(Path(path) for path in paths)]


@pytest.mark.parametrize(
    ("name", "is_path"),
    [
        ("a.onnx", True),
        ("missing.onnx", True),
        ("deep", True),
        ("deep/", True),
        ("./model", True),
        ("*", True),
        ("a?", True),
        ("[ab]", True),
        ("..\\a", True),
        ("~/models", True),
        ("model", False),  # a file, but not by its name
        ("mnist", False),
        ("mnist-12", False),
        ("all", False),
        ("squeezenet1.0-12", False),
        ("x" * 5000, False),
        ("missing.onnx.gz", True),
        ("missing.onnx.zst", True),
        ("model.pt", True),
        ("model.safetensors", True),
    ],
)
def test_a_name_is_a_path_or_of_the_zoo(name, is_path):
    assert files.is_path(name) is is_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.onnx", ["a.onnx"]),
        ("./model", ["model"]),
        ("deep", ["deep/a.onnx", "deep/er/c.onnx"]),
        (".", ["a.onnx", "b.onnx", "deep/a.onnx", "deep/er/c.onnx"]),
        ("*.onnx", ["a.onnx", "b.onnx"]),
        ("**/a.onnx", ["a.onnx", "deep/a.onnx"]),
        ("deep/*/*.onnx", ["deep/er/c.onnx"]),
        ("deep/../[b-z].onnx", ["deep/../b.onnx"]),
    ],
)
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_files_globs_and_folders(name, found, absolute, folder):
    word = f"{folder}/{name}" if absolute else name
    assert files.paths(word) == [folder / path for path in found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("packed", ["packed/a.onnx.gz", "packed/b.onnx", "packed/deep/c.onnx.zst"]),
        ("packed/*.onnx.*", ["packed/a.onnx.gz"]),
        ("packed/a.onnx.gz", ["packed/a.onnx.gz"]),
        ("packed/w.safetensors", ["packed/w.safetensors"]),
        ("saved", ["saved"]),
        ("m.mlpackage", ["m.mlpackage"]),
    ],
)
def test_compressed_models_and_models_of_other_kinds(name, found, folder):
    for path in ("packed/a.onnx.gz", "packed/b.onnx", "packed/deep/c.onnx.zst", "packed/w.safetensors", "packed/x.gz"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    for path in ("saved/saved_model.pb", "m.mlpackage/Manifest.json"):
        (folder / path).parent.mkdir()
        (folder / path).touch()

    assert files.paths(name) == [folder / path for path in found]


def test_a_folder_of_other_models_says_how_to_export_them(folder):
    (folder / "none" / "model.safetensors").touch()

    with pytest.raises(UsageError) as caught:
        files.paths("none")
    assert str(caught.value).startswith(
        "the folder none holds no .onnx file; model.safetensors: a safetensors file, which holds weights and no graph"
    )


def test_paths_begin_at_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert files.paths("~/deep/*.onnx") == [folder / "deep/a.onnx"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.onnx", "missing.onnx: no such file"),
        ("*.nothing", "no file matches *.nothing"),
        ("none", "the folder none holds no .onnx file"),
        ("folder.onnx", "the folder folder.onnx holds no .onnx file"),
        ("~nobody-has-this-name/a.onnx", "~nobody-has-this-name/a.onnx: "),
        ("x" * 300 + "/a.onnx", "x" * 300 + "/a.onnx: "),
        ("a\0.onnx", "a\0.onnx: "),
    ],
)
def test_none_found_is_said(name, message):
    with pytest.raises(UsageError) as caught:
        files.paths(name)
    assert str(caught.value).startswith(message)


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(folder):
    (folder / "[ab].onnx").touch()
    assert files.paths("[ab].onnx") == [folder / "[ab].onnx"]


def test_a_case(folder):
    (case,) = files.cases([folder / "a.onnx"])
    assert (case.id, case.corpus, case.source) == ("file/a", "file", ModelFile(path=folder / "a.onnx"))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([], []),
        (["/m/a.onnx", "/m/b.onnx"], ["file/a", "file/b"]),
        (["/m/a.onnx", "/m/a.onnx"], ["file/a"]),
        (["/m/x/a.onnx", "/m/y/a.onnx", "/m/x/b.onnx"], ["file/x/a", "file/y/a", "file/b"]),
        (["/m/1/x/a.onnx", "/m/2/x/a.onnx"], ["file/1/x/a", "file/2/x/a"]),
        (["/m/v1.0.onnx", "/m/v1.1.onnx"], ["file/v1.0", "file/v1.1"]),
        (["/m/model"], ["file/model"]),
        (["/m/a[1].onnx"], ["file/a_1_"]),
        (["/m/a::b.onnx"], ["file/a_b"]),
        (["/m/two\nlines.onnx"], ["file/two_lines"]),
        (["/m/modèle.onnx"], ["file/modèle"]),
        (["/m/not\udce9utf\u20288.onnx"], ["file/not_utf_8"]),
        (["a:b.onnx", "a[b.onnx"], ["file/a_b#1", "file/a_b#2"]),
        (["/m/v1.onnx.gz", "/m/v1.5.onnx.zst"], ["file/v1", "file/v1.5"]),
        (["/m/x/a.onnx.gz", "/m/y/a.onnx"], ["file/x/a", "file/y/a"]),
        (["/m/a.onnx.gz", "/m/a.onnx", "/m/a.onnx.zst"], ["file/a.onnx.gz", "file/a", "file/a.onnx.zst"]),
        (["a.onnx", "a.pb", "a#1.onnx"], ["file/a#2", "file/a#3", "file/a#1"]),
    ],
)
def test_names(paths, names):
    assert ids(*paths) == names


HOSTILE = st.text(st.sampled_from("ab[]:\n\r\t\x00\x7f#1 ."), min_size=1, max_size=5).filter(
    lambda name: name not in {".", ".."}
)
PATHS = st.lists(HOSTILE, min_size=1, max_size=3).map(lambda parts: Path("/", *parts[:-1], f"{parts[-1]}.onnx"))


@given(st.lists(PATHS | PATHS.map(lambda path: path.with_name(path.name.removesuffix(".onnx"))), max_size=6))
@example([Path("/..onnx"), Path("/..1"), Path("/b/..onnx")])
@example([Path("/a.onnx"), Path("/a.pb"), Path("/a#1.onnx"), Path("/a#2.onnx")])
@settings(deadline=None, derandomize=True)
def test_ids_are_unique_and_fit_for_pytest(paths):
    cases = files.cases(paths)
    names = [case.id for case in cases]

    assert [case.source.path for case in cases] == list(dict.fromkeys(paths))
    assert len(set(names)) == len(names)
    for name in names:
        assert name.startswith("file/")
        assert not set(name) & set("[]\n\r\t\x00\x7f")
        assert "::" not in name
        assert name.isprintable()
        assert shlex.split(shlex.quote(name)) == [name]


@given(st.lists(PATHS, max_size=6, unique=True), st.randoms(use_true_random=False))
@settings(deadline=None, derandomize=True)
def test_names_that_differ_by_folder_do_not_depend_on_the_order(paths, rng):
    before = {case.source.path: case.id for case in files.cases(paths)}
    if any("#" in name for name in before.values()):
        return
    rng.shuffle(paths)
    assert {case.source.path: case.id for case in files.cases(paths)} == before


def test_a_link_to_nothing_is_a_case(folder):
    (folder / "deep" / "gone.onnx").symlink_to("nowhere")
    (folder / "deep" / "round.onnx").symlink_to("round.onnx")
    for name in ("deep", "deep/*.onnx"):
        assert {"gone.onnx", "round.onnx"} <= {path.name for path in files.paths(name)}
    assert [path.name for path in files.paths("deep/gone.onnx")] == ["gone.onnx"]
