"""``--only-changed``: two checkouts of burn-onnx, one of which writes other Rust for some models; and the comment."""

from dataclasses import replace
from pathlib import Path

import pytest

from burn_verify.cli import main
from burn_verify.record import store
from burn_verify.run.seams import Seams
from fakes import FakeBuilder, FakeProgram, Faults, seams
from swept import models

MANIFEST = '[package]\nname = "burn-onnx"\nversion = "0.22.0"\nedition = "2021"\n'


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command over five models; the checkout ``new`` is wrong about some."""
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    models(tmp_path / "in", 5)
    for name in ("old", "new"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "Cargo.toml").write_text(MANIFEST)
        (tmp_path / name / "src" / "lib.rs").write_text(f"// {name}")

    def run(*words, wrong=()):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words], _seams(wrong, tmp_path / "new"))
        return ended.value.code, *capsys.readouterr()

    return run


def _seams(wrong, new: Path) -> Seams:
    class Builder(FakeBuilder):
        def convert(self, prepared, target):
            made = super().convert(prepared, target)
            if target.burn_onnx_checkout.path != new or prepared.model.stem not in wrong:
                return made
            rust = new.parent / f"{prepared.model.stem}.rs"
            rust.write_text("other")
            return replace(made, rust=rust, module=f"{made.module}_other")

        def build(self, models, doubtful=()):
            made = super().build(models, doubtful)
            off = FakeProgram(Faults({("run", name): lambda outputs: [one + 1 for one in outputs] for name in wrong}))
            return {module: off if module.endswith("_other") else one for module, one in made.items()}

    return Seams(
        engine=seams().engine,
        builder=lambda cache, settings, listen, targets: Builder(cache, targets, Faults()),
    )


def words(tmp_path, record):
    checkouts = f"--burn-onnx-path={tmp_path / 'old'},{tmp_path / 'new'}"
    return ["verify", tmp_path / "in", checkouts, "--burn-record", tmp_path / record]


def test_only_what_became_other_rust_is_run_and_says_the_same_as_the_whole_run(run, tmp_path):
    every = run(*words(tmp_path, "all.jsonl"), wrong=("m001", "m003"))
    some = run(*words(tmp_path, "some.jsonl"), "--only-changed", wrong=("m001", "m003"))

    assert (every[0], some[0]) == (1, 1)
    assert "3 more are the same program with every checkout: they were not run" in some[1]
    assert [len(record.results) for record in store.read_run(tmp_path / "some.jsonl")] == [2, 2]
    comments = [run("diff", tmp_path / name, "--comment") for name in ("all.jsonl", "some.jsonl")]
    assert [code for code, _, _ in comments] == [1, 1]
    for _, text, _ in comments:
        assert text.startswith("### burn-verify: 2 newly wrong\n")
        assert "file/m001" in text
    assert "3 become the same Rust on both sides" in comments[1][1]


def test_where_nothing_became_other_rust_nothing_is_run_and_nothing_is_wrong(run, tmp_path):
    code, out, _ = run(*words(tmp_path, "r.jsonl"), "--only-changed")

    assert code == 0
    assert "5 more are the same program" in out
    assert run("diff", tmp_path / "r.jsonl", "--comment")[:2] == (
        0,
        "### burn-verify: nothing changed\n\n5 become the same Rust on both sides, and were not run.\n",
    )


def test_without_two_checkouts_it_is_a_mistake(run, tmp_path):
    code, out, err = run("verify", tmp_path / "in", "--burn-onnx-path", tmp_path / "old", "--only-changed")

    assert (code, out) == (4, "")
    assert "--only-changed compares checkouts" in err
