"""The command ``burn-verify quantize``, with the real quantiser and fakes for ONNX Runtime and Burn elsewhere."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from fakes import seams
from quantisable import network, samples

SRC = Path(__file__).parents[3] / "src"


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(SRC), prepend=":")
    onnx.save(network(), tmp_path / "net.onnx")
    np.savez(tmp_path / "data.npz", x=samples())
    return tmp_path / "net.onnx"


def notes(path):
    props = onnx.load(path).metadata_props
    return {entry.key: json.loads(entry.value) for entry in props if entry.key.startswith("burn_verify.")}


def test_a_model_is_quantised_made_ready_and_says_so(command, net, tmp_path):
    before, made, report = net.read_bytes(), tmp_path / "int8.onnx", tmp_path / "int8.md"
    data = tmp_path / "data.npz"
    words = ("quantize", net, "--data", data, "-o", made, "--report", report, "--per-channel", "--samples", "4")
    code, out, err = command(*words, seams=seams(refuses=["Gemm"]))
    assert (code, net.read_bytes()) == (0, before), err
    assert "static QDQ, per channel, weights int8, activations int8 by minmax, calibrated by 4 samples" in out
    assert "Conv 1 of 1" in out
    assert "Gemm put differently" in out
    assert "computes in float32" in out
    assert f"now {made.stat().st_size:,}" in out
    about = notes(made)
    assert (about["burn_verify.quantize"]["per_channel"], about["burn_verify.quantize"]["samples"]) == (True, 4)
    assert about["burn_verify.prepare"]["steps"][0]["name"] == "Gemm put differently"
    text = report.read_text()
    assert text.startswith("# Quantised\n")
    assert "## Loss by tensor" in text
    assert "| y " in text


def test_json_is_all_that_is_printed(command, net, tmp_path):
    words = ("quantize", net, "--dynamic", "--op", "Gemm", "-o", tmp_path / "int8.onnx", "--json", "--loss", "0")
    code, out, _ = command(*words, seams=seams())
    found = json.loads(out)
    assert code == 0
    assert found["how"]["dynamic"]
    assert found["losses"] == []
    assert found["prepare"]["status"] == "agrees as it is"
    assert found["burn_computes_in"] == ["float32", "int32"]
    assert found["bytes"]["written"] == (tmp_path / "int8.onnx").stat().st_size


def test_what_does_not_agree_writes_nothing_and_says_what_is_in_the_way(command, net, tmp_path):
    made = tmp_path / "int8.onnx"
    words = ("quantize", net, "--data", tmp_path / "data.npz", "-o", made, "--loss", "0")
    code, out, _ = command(*words, seams=seams(refuses=["Conv"]))
    assert (code, made.exists()) == (1, False)
    assert "in the way" in out
    assert "computes in float32" not in out


def test_without_prepare_burn_is_not_asked(command, net, tmp_path):
    made = tmp_path / "int8.onnx"
    words = ("quantize", net, "--data", tmp_path / "data.npz", "-o", made, "--no-prepare", "--json")
    code, out, _ = command(*words, seams=seams(refuses=["Conv"]))
    found = json.loads(out)
    assert (code, found["prepare"], found["burn_computes_in"]) == (0, None, None)
    assert "burn_verify.prepare" not in notes(made)


def test_what_cannot_be_quantised_is_one_line(command, tmp_path):
    add = Path(__file__).parents[3] / "fixtures" / "add.onnx"
    code, out, err = command("quantize", add, "--dynamic", "-o", tmp_path / "int8.onnx", seams=seams())
    assert (code, out) == (2, "")
    assert "nothing that ONNX Runtime quantises" in err.splitlines()[-1]
    assert not (tmp_path / "int8.onnx").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--data"),
        (("--dynamic", "--op", "Convolution"), "--op Convolution: the model has none"),
        (("--dynamic", "--exclude", "fc"), "--exclude fc: the model has none; it has conv"),
        (("--samples", "0"), "--samples 0"),
        (("--loss", "-1"), "--loss -1"),
        (("--weights", "int4"), "invalid choice"),
        (("--data", "nowhere.npz"), "no such file"),
        (("--data", "wrong.npz"), "'z' is neither an input nor an output"),
        (("--burn-backend", "flex,ndarray"), "choose one"),
    ],
)
def test_a_mistake_is_told_before_the_work(command, net, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    np.savez("wrong.npz", z=samples())
    code, out, err = command("quantize", net, "-o", tmp_path / "int8.onnx", *words, seams=seams())
    assert (code, out) == (4, "")
    assert message in err
    assert "Traceback" not in err


def test_the_model_itself_is_never_written_over(command, net):
    before = net.read_bytes()
    code, _, err = command("quantize", net, "--dynamic", "-o", net, "--force", seams=seams())
    assert (code, net.read_bytes()) == (4, before)
    assert "never written over" in err
