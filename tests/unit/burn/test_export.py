"""The workspace of the exporter, and what it makes of answers and refusals; nothing is compiled."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from burn_verify.burn import export
from burn_verify.burn.cargo import CargoRun
from burn_verify.burn.codegen import crate_of
from burn_verify.burn.export import Exporter
from burn_verify.burn.program import Exported, Inference
from burn_verify.core.errors import RunError, ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.versions import DEFAULT, VERSIONS

X = [np.zeros(1, np.float32)]


def converted(folder, name):
    path = folder / f"{name}.rs"
    path.write_text(f"// {name}")
    return ConvertedModel(label=name, module=f"m_{name}", rust=path, weights=path, seconds=0.0, inputs=1, outputs=1)


@dataclass
class Cargo:
    """Fails once for each set of crates that is to fail, then succeeds."""

    failing: list[dict] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)

    def run(self, build, arguments, **more):
        package = arguments[arguments.index("-p") + 1]
        self.packages.append(package)
        if self.failing:
            build.log.write_text("error: no Burn")
            return CargoRun(**self.failing.pop(0))
        program = build.target / "export" / "deps" / f"{package}-0123456789abcdef"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("program")
        program.with_name("libburn-0123456789abcdef.rlib").write_text("burn")
        return CargoRun(executables={package: str(program)})


@dataclass
class Runner:
    """Writes every model, or says what it is to say."""

    says: dict

    def infer(self, model, inputs, backend):
        said = self.says.get(model.module)
        if said is not None:
            raise said
        return Inference(
            outputs=[np.frombuffer(b"onnx", np.uint8), np.array([0, 1], np.uint8)], load_seconds=0, forward_seconds=0
        )

    def close(self):
        pass


@pytest.fixture
def exported(cache, tmp_path, monkeypatch):
    def ask(*names, failing=(), says=None):
        cargo = Cargo(list(failing))
        monkeypatch.setattr(export.Build, "run", lambda build, arguments, **more: cargo.run(build, arguments, **more))
        monkeypatch.setattr(export, "Runner", lambda *given, **more: Runner(says or {}))
        exporter = Exporter(cache, Settings(), silent, DEFAULT.burn)
        return exporter.exported({name: (converted(tmp_path, name), X) for name in names}), cargo

    return ask


@pytest.mark.parametrize(
    "version", [one for one in VERSIONS if one.burn not in export.WITHOUT], ids=lambda one: one.burn
)
def test_the_workspace_has_the_exporter_and_not_the_converter(version):
    sources = export.sources_of(version)
    manifest = tomllib.loads(export.manifest(sources["Cargo.toml"], ["g_1"]))["workspace"]
    assert manifest["members"] == ["compat", "protocol", "runner", "generated/g_1"]
    assert manifest["dependencies"]["burn"]["version"] == f"={version.burn}"
    assert manifest["dependencies"]["burn-onnx"] == {
        "version": f"={version.burn_onnx}", "default-features": False, "features": ["export"],
    }  # fmt: skip
    assert "OnnxExporter" in sources["runner/src/invoke.rs"]
    assert "converter/src/main.rs" not in sources


def test_burn_is_compiled_with_the_features_of_the_runner():
    of_runner, of_exporter = (
        tomllib.loads(text)["dependencies"]["burn"]["features"]
        for text in (
            export.packaged_sources()["compat/Cargo.toml"],
            export.packaged_sources("rust-export")["compat/Cargo.toml"],
        )
    )
    assert of_runner == of_exporter


def test_what_models_take_is_what_the_runner_takes():
    """Every kind of value that a generated model takes or gives has its place in the exporter too."""
    wire = export.packaged_sources()["runner/src/wire.rs"]
    invoke = export.packaged_sources("rust-export")["runner/src/invoke.rs"]
    scalars = re.search(r"native_scalars!\((.*)\);", wire)[1].split(", ")
    written = re.findall(r"\w+", re.search(r"native_scalars!\((Float.*)\);", invoke)[1])
    assert set(scalars) == set(written) - {"Float", "Int", "Bool"}


def test_a_model_is_written_with_the_inputs_that_it_takes(exported):
    found, cargo = exported("a", "b")
    assert found == {name: Exported(data=b"onnx", takes=(1,)) for name in ("a", "b")}
    assert len(cargo.packages) == 1
    assert exported("a", "b")[1].packages == []


def test_crates_of_models_do_not_pile_up(exported, cache):
    exported("a")
    assert [path.name for path in (cache.root / "export").rglob("deps/*")] == ["libburn-0123456789abcdef.rlib"]
    assert [path.name[:7] for path in (cache.root / "binaries").iterdir()] == ["export-"]


def test_a_refusal_is_told(exported):
    refusal = RunError("unsupported operation", "error")
    found, _ = exported("a", "b", says={"m_a": refusal})
    assert found == {"a": refusal, "b": Exported(data=b"onnx", takes=(1,))}


def test_what_does_not_compile_beside_the_exporter_is_left_out(exported, tmp_path):
    crate = crate_of([converted(tmp_path, "a")]).crate
    found, cargo = exported("a", failing=[{"code": 101, "failed": {crate}}])
    assert isinstance(found["a"], RunError)
    assert len(cargo.packages) == 2


def test_burn_that_does_not_compile_is_no_fault_of_a_model(exported):
    with pytest.raises(ToolchainError, match="with its exporter"):
        exported("a", failing=[{"code": 101}, {"code": 101}])


def test_a_version_without_an_exporter_is_refused(cache):
    with pytest.raises(UsageError, match="writes no ONNX"):
        Exporter(cache, Settings(), silent, "0.21.0")


def test_sources_name_no_folder():
    assert not any(str(Path.home()) in text for text in export.sources_of(VERSIONS[0]).values())
