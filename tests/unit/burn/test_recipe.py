"""Workspaces: manifests, overlays, and which crates of a checkout count."""

import tomllib
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.burn import recipe
from burn_verify.burn.recipe import packaged_sources
from burn_verify.core import versions
from burn_verify.core.errors import UsageError
from burn_verify.core.target import Checkout, Target

SOURCES = packaged_sources()
PACKAGED = SOURCES["Cargo.toml"]
OLD = versions.resolve("0.21.0")
NEW = versions.resolve("0.23.0-pre.1")
LOCK = """
[[package]]
name = "burn"
version = "0.22.1"

[[package]]
name = "burn-core"
version = "0.22.1"

[[package]]
name = "burn-onnx"
version = "0.22.0"

[[package]]
name = "onnx-ir"
version = "0.22.0"

[[package]]
name = "serde"
version = "1.0.0"
"""


def a_recipe(version=versions.DEFAULT, backends=("flex",), patches=()):
    return recipe.Recipe(version=version, backends=backends, patches=patches)


def a_crate(name, version, folder="/burn"):
    return recipe.LocalCrate(name=name, version=version, folder=folder)


def a_checkout(digest="d" * 64, path="/checkouts/burn"):
    return Checkout(path=Path(path), commit="1a2b3c4d", digest=digest)


def a_patch(project="burn-onnx", version="0.22.0", **checkout):
    crates = (a_crate(project, version, '/a "b"'),)
    return recipe.Patch(project=project, checkout=a_checkout(**checkout), crates=crates)


def test_the_default_workspace_is_the_packaged_one():
    assert recipe.manifest(PACKAGED, a_recipe(), []) == PACKAGED


def test_generated_crates_change_the_line_of_members_only():
    text = recipe.manifest(PACKAGED, a_recipe(), ["generated/g_1", "generated/batch_1"])
    before, after = tomllib.loads(PACKAGED), tomllib.loads(text)

    own = before["workspace"].pop("members")
    assert after["workspace"].pop("members") == [*own, "generated/g_1", "generated/batch_1"]
    assert after == before
    changed = [line for line in text.splitlines() if line not in PACKAGED.splitlines()]
    assert len(changed) == 1
    assert len(text.splitlines()) == len(PACKAGED.splitlines())


@pytest.mark.parametrize("version", versions.VERSIONS, ids=lambda version: version.burn)
def test_versions_and_backends_and_patches_are_in_the_manifest(version):
    made = a_recipe(version, version.backends, (a_patch(version=version.burn_onnx),))
    before, after = tomllib.loads(PACKAGED), tomllib.loads(recipe.manifest(PACKAGED, made, []))

    pins = after["workspace"]["dependencies"]
    assert pins["burn"]["version"] == pins["burn-store"]["version"] == f"={version.burn}"
    importer = pins["burn-onnx"]
    if version.importer != "burn-onnx":
        assert (importer.pop("package"), importer.pop("features")) == (version.importer, ["onnx"])
        assert not importer.pop("default-features")
        importer = importer.pop("version")
    assert importer == f"={version.burn_onnx}"
    assert pins["compat"].get("features", []) == list(version.backends[1:])
    assert after["patch"]["crates-io"] == {"burn-onnx": {"path": '/a "b"'}}
    assert after["profile"] == before["profile"]


def test_a_checkout_is_asked_for_in_the_version_that_it_has():
    text = recipe.manifest(PACKAGED, a_recipe(NEW, patches=(a_patch(version="0.23.0-pre.9"),)), [])
    assert tomllib.loads(text)["workspace"]["dependencies"]["burn-onnx"] == "=0.23.0-pre.9"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@settings(deadline=None, derandomize=True)
def test_a_path_stays_inside_its_string(folder):
    crate = recipe.LocalCrate(name="burn-onnx", version="0.22.0", folder=folder)
    patch = recipe.Patch(project="burn-onnx", checkout=a_checkout(), crates=(crate,))
    text = recipe.manifest(
        "members = []\ncompat = 0\nburn = 0\nburn-store = 0\nburn-onnx = 0\n", a_recipe(patches=(patch,)), []
    )
    assert tomllib.loads(text)["patch"]["crates-io"] == {"burn-onnx": {"path": folder}}


@pytest.mark.parametrize("text", ["", "[workspace]\n", 'members = ["a"]\nmembers = ["b"]\n'])
def test_a_manifest_without_its_line_of_members_is_refused(text):
    with pytest.raises(ValueError, match=r"[02] lines of members"):
        recipe.manifest(text, a_recipe(), [])


@pytest.mark.parametrize("version", versions.VERSIONS, ids=lambda version: version.burn)
def test_what_is_pinned_is_what_the_table_says(version):
    sources = recipe.overlaid(SOURCES, version)
    pinned = {package["name"]: package["version"] for package in tomllib.loads(sources["Cargo.lock"])["package"]}

    assert pinned["burn"] == pinned["burn-store"] == version.burn
    assert pinned[version.importer] == version.burn_onnx
    assert pinned["onnx-ir"] == version.onnx_ir
    assert not [name for name in sources if "versions" in name]
    features = tomllib.loads(sources["compat/Cargo.toml"]).get("features", {})
    assert set(features) == set(version.backends[1:])
    assert all(f'"{backend}" =>' in sources["compat/src/lib.rs"] for backend in version.backends)


