"""The lines for a crate of the user: exact versions, the features that were verified, and names that Rust takes."""

import re
import tomllib
from dataclasses import replace

import pytest

from burn_verify.burn.recipe import LocalCrate, Patch, overlaid, packaged_sources
from burn_verify.core.case import Case, ModelFile, TensorSpec
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Checkout, Target
from burn_verify.core.versions import VERSIONS
from burn_verify.ship.how import Model, how, lines

PORT = TensorSpec(name="x", dtype="float32", shape=(None, "N", 3))


def a_model(name="file/add", path="/m/add.onnx"):
    return Model(name=name, path=path, inputs=(PORT,), outputs=(replace(PORT, name="y"),))


def target_of(version, backend="flex"):
    return Target(burn=version.burn, burn_onnx=version.burn_onnx, backend=backend, record=version.records[0])


TARGETS = [target_of(version, backend) for version in VERSIONS for backend in version.backends]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_versions_are_those_that_were_verified(target):
    found = lines(target, [a_model()])
    manifest = tomllib.loads(f"{found.dependencies}\n{found.build_dependencies}")
    version = next(one for one in VERSIONS if one.burn == target.burn)
    pinned = {
        one["name"]: one["version"]
        for one in tomllib.loads(overlaid(packaged_sources(), version)["Cargo.lock"])["package"]
    }

    burns = manifest["dependencies"]
    assert {"burn", "burn-store"} <= burns.keys()
    assert all(asked["version"] == f"={pinned[name]}" for name, asked in burns.items())
    ((importer, asked),) = manifest["build-dependencies"].items()
    assert importer == version.importer
    assert (asked["version"] if isinstance(asked, dict) else asked) == f"={pinned[importer]}"
    assert target.backend in burns["burn"]["features"]


def test_options_of_the_conversion():
    found = lines(Target(simplify=False), [a_model()])

    assert ".simplify(false)" in found.build
    assert ".partition(true)" in found.build


@pytest.mark.parametrize(
    ("names", "modules"),
    [
        (["file/add"], ["add"]),
        (["zoo/mnist-12"], ["mnist_12"]),
        (["zoo/mnist@seeded"], ["mnist_seeded"]),
        (["file/12"], ["model_12"]),
        (["file/fn", "file/burn", "file/Self"], ["model_fn", "model_burn", "model_self"]),
        (["file/modèle", "file/…"], ["mod_le", "model"]),
        (["file/a b", "file/a-b", "file/a_b"], ["a_b", "a_b__2", "a_b__3"]),
        ([f'file/"{"}"};x'], ["x"]),
    ],
)
def test_every_model_has_a_name_of_its_own(names, modules):
    found = lines(Target(), [a_model(name) for name in names])

    assert re.findall(r"^mod (\w+) \{", found.program, re.MULTILINE) == modules
    assert re.findall(r'\.input\("model/(\w+)\.onnx"\)', found.build) == modules
    assert [copy.partition(" to model/")[2].partition(".onnx")[0] for copy in found.copies] == modules


def test_a_name_with_a_line_break_stays_in_its_comment():
    port = TensorSpec(name="x\nfn evil() {}", dtype="float32", shape=())
    found = lines(Target(), [replace(a_model(), inputs=(port,))])

    assert not any(line.startswith("fn evil") for line in found.program.splitlines())


def test_the_backend_is_a_type_in_old_versions():
    old, new = (lines(target_of(version), [a_model()]).program for version in VERSIONS[2:4])

    assert "add::Model<burn::backend::Flex>" in old
    assert "burn::tensor::Device::flex()" in new
    assert "add.forward(x: float32[?,N,3]) gives y: float32[?,N,3]" in new


def test_a_record_is_written_and_loaded_as_it_was_verified():
    old = target_of(VERSIONS[0], "ndarray")
    found = lines(replace(old, weights="half"), [a_model()])
    assert "burn_import::onnx::ModelGen::new()" in found.build
    assert ".half_precision(true)" in found.build
    assert ".record_type(burn_import::onnx::RecordType::NamedMpk)" in found.build
    assert "simplify" not in found.build
    assert 'add::Model<burn::backend::NdArray> = add::Model::from_file(concat!(env!("OUT_DIR"), "/model/add")' in (
        found.program
    )
    assert found.program.startswith("extern crate alloc;")

    embedded = lines(replace(old, record="bin", load="embedded"), [a_model()])
    assert ".embed_states(true)" in embedded.build
    assert "add::Model::from_embedded(&device);" in embedded.program


def test_the_last_burn_import_has_no_options_and_writes_a_burnpack():
    found = lines(target_of(VERSIONS[1], "ndarray"), [a_model()])

    calls = [line.strip() for line in found.build.splitlines() if line.startswith("        .")]
    assert calls == ['.input("model/add.onnx")', '.out_dir("model/")', ".run_from_script();"]
    assert "burn_import::onnx::ModelGen::new()" in found.build
    assert 'add::Model<burn::backend::NdArray> = add::Model::from_file(concat!(env!("OUT_DIR"), "/model/add.bpk")' in (
        found.program
    )
    assert found.program.startswith("extern crate alloc;")


def test_sources_of_a_checkout_are_patches(tmp_path):
    crates = (LocalCrate(name="burn-onnx", version="0.22.0", folder='/a "b"'),)
    patch = Patch(project="burn-onnx", checkout=Checkout(path=tmp_path, commit="1a2b3c4"), crates=crates)
    found = lines(Target(), [a_model()], [patch])

    assert tomllib.loads(found.patches) == {"patch": {"crates-io": {"burn-onnx": {"path": '/a "b"'}}}}
    assert found.patches in found.text
    assert lines(Target(), [a_model()]).patches == ""


def test_the_whole_text(tmp_path):
    path = tmp_path / "add.onnx"
    case = Case(id="file/add", corpus="file", source=ModelFile(path=path))
    prepared = PreparedCase(
        case=case, model=tmp_path / "copy.onnx", digest="", op_types=(), opset=17, inputs=(PORT,), outputs=(PORT,)
    )
    said = how(Target(), [prepared])

    assert said.startswith(f"how to ship file/add with Burn 0.22.1 on flex:\n  copy {path} to model/add.onnx")
    for head in ("--- Cargo.toml", "--- build.rs", "--- src/main.rs"):
        assert f"\n{head}\n" in said
