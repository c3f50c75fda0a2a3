"""The meaning of options: every value that is not valid is refused early, under the name that the user typed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from burn_verify.core.errors import UsageError
from burn_verify.core.option_table import OPTIONS
from burn_verify.core.option_values import Sandbox
from burn_verify.core.options import Settings, from_folder, lines_of, options_given, settings_from
from burn_verify.core.result import JudgeMode

BY_FIELD = {option.field: option for option in OPTIONS}
FLAGS = {option.field: option.flag for option in OPTIONS}
# Text and what it means. Paths stand for themselves below a folder that is made for the test.
GOOD = {
    "models": [("mnist", ("mnist",)), (" a , b,,c ", ("a", "b", "c")), ("dir/*.onnx", ("dir/*.onnx",))],
    "inputs": [("x:ones", ("x:ones",)), ("x:ones\n y:int64[0,9)\n", ("x:ones", "y:int64[0,9)"))],
    "dims": [("n=1,3", ("n=1,3",)), ("n=1\nm=2*n", ("n=1", "m=2*n"))],
    "sample": [("photos/a.jpg", "photos/a.jpg"), (" x[3]", "x[3]")],
    "task": [("detection", "detection"), ("metrics:f", "metrics:f")],
    "max_drop": [("ap=0.01", ("ap=0.01",)), ("ap=0.01\nAR=1", ("ap=0.01", "AR=1"))],
    "draws": [("0", 0), ("6", 6)],
    "conformance": [("node", ("node",)), ("node, light", ("node", "light"))],
    "ops": [("all", ("all",)), ("Conv,Gemm", ("Conv", "Gemm"))],
    "several": [("0", 0), ("5000", 5000)],
    "several_seed": [("7", 7), ("0", 0)],
    "ops_profile": [("quick", "quick"), ("Nightly", "nightly"), ("full", "full")],
    "ops_examples": [("0", 0), ("200", 200)],
    "timeout": [("1", 1.0), ("0.25", 0.25), ("1e3", 1000.0)],
    "memory_limit": [("0", 0), ("512", 512)],
    "cache_size": [("0", 0), ("20G", 20 << 30), (" 500m", 500 << 20), ("1T", 1 << 40)],
    "judge": [("strict", JudgeMode.STRICT), ("ONNX", JudgeMode.ONNX)],
    "judge_timeout": [("0.5", 0.5), ("30", 30.0)],
    "locate": [("on", True), ("off", False)],
    "prepare": [("on", (False, True)), ("off", (False,))],
    "locate_seconds": [("0.5", 0.5), ("30", 30.0)],
    "burn_backend": [("wgpu", ("wgpu",)), ("Flex, wgpu,flex", ("flex", "wgpu"))],
    "burn_version": [("0.22.1", ("0.22.1",)), ("latest,0.23.0-pre.1", ("latest", "0.23.0-pre.1"))],
    "simplify": [("on", (True,)), ("off", (False,)), ("True,NO", (True, False)), ("0,1,0", (False, True))],
    "partition": [("yes", (True,)), ("false", (False,))],
    "load": [("file", ("file",)), ("Bytes, embedded,bytes", ("bytes", "embedded"))],
    "weights": [("full,half", ("full", "half")), ("HALF", ("half",))],
    "record_type": [("mpk,mpk.gz,bin", ("mpk", "mpk.gz", "bin")), ("JSON", ("json",))],
    "via": [
        ("process", ("process",)),
        ("wasm-node,wasm", ("wasm-node", "wasm")),
        ("HTTP, process", ("http-json", "http-binary", "process")),
    ],
    "offline": [("on", True), ("off", False)],
    "shard": [("1/1", (1, 1)), ("3/4", (3, 4))],
    "only_changed": [("on", True), ("off", False)],
    "sandbox": [("auto", Sandbox.AUTO), (" ON", Sandbox.ON), ("off", Sandbox.OFF)],
    "latency": [("on", True), ("off", False)],
    "threads": [("1", 1), ("16", 16)],
    "compile_budget": [("0.5", 0.5), ("60", 60.0)],
}
BAD = {
    "models": [",", " , ", " "],
    "inputs": ["x", "x:twos", "x=missing.npy", "x:ones\nx:zeros"],
    "dims": ["n", "n=-1", "n=m\nm=n"],
    "data": ["missing.npz"],
    "sample": [" "],
    "evaluate": ["missing"],
    "task": ["drawing", ":f"],
    "max_drop": ["ap", "ap=-1", "ap=1,ap=2"],
    "draws": ["-1", "many", "1.5"],
    "conformance": [","],
    "ops": [","],
    "several": ["-1", "many"],
    "several_seed": ["x"],
    "ops_profile": ["slow"],
    "ops_examples": ["-1", "many", "1.5"],
    "zoo_mirror": ["missing", "file.toml", "file.toml/below", "~nobody-has-this-name/zoo"],
    "cache_dir": ["~nobody-has-this-name/cache"],
    "record": ["~nobody-has-this-name/record.jsonl"],
    "keep_outputs": ["file.toml", "~nobody-has-this-name/kept"],
    "timeout": ["0", "-1", "soon", "nan", "inf", "-inf", "1s"],
    "judge": ["harsh", "onnx,strict"],
    "judge_timeout": ["0", "-1", "soon"],
    "locate": ["perhaps"],
    "prepare": ["perhaps"],
    "locate_seconds": ["0", "soon"],
    "memory_limit": ["-1", "1.5", "1e3", "16G", "²", "none"],
    "cache_size": ["-1", "20", "1.5G", "G", "all", "²G", "20GB", "9999999G"],
    "burn_backend": ["metal", "flex;wgpu", ","],
    "burn_version": ["0.22", "newest", "v0.22.1", ","],
    "burn_path": ["missing", "file.toml", "missing@main", ".@", ","],
    "burn_onnx_path": ["missing", "~nobody-has-this-name/burn-onnx"],
    "burn_hooks": ["missing", "file.toml", ".@", ","],
    "manifest_path": ["missing/Cargo.toml", ".", "~nobody-has-this-name/Cargo.toml"],
    "simplify": ["maybe", "2", "onn", "on;off", ","],
    "partition": ["maybe"],
    "load": ["static", ",", "file;bytes"],
    "weights": ["quarter", ","],
    "record_type": ["npz", ",", "mpk;bin"],
    "via": ["grpc", ",", "http;process"],
    "offline": ["maybe"],
    "expectations": ["missing.toml", ".", "~nobody-has-this-name/x.toml"],
    "shard": ["0/4", "5/4", "1", "1/", "/4", "a/b", "-1/4", "1/4/4"],
    "shard_costs": ["missing.jsonl", "."],
    "only_changed": ["maybe"],
    "sandbox": ["maybe", "on,off"],
    "latency": ["maybe"],
    "threads": ["0", "-1", "1.5", "all", "1025"],
    "compile_budget": ["0", "-1", "soon"],
}
PATHS = {
    "zoo_mirror": ".",
    "cache_dir": "new",
    "record": "record.jsonl",
    "keep_outputs": "new",
    "manifest_path": "file.toml",
    "expectations": "file.toml",
    "evaluate": ".",
    "shard_costs": "file.toml",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for option in OPTIONS:
        if option.env:
            monkeypatch.delenv(option.env, raising=False)
    (tmp_path / "file.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def cases_of(table):
    return [
        pytest.param(field, *entry, id=f"{field}-{entry[0]}") for field, entries in table.items() for entry in entries
    ]


def bad_cases():
    return cases_of({field: [(text,) for text in texts] for field, texts in BAD.items()})


def test_every_option_is_tried_here():
    assert set(GOOD) | set(PATHS) | {"burn_path", "burn_onnx_path", "burn_hooks", "data"} == set(BAD) == set(BY_FIELD)


def test_nothing_said_means_the_defaults():
    assert settings_from({}) == Settings() == settings_from(dict.fromkeys(BY_FIELD, ""), dict.fromkeys(BY_FIELD))


@pytest.mark.parametrize(("field", "text", "value"), cases_of(GOOD))
def test_what_is_typed_is_understood(field, text, value):
    assert settings_from({field: text}) == dataclasses.replace(Settings(), **{field: value})


@pytest.mark.parametrize(("field", "text"), PATHS.items())
def test_paths_become_absolute(field, text, tmp_path):
    assert getattr(settings_from({field: text}), field) == tmp_path / text


@pytest.mark.parametrize("field", ["zoo_mirror", "cache_dir"])
def test_paths_begin_at_home(field, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert getattr(settings_from({field: "~"}), field) == tmp_path


@pytest.mark.parametrize("field", ["burn_path", "burn_onnx_path", "burn_hooks"])
def test_checkouts_become_absolute_and_keep_their_revision(field, tmp_path):
    (tmp_path / "a@b").mkdir()
    found = getattr(settings_from({field: "release, .@v1.2 ,a@b,a@b@main,."}), field)
    assert found == (None, f"{tmp_path}@v1.2", f"{tmp_path}/a@b", f"{tmp_path}/a@b@main", f"{tmp_path}")


def test_checkouts_of_an_ini_file_are_seen_from_its_folder(tmp_path):
    assert from_folder("burn_path", "release,burn@main", tmp_path) == f"release,{tmp_path}/burn@main"
    assert from_folder("burn_hooks", "release,hooks", tmp_path) == f"release,{tmp_path}/hooks"
    assert from_folder("burn_onnx_path", "", tmp_path) == ""


def test_data_of_an_ini_file_are_seen_from_its_folder(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(1))
    (tmp_path / "photos").mkdir()
    assert from_folder("data", "photos\n/elsewhere", tmp_path) == f"{tmp_path}/photos\n/elsewhere"
    assert from_folder("inputs", "x=x.npy\nmask:ones", tmp_path) == f"x={tmp_path}/x.npy\nmask:ones"
    assert settings_from({}, {"data": str(tmp_path / "photos")}).data == (tmp_path / "photos",)


def test_each_of_several_values_can_be_typed_again():
    settings = settings_from({"inputs": lines_of(["x:ones", "y:zeros"]), "dims": lines_of(["n=1,3"])})
    assert options_given(settings) == [("--burn-input", "x:ones"), ("--burn-input", "y:zeros"), ("--burn-dim", "n=1,3")]


def test_what_is_said_can_be_typed_again():
    typed = {"burn_path": "release,.@main", "simplify": "off,on", "burn_backend": "wgpu"}
    settings = settings_from(typed)
    flags = {flag: text for flag, text in options_given(settings)}
    assert settings_from({field: flags[FLAGS[field]] for field in typed}) == settings


@pytest.mark.parametrize(("field", "text"), bad_cases())
def test_a_bad_value_is_named_by_its_flag(field, text):
    with pytest.raises(UsageError) as caught:
        settings_from({field: text})
    assert str(caught.value).startswith(f"{BY_FIELD[field].said}: ")
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("field", "text"), bad_cases())
def test_a_bad_ini_value_is_named_by_its_ini_name(field, text):
    with pytest.raises(UsageError) as caught:
        settings_from({}, {field: text})
    assert str(caught.value).startswith(f"{BY_FIELD[field].ini} (ini): ")


@pytest.mark.parametrize("field", ["zoo_mirror", "cache_dir"])
def test_a_bad_variable_is_named(field, monkeypatch):
    monkeypatch.setenv(BY_FIELD[field].env, BAD[field][-1])
    with pytest.raises(UsageError) as caught:
        settings_from({}, {field: "."})
    assert str(caught.value).startswith(f"{BY_FIELD[field].env}: ")


@pytest.mark.parametrize("field", [field for field in GOOD if field != "models"])
def test_typed_beats_ini(field):
    (typed, meant), (ini, other) = GOOD[field][:2]
    assert meant != other
    assert getattr(settings_from({field: typed}, {field: ini}), field) == meant
    assert getattr(settings_from({field: ""}, {field: ini}), field) == other


@pytest.mark.parametrize("field", ["zoo_mirror", "cache_dir"])
def test_typed_beats_the_variable_beats_ini(field, monkeypatch, tmp_path):
    for name in ("typed", "env", "ini"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(BY_FIELD[field].env, "env")
    assert getattr(settings_from({field: "typed"}, {field: "ini"}), field) == tmp_path / "typed"
    assert getattr(settings_from({field: None}, {field: "ini"}), field) == tmp_path / "env"
    monkeypatch.setenv(BY_FIELD[field].env, "")
    assert getattr(settings_from({}, {field: "ini"}), field) == tmp_path / "ini"


def test_a_value_that_is_not_used_is_not_judged():
    assert settings_from({"timeout": "5"}, {"timeout": "never"}).timeout == 5.0


def test_a_settings_object_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().cache_dir = Path()


def test_a_crate_of_the_user_decides_the_backends_unless_they_are_named(tmp_path):
    (tmp_path / "Cargo.toml").write_text("")

    assert settings_from({"manifest_path": "."}).manifest_path == tmp_path / "Cargo.toml"
    assert settings_from({"manifest_path": "."}).burn_backend == ()
    assert settings_from({"manifest_path": ".", "burn_backend": "flex"}).burn_backend == ("flex",)
    assert settings_from({"manifest_path": "."}, {"burn_backend": "wgpu"}).burn_backend == ("wgpu",)


def test_a_crate_of_the_user_and_a_version_are_one_too_many(tmp_path):
    (tmp_path / "Cargo.toml").write_text("")

    with pytest.raises(UsageError, match="both say which Burn"):
        settings_from({"manifest_path": ".", "burn_version": "0.21.0"})


def test_a_crate_of_an_ini_file_is_seen_from_its_folder(tmp_path):
    assert from_folder("manifest_path", "app/Cargo.toml", tmp_path) == f"{tmp_path}/app/Cargo.toml"