@pytest.mark.parametrize("burn", ["0.19.1", "0.20.1"])
def test_what_is_laid_over_the_wire_differs_in_the_names_of_burn_only(burn):
    wire = "runner/src/wire.rs"
    over = recipe.overlaid(SOURCES, versions.resolve(burn))[wire]
    changes = list(unified_diff(SOURCES[wire].splitlines(), over.splitlines(), lineterm="", n=0))[2:]
    assert [line[1:].strip() for line in changes if line[0] == "+"] == [
        "use compat::{Bool, DType, Device, Float, Int, Shape, Tensor, TensorData, bf16, dims_of, dtype_of, f16};",
        "Ok(Tensor::from_data_dtype(data, device, dtype))",
        "let bytes = Cow::Borrowed(data.as_bytes());",
        "DType::Bool => Dtype::BOOL,",
    ]
    assert len([line for line in changes if line[0] == "-"]) == 9


def test_an_overlay_is_not_in_another_version():
    assert "Backend" in recipe.overlaid(SOURCES, OLD)["compat/src/lib.rs"]
    assert recipe.overlaid(SOURCES, NEW)["compat/src/lib.rs"] == SOURCES["compat/src/lib.rs"]
    assert recipe.overlaid(SOURCES, NEW)["Cargo.lock"] != SOURCES["Cargo.lock"]


def test_what_is_of_a_version_goes_over_what_is_of_its_importer():
    files = {"a": "plain", "compat/versions/burn-import/a": "shared", "compat/versions/0.19.1/a": "own"}

    assert [recipe.overlaid(files, version)["a"] for version in versions.VERSIONS[:3]] == ["own", "shared", "plain"]


def test_models_and_converter_share_a_workspace():
    running, converting = recipe.recipes(Target(), ["wgpu"], ())
    assert running == converting == a_recipe(backends=("flex", "wgpu"))
    assert running.name == "flex-wgpu"
    assert running.title == "Burn 0.22.1 for flex and wgpu"


def test_another_burn_onnx_leaves_the_models_where_they_are():
    running, converting = recipe.recipes(Target(backend="wgpu"), [], [a_patch()])
    assert running == a_recipe(backends=("flex", "wgpu"))
    assert converting == a_recipe(backends=("flex", "wgpu"), patches=(a_patch(),))

    running, converting = recipe.recipes(Target(burn_onnx=NEW.burn_onnx), [], ())
    assert (running, converting) == (a_recipe(), a_recipe(NEW))


@pytest.mark.parametrize(
    ("version", "burn"), [("0.23.0-pre.1", NEW), ("0.23.0-pre.2", NEW), ("0.22.7", versions.DEFAULT)]
)
def test_a_checkout_is_built_with_the_burn_of_its_version_and_its_models_with_that_of_the_target(version, burn):
    patch = a_patch(version=version)
    running, converting = recipe.recipes(Target(burn_onnx=version), [], [patch])
    assert (running, converting) == (a_recipe(), a_recipe(burn, patches=(patch,)))


def test_a_checkout_of_burn_is_in_both():
    patch = a_patch("burn")
    running, converting = recipe.recipes(Target(), [], [patch])
    assert running == converting == a_recipe(patches=(patch,))


def test_other_sources_are_another_folder():
    names = {
        a_recipe(patches=patches).name
        for patches in [
            (),
            (a_patch(),),
            (a_patch(digest="e" * 64),),
            (a_patch(path="/elsewhere"),),
            (a_patch("burn"),),
        ]
    }
    assert len(names) == 5


def test_a_backend_that_a_version_has_not():
    with pytest.raises(UsageError, match=r"Burn 0\.21\.0 has no backend 'wgpu' here; it has flex"):
        recipe.recipes(Target(burn="0.21.0", burn_onnx="0.21.0"), ["wgpu"], ())


def test_crates_of_a_checkout_that_are_pinned_replace_the_registrys():
    crates = [a_crate(name, "0.22.1") for name in ("burn", "burn-core", "burn-book", "serde")]
    crates.append(a_crate("burn-onnx", "0.99.0"))
    chosen = recipe.replaced("burn", crates, LOCK, versions.DEFAULT)
    assert [crate.name for crate in chosen] == ["burn", "burn-core"]


@pytest.mark.parametrize(
    ("project", "crate", "message"),
    [
        ("burn", a_crate("burn-onnx", "0.22.0"), "no crate of burn; it has burn-onnx"),
        ("burn-onnx", a_crate("burn", "0.22.1"), "no crate of burn-onnx; it has burn"),
        ("burn", a_crate("burn", "0.23.0"), r"is burn 0\.23\.0, and Burn 0\.22\.1 goes with burn 0\.22\.1"),
        ("burn-onnx", a_crate("onnx-ir", "0.23.0"), r"is onnx-ir 0\.23\.0, and Burn 0\.22\.1 goes with .*0\.22\.0"),
    ],
)
def test_a_checkout_that_does_not_fit(project, crate, message):
    with pytest.raises(UsageError, match=message):
        recipe.replaced(project, [crate], LOCK, versions.DEFAULT)
