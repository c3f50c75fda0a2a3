"""Lists of models: every kind of line, and every mistake in one line that says where."""

import hashlib
from pathlib import Path

import pytest

from burn_verify.cases import manifest
from burn_verify.cases.load import prepare
from burn_verify.core.case import Download, ModelFile, Unavailable
from burn_verify.core.errors import LoadError, UsageError

HEX = "0" * 64


def written(folder: Path, *lines: str) -> Path:
    path = folder / "list.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_paths_folders_and_globs_are_relative_to_the_list(identity, cache, tmp_path, monkeypatch):
    for name in ("a.onnx", "b/c.onnx", "b/d.onnx", "e f.onnx"):
        identity(name)
    listed = written(tmp_path, "# models", "a.onnx", "", "b", "*f.onnx", "a.onnx")
    monkeypatch.chdir("/")
    found = manifest.read(listed, cache)

    assert [case.id for case in found] == ["file/a", "file/c", "file/d", "file/e f"]
    assert manifest.sizes(found).keys() == {case.id for case in found}


@pytest.mark.parametrize("place", [".", "a.onnx"])
def test_a_folder_or_a_model_is_a_list_as_well(identity, cache, tmp_path, place):
    identity("a.onnx")

    assert [case.id for case in manifest.read(tmp_path / place, cache)] == ["file/a"]


@pytest.mark.parametrize("form", ["a.onnx sha256:{}", "a.onnx   sha256={}", "{}  a.onnx", "{} *a.onnx"])
def test_a_hash_is_checked(identity, cache, tmp_path, form):
    path = identity("a.onnx")
    (right,) = manifest.read(written(tmp_path, form.format(hashlib.sha256(path.read_bytes()).hexdigest())), cache)
    (wrong,) = manifest.read(written(tmp_path, form.format(HEX)), cache)

    assert prepare(right, cache).model == path
    with pytest.raises(LoadError, match="sha256"):
        prepare(wrong, cache)


def test_a_url_is_fetched_once_and_named_by_its_file(identity, cache, tmp_path, hub):
    content = identity("a.onnx").read_bytes()
    hub.files = {"x/b.onnx?download=1": content}
    listed = written(tmp_path, f"{hub.url}x/b.onnx?download=1 sha256:{hashlib.sha256(content).hexdigest()}")
    (case,) = manifest.read(listed, cache)

    assert case.id == "file/b"
    assert isinstance(case.source, Download)
    (forbidden,) = manifest.read(listed, cache, offline=True)
    assert isinstance(forbidden.source, Unavailable)
    assert prepare(case, cache).model.name == "b.onnx"
    (kept,) = manifest.read(listed, cache, offline=True)
    prepare(kept, cache)
    assert hub.asked == ["x/b.onnx?download=1"]


def test_names_are_the_same_wherever_a_model_comes_from(identity, cache, tmp_path):
    identity("a/m.onnx")
    identity("b/m.onnx")
    found = manifest.read(written(tmp_path, "b", "a", f"https://host/c/m.onnx sha256:{HEX}"), cache)

    assert [case.id for case in found] == ["file/b/m", "file/a/m", "file/c/m"]
    assert [type(case.source) for case in found] == [ModelFile, ModelFile, Download]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("https://host/a.onnx", "list.txt:2: a URL needs its hash"),
        (f"ftp://host/a.onnx sha256:{HEX}", "list.txt:2: .* is not the http or https URL of a file"),
        (f"https://[host/a.onnx sha256:{HEX}", "list.txt:2: .* is not the http or https URL of a file"),
        (f"https://host:99999/a.onnx sha256:{HEX}", "list.txt:2: .* is not the http or https URL of a file"),
        (f"https://:80/a.onnx sha256:{HEX}", "list.txt:2: .* is not the http or https URL of a file"),
        (f"https://host/ sha256:{HEX}", "list.txt:2: .* is not the http or https URL of a file"),
        ("gone.onnx", "list.txt:2: .*gone.onnx: no such file"),
        ("no*.onnx", "list.txt:2: no file matches"),
        ("a.onnx sha256:12", "list.txt:2: sha256: is followed by 64 hexadecimal digits"),
        (f". sha256:{HEX}", "list.txt:2: one sha256 for 2 files"),
    ],
)
def test_a_mistake_names_its_line(identity, cache, tmp_path, line, message):
    identity("a.onnx")
    identity("b.onnx")
    with pytest.raises(UsageError, match=message):
        manifest.read(written(tmp_path, "a.onnx", line), cache)


@pytest.mark.parametrize(("content", "message"), [(b"", "names no model"), (b"\xff\xfe\x00", "it is no text")])
def test_a_list_of_nothing_is_a_mistake(cache, tmp_path, content, message):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        manifest.read(path, cache)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        manifest.read(tmp_path / "gone.txt", cache)
    with pytest.raises(UsageError, match="cannot be read: it is a URL"):
        manifest.read(Path("https://host/list.txt"), cache)
