"""Files that are no models, models that reach out of their folder, names that would like to be code: all end cleanly.

Each list goes through one pipeline at once, next to a model that is in order and has to pass.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from burn_verify.core.options import Settings
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.run.pipeline import Pipeline
from toolchain.helpers import FIXTURES, OwnCache, Tiny, case

CANARY = "canary"
TOUCH = f'std::fs::write("{CANARY}", b"sings").unwrap();'


def run(cache: OwnCache, models: Mapping[str, Path]) -> dict[str, CaseResult]:
    """Take models through the pipeline; return the results by name."""
    pipeline = Pipeline(Settings(timeout=30.0), cache)
    try:
        plan = pipeline.prepare([case(name, path) for name, path in models.items()])
        return {name: pipeline.verify(plan.cases[f"file/{name}"]).result for name in models}
    finally:
        pipeline.close()


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ── files that are no models ─────────────────────────────────────────────────────────────────────────────────────────


def with_external(path: Path, location: str) -> Path:
    """Write the sum with its constant kept elsewhere."""
    model = onnx.load(FIXTURES / "add.onnx")
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def unloadable(tiny: Tiny, cache: OwnCache, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CaseResult]:
    top = tmp_path_factory.mktemp("unloadable")
    folder = top / "models"
    folder.mkdir()
    (top / "secret.bin").write_bytes(bytes(24))
    (folder / "link.bin").symlink_to(top / "secret.bin")
    whole = (FIXTURES / "add.onnx").read_bytes()
    for name, data in {
        "text": b"This is no model.\n",
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "last-byte": whole[:-1],
        "noise": bytes(range(256)),
    }.items():
        (folder / f"{name}.onnx").write_bytes(data)
    (folder / "folder.onnx").mkdir()
    for name, location in {
        "outside": "../secret.bin",
        "outside-deep": "a/../../secret.bin",
        "absolute": str(top / "secret.bin"),
        "link": "link.bin",
        "absent": "absent.bin",
        "itself": ".",
    }.items():
        with_external(folder / f"{name}.onnx", location)
    models = {path.stem: path for path in sorted(folder.glob("*.onnx"))} | {"gone": folder / "gone.onnx"}
    before = snapshot(top)
    results = run(cache, models | {"add": FIXTURES / "add.onnx"})
    assert snapshot(top) == before
    return results


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("text", "not an ONNX file", "not an ONNX file, or a damaged one"),
        ("empty", "not an ONNX file", "not a complete ONNX model"),
        ("half", "not an ONNX file", "ONNX"),
        ("last-byte", "not an ONNX file", "ONNX"),
        ("noise", "not an ONNX file", "not an ONNX file, or a damaged one"),
        ("folder", "no such file", "no such file"),
        ("gone", "no such file", "no such file"),
        ("outside", "external data outside the model's folder", "'../secret.bin'"),
        ("outside-deep", "external data outside the model's folder", "'a/../../secret.bin'"),
        ("absolute", "external data outside the model's folder", "secret.bin'"),
        ("link", "external data outside the model's folder", "'link.bin'"),
        ("absent", "external data missing", "'absent.bin', which is not there"),
        ("itself", "external data missing", "'.', which is not there"),
    ],
)
def test_what_cannot_be_loaded_is_told(unloadable: dict[str, CaseResult], name: str, reason: str, said: str) -> None:
    result = unloadable[name]
    assert (result.outcome, result.stage, result.reason) == (Outcome.FAILED, Stage.LOAD, reason), result
    assert f"{name}.onnx" in result.message
    assert said in result.message
    assert "\n" not in result.message


def test_what_can_be_loaded_is_not_harmed(unloadable: dict[str, CaseResult]) -> None:
    assert unloadable["add"].outcome is Outcome.PASSED


# ── names that would like to be code ─────────────────────────────────────────────────────────────────────────────────

NAMES: Mapping[str, str] = {
    "attribute": '"]; fn main(){}',
    "statement": f'"); {TOUCH} ("',
    "block": f"}} }} const _: () = {{ {TOUCH} }}; mod x {{ fn y() {{",
    "comment": f"*/ {TOUCH} /*",
    "line": f"line\n{TOUCH}\n//",
    "return": f"line\r\n{TOUCH}",
    "quote": 'a"b',
    "apostrophe": "a'b",
    "backslash": "a\\",
    "parent": "../../escape",
    "absolute": "/escape",
    "keyword": "fn",
    "self": "self",
    "upper-self": "Self",
    "raw": "r#type",
    "digit": "1st",
    "blank": " ",
    "braces": "{0}{x}{{",
    "unicode": "größe→💥",
    "right-to-left": "\u202eabc",
    "long": "x" * 5000,
    "macro": 'include!("/dev/zero")',
    "env": "$(touch canary)`touch canary`;touch canary",
}


def named(name: str) -> onnx.ModelProto:
    """Return the sum with a name for everything that has one."""
    model = onnx.load(FIXTURES / "add.onnx")
    graph = model.graph
    graph.name = model.producer_name = model.doc_string = graph.node[0].name = graph.node[0].doc_string = name
    graph.input[0].name, graph.output[0].name, graph.initializer[0].name = name, f"{name}Y", f"{name}C"
    graph.node[0].input[:] = [name, f"{name}C"]
    graph.node[0].output[:] = [f"{name}Y"]
    return model


def assert_clean_end(result: CaseResult) -> None:
    """Check that a model agrees, or was refused by burn-onnx or ONNX Runtime in words and not by dying."""
    if result.outcome is Outcome.PASSED:
        return
    assert result.stage in (Stage.CONVERT, Stage.REFERENCE), result
    assert result.details.get("how", "panic") == "panic", result
    assert result.message


def test_names_in_a_graph_stay_names(
    tiny: Tiny, cache: OwnCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {word: tmp_path / f"{word}.onnx" for word in NAMES}
    for word, path in models.items():
        path.write_bytes(named(NAMES[word]).SerializeToString())
    before = snapshot(tmp_path)
    results = run(cache, models | {"add": FIXTURES / "add.onnx"})
    for result in results.values():
        assert_clean_end(result)
    assert results["add"].outcome is Outcome.PASSED
    assert snapshot(tmp_path) == before
    assert not list(cache.own.root.rglob(f"*{CANARY}*"))
    assert not list(cache.own.root.rglob("*escape*"))


FILE_NAMES = {
    **{word: name.replace("/", "_")[:200] for word, name in NAMES.items()},
    "dash": "-rf",
    "dots": "..",
    "dotted": "a.b",
    "hidden": "",
    "rs": "model.rs",
    "bpk": "model.bpk",
    "wild": "*?[a]",
    "comma": "a,b",
}


def test_names_of_files_stay_names(
    tiny: Tiny, cache: OwnCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {}
    for word, name in FILE_NAMES.items():
        # A folder of that name, too, where there can be one.
        folder = tmp_path / word if name in ("", "..") else tmp_path / word / name
        folder.mkdir(parents=True)
        models[f"{word} {name}"] = folder / f"{name}.onnx"
        model = onnx.load(FIXTURES / "add.onnx")
        # Of its own, so that it is converted under this name and not found under another.
        model.doc_string = word
        models[f"{word} {name}"].write_bytes(model.SerializeToString())
    before = snapshot(tmp_path)
    results = run(cache, models)
    for result in results.values():
        assert_clean_end(result)
    assert snapshot(tmp_path) == before
    assert not list(cache.own.root.rglob(f"*{CANARY}*"))
    assert [word for word, result in results.items() if result.outcome is not Outcome.PASSED] == []


def test_a_file_name_that_is_no_text_is_refused(tiny: Tiny, cache: OwnCache, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe.onnx")
    try:
        path.touch()
    except OSError:
        pytest.skip("this file system takes only text for names")
    model = onnx.load(FIXTURES / "add.onnx")
    model.doc_string = str(tmp_path)
    path.write_bytes(model.SerializeToString())
    results = run(cache, {"no-text": path, "add": FIXTURES / "add.onnx"})
    assert (results["no-text"].outcome, results["no-text"].stage) == (Outcome.FAILED, Stage.CONVERT)
    assert results["no-text"].reason == "file name is no UTF-8"
    results["no-text"].message.encode()
    assert results["add"].outcome is Outcome.PASSED
