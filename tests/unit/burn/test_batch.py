"""Batches: refused modules are set aside, the rest is built again, and both are kept."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from burn_verify.burn.batch import BatchCompiler, key_of
from burn_verify.burn.cargo import CargoRun
from burn_verify.burn.rustc_errors import RustError
from burn_verify.burn.workspace import Workspace
from burn_verify.core.errors import ToolchainError
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Target
from holding import held


class FakeWorkspace:
    """A workspace whose cargo compiles every crate but those of the modules that it is told to refuse."""

    fingerprint = "1"
    lock = "cargo"

    def __init__(self, folder, refused=(), silent=False):
        self.folder = folder
        self.refused = frozenset(refused)
        self.silent = silent
        self.rounds = 0
        self.crates = {}
        self.build = SimpleNamespace(failure=lambda what, code: ToolchainError(f"{what} ({code})"))

    def waiting(self, text):
        raise AssertionError(text)

    def write(self, generated, crates):
        self.crates = dict(generated)

    def compile(self, batch, labels, **options):
        self.rounds += 1
        run = CargoRun()
        for crate in labels:
            text = "".join(text for path, text in self.crates.items() if f"/{crate}/" in f"/{path}")
            bad = [module for module in self.refused if module in text]
            if bad:
                run.code = 101
                run.failed.add(crate)
                if not self.silent:
                    run.errors.append((crate, RustError(code="E0308", message="mismatched", rendered="", spots=())))
            else:
                run.artifacts.add(crate)
        if run.code == 0:
            executable = self.folder / batch
            executable.write_text("runner")
            run.executables[batch] = str(executable)
        elif self.silent:
            run.failed.clear()
        return run


@pytest.fixture
def models(tmp_path):
    made = []
    for name in ("a", "b", "c"):
        rust = tmp_path / f"{name}.rs"
        rust.write_text(f"// {name}")
        weights = tmp_path / f"{name}.bpk"
        weights.touch()
        made.append(
            ConvertedModel(label=f"file/{name}", module=f"m_{name}" * 3, rust=rust, weights=weights, seconds=0.0)
        )
    return made


@contextmanager
def compiler(cache, tmp_path, **behaviour):
    workspace = FakeWorkspace(tmp_path, **behaviour)
    yield workspace, BatchCompiler(cache, workspace)


def test_every_module_is_in_the_runner(cache, tmp_path, models):
    with compiler(cache, tmp_path) as (workspace, batch):
        compiled = batch.compile(models)

    assert compiled.binary.modules == {model.module for model in models}
    assert compiled.binary.path.read_text() == "runner"
    assert (compiled.errors, workspace.rounds) == ({}, 1)


def test_a_refused_module_is_set_aside_and_the_rest_is_built(cache, tmp_path, models):
    bad = models[1].module
    with compiler(cache, tmp_path, refused=[bad]) as (_, batch):
        compiled = batch.compile(models)

    assert compiled.errors.keys() == {bad}
    assert "mismatched" in compiled.errors[bad].message
    assert compiled.binary.modules == {model.module for model in models} - {bad}


def test_a_batch_is_kept_with_its_errors(cache, tmp_path, models):
    bad = models[1].module
    with compiler(cache, tmp_path, refused=[bad]) as (workspace, batch):
        first = batch.compile(models)
        rounds = workspace.rounds
        again = batch.compile(models)

    assert workspace.rounds == rounds
    assert again.binary == first.binary
    assert again.seconds == 0.0
    assert str(again.errors[bad]) == str(first.errors[bad])


def test_an_empty_batch_needs_no_cargo(cache, tmp_path):
    with compiler(cache, tmp_path) as (workspace, batch):
        compiled = batch.compile([])

    assert (compiled.binary, compiled.errors, workspace.rounds) == (None, {}, 0)


def test_a_build_that_fails_without_a_module_is_the_machines_fault(cache, tmp_path, models):
    with (
        compiler(cache, tmp_path, refused=[models[0].module], silent=True) as (_, batch),
        pytest.raises(ToolchainError, match="no model is to blame"),
    ):
        batch.compile(models)


def test_the_key_is_of_the_generated_text(tmp_path, models):
    workspace = FakeWorkspace(tmp_path)
    before = key_of(workspace, models)

    assert key_of(workspace, models[::-1]) == before
    Path(models[0].rust).write_text("// changed")
    assert key_of(workspace, models) != before


CARGO = """\
#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = -p ] && package=$2; [ "$1" = --profile ] && profile=$2; shift; done
mkdir -p "$CARGO_TARGET_DIR/$profile/deps"
echo runner > "$CARGO_TARGET_DIR/$profile/$package"
echo '{"reason":"compiler-artifact","target":{"name":"'$package'"},"filenames":[],\
"executable":"'"$CARGO_TARGET_DIR/$profile/$package"'"}'
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Put a cargo that makes every binary first on the path, and return what a workspace's listener is told."""
    for name, text in {"cargo": CARGO, "rustc": "#!/bin/sh\necho rustc 1.95.0\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return []


@pytest.fixture
def real(cache, told):
    """A compiler of a real workspace."""
    return BatchCompiler(cache, Workspace.of(cache, told.append, Target()))


def test_a_run_whose_crates_are_compiled_waits_for_nobody(cache, models, real, told):
    real.compile(models)
    lock = Workspace.of(cache, told.append, Target()).lock
    with held(cache, lock) as other:
        compiled = real.compile(models[1:])
        assert not other.mark.exists()
    assert compiled.binary.path.read_text() == "runner\n"
    assert compiled.binary.modules == {model.module for model in models[1:]}
    assert [one for one in told if one.whole] == []
    assert list((cache.root / "linking").iterdir()) == []
    assert real.compile(models[1:]).binary == compiled.binary


def test_a_run_that_has_to_compile_waits_and_says_for_whom(cache, models, real, told):
    real.compile(models[:1])
    workspace = Workspace.of(cache, told.append, Target())
    with held(cache, workspace.lock) as other:

        def listen(progress):
            told.append(progress)
            if progress.whole:
                assert not other.mark.exists()
                other.release()

        compiler = BatchCompiler(cache, Workspace.of(cache, listen, Target()))
        assert compiler.compile(models).binary.modules == {model.module for model in models}
        assert other.mark.exists()
    (said,) = [one.text for one in told if one.whole]
    assert said.startswith(f"waiting for '{workspace.lock}', held by process {other.pid} since ")


@pytest.mark.parametrize("what", ["latency", "ndarray", "0.21.0"])
def test_what_else_is_compiled_makes_nobody_wait(cache, models, real, told, what):
    other = Target(burn="0.21.0", burn_onnx="0.21.0") if what == "0.21.0" else Target()
    workspace = Workspace.of(cache, told.append, other, ("ndarray",) if what == "ndarray" else ())
    with held(cache, workspace.timed().lock if what == "latency" else workspace.lock) as holder:
        assert real.compile(models).binary.modules == {model.module for model in models}
        assert not holder.mark.exists()
    assert [one for one in told if one.whole] == []


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", "{}", '{"fingerprint": "1"}', '{"fingerprint": "1", "groups": {"g": [["too", "few"]]}}']
)
def test_a_damaged_note_of_crates_costs_their_compilation(cache, tmp_path, models, text):
    (tmp_path / "groups.json").write_text(text)
    with compiler(cache, tmp_path) as (_, batch):
        assert batch.compile(models).binary.modules == {model.module for model in models}
