"""What a user's crate ships: its lock file and features, read with the real cargo, which resolves nothing."""

from pathlib import Path

import pytest

from burn_verify.burn.shipped import shipped
from burn_verify.core.errors import UsageError
from burn_verify.core.versions import VERSIONS

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def crate(folder, dependencies="", name="app", more=""):
    """Write a crate of a user."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "lib.rs").touch()
    head = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
    (folder / "Cargo.toml").write_text(f"{head}{more}\n[dependencies]\n{dependencies}\n")
    return folder / "Cargo.toml"


def lock(folder, *entries):
    """Write a lock file; an entry is name, version, and perhaps its source and dependencies."""
    lines = ["version = 4", ""]
    for name, version, *rest in entries:
        source, needed = [*rest, REGISTRY, ()][:2] if rest else (REGISTRY, ())
        needed = rest[1] if len(rest) > 1 else ()
        lines += ["[[package]]", f'name = "{name}"', f'version = "{version}"']
        lines += [f'source = "{source}"'] if source else []
        lines += [f"dependencies = {list(needed)}".replace("'", '"')] if needed else []
    (folder / "Cargo.lock").write_text("\n".join(lines) + "\n")


BURN = (("burn", "0.22.1"), ("burn-onnx", "0.22.0"))


def features(*names):
    return f'burn = {{ version = "0.22", features = {list(names)} }}\nburn-onnx = "0.22"'.replace("'", '"')


def refusal(manifest):
    with pytest.raises(UsageError) as caught:
        shipped(manifest)
    assert "\n" not in str(caught.value)
    assert "--manifest-path" in str(caught.value)
    return str(caught.value)


def test_a_plain_crate(tmp_path):
    manifest = crate(tmp_path, features("wgpu"))
    lock(tmp_path, *BURN)

    found = shipped(manifest)

    assert (found.burn, found.burn_onnx, found.backends) == ("0.22.1", "0.22.0", ("wgpu",))
    assert (found.burn_path, found.burn_onnx_path, found.notes) == (None, None, ())
    assert found.title == f"{tmp_path / 'Cargo.lock'}: burn 0.22.1, burn-onnx 0.22.0, wgpu"


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.burn)
def test_every_supported_version(tmp_path, version):
    lock(tmp_path, ("burn", version.burn), ("burn-onnx", version.burn_onnx))

    found = shipped(crate(tmp_path, f'burn = "={version.burn}"'))

    assert (found.burn, found.burn_onnx) == (version.burn, version.burn_onnx)


@pytest.mark.parametrize(
    ("names", "backends", "notes"),
    [
        (["flex"], ("flex",), []),
        (["wgpu", "ndarray"], ("ndarray", "wgpu"), []),
        (["vulkan"], ("wgpu",), ["vulkan is verified as wgpu"]),
        (["cuda", "rocm"], ("cuda",), ["rocm cannot be verified here"]),
        (["std"], ("flex",), ["its features name no backend, so it is verified on flex"]),
        (["flex", "fusion"], ("flex",), ["features that choose other kernels are not compiled in here: fusion"]),
        (["tch"], (), ["tch cannot be verified, flex, ndarray, wgpu, cuda can"]),
    ],
)
def test_backends_come_from_features(tmp_path, names, backends, notes):
    manifest = crate(tmp_path, features(*names))
    lock(tmp_path, *BURN)

    found = shipped(manifest)

    assert (found.backends, list(found.notes)) == (backends, notes)


def test_backends_of_default_features_and_of_crates(tmp_path):
    more = '\n[features]\ndefault = ["gpu"]\ngpu = ["burn/wgpu"]\nslow = ["burn/cuda"]\n'
    manifest = crate(tmp_path, 'burn = "0.22"\nburn-ndarray = "0.22"', more=more)
    lock(tmp_path, *BURN)

    assert shipped(manifest).backends == ("ndarray", "wgpu")


def test_a_backend_that_a_version_lacks(tmp_path):
    manifest = crate(tmp_path, 'burn = { version = "0.21", features = ["wgpu"] }')
    lock(tmp_path, ("burn", "0.21.0"), ("burn-onnx", "0.21.0"))

    assert shipped(manifest).backends == ()


def test_a_member_of_a_workspace(tmp_path):
    (tmp_path / "Cargo.toml").write_text(
        '[workspace]\nresolver = "3"\nmembers = ["app", "tool"]\n'
        '[workspace.dependencies]\nburn = { version = "0.22", default-features = false, features = ["ndarray"] }\n'
    )
    manifest = crate(tmp_path / "app", "burn.workspace = true")
    crate(tmp_path / "tool", 'burn = { version = "0.22", features = ["wgpu"] }', name="tool")
    lock(tmp_path, *BURN)

    assert shipped(manifest).backends == ("ndarray",)
    assert shipped(tmp_path / "Cargo.toml").backends == ("ndarray", "wgpu")
    assert shipped(manifest).lock == tmp_path / "Cargo.lock"


def test_a_renamed_dependency_and_one_for_builds(tmp_path):
    manifest = crate(
        tmp_path,
        'flame = { package = "burn", version = "0.22" }\n[build-dependencies]\nburn-onnx = "0.22"',
        more='\n[features]\ndefault = ["flame/wgpu"]\n',
    )
    lock(tmp_path, *BURN)

    assert shipped(manifest).backends == ("wgpu",)


def test_without_burn_onnx_the_one_that_goes_with_burn_converts(tmp_path):
    manifest = crate(tmp_path, features("flex"))
    lock(tmp_path, ("burn", "0.22.1"))

    found = shipped(manifest)

    assert found.burn_onnx == "0.22.0"
    assert found.notes == ("no burn-onnx is locked, so burn-onnx 0.22.0 converts, which goes with it",)


def test_a_burn_onnx_of_another_release(tmp_path):
    manifest = crate(tmp_path, features("flex"))
    lock(tmp_path, ("burn", "0.22.1"), ("burn-onnx", "0.21.0"))

    assert (shipped(manifest).burn, shipped(manifest).burn_onnx) == ("0.22.1", "0.21.0")


def test_of_two_versions_the_one_that_the_crate_depends_on(tmp_path):
    manifest = crate(tmp_path, features("flex"))
    lock(
        tmp_path,
        ("app", "0.1.0", "", ["burn 0.22.1"]),
        ("burn", "0.21.0"),
        *BURN,
        ("other", "1.0.0", "", ["burn 0.21.0"]),
    )

    assert shipped(manifest).burn == "0.22.1"


def test_two_versions_of_a_workspace_cannot_be_told_apart(tmp_path):
    manifest = crate(tmp_path, features("flex"))
    lock(tmp_path, ("burn", "0.21.0"), *BURN)

    assert "has burn 0.21.0 and 0.22.1: name the Cargo.toml of the crate that is shipped" in refusal(manifest)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            [("burn", "0.18.0"), ("burn-import", "0.18.0")],
            "has burn 0.18.0, which is not supported; Burn 0.19.1 (burn-import 0.19.1), 0.20.1 (burn-import",
        ),
        ([("burn", "0.22.0"), ("burn-onnx", "0.22.0")], "cargo update -p burn --precise 0.22.1"),
        ([("burn", "0.23.0"), ("burn-onnx", "0.22.0")], "cargo update -p burn --precise 0.23.0-pre.1"),
        ([("burn", "0.22.1"), ("burn-onnx", "0.22.9")], "cargo update -p burn-onnx --precise 0.22.0"),
        ([("serde", "1.0.0")], "app has no burn in"),
        ([], "app has no burn in"),
    ],
)
def test_what_is_not_supported_says_what_is(tmp_path, entries, said):
    manifest = crate(tmp_path, features("flex"))
    lock(tmp_path, *entries)

    assert said in refusal(manifest)


def test_without_a_lock_file(tmp_path):
    assert "cargo generate-lockfile makes it" in refusal(crate(tmp_path, features("flex")))
    assert not (tmp_path / "Cargo.lock").exists()


@pytest.mark.parametrize("text", ["[[package]", '[[package]]\nname = "burn"\n', "package = 3\n", "[[package]]\n"])
def test_a_lock_file_that_is_broken(tmp_path, text):
    manifest = crate(tmp_path, features("flex"))
    (tmp_path / "Cargo.lock").write_text(text)

    assert "cannot be read" in refusal(manifest)


@pytest.mark.parametrize("text", ["", "not toml", "[package]\n"])
def test_a_manifest_that_cargo_cannot_read(tmp_path, text):
    (tmp_path / "Cargo.toml").write_text(text)

    assert "cargo cannot read it" in refusal(tmp_path / "Cargo.toml")


def test_sources_of_a_folder(tmp_path):
    checkout = crate(tmp_path / "checkout" / "burn", name="burn").parent
    manifest = crate(tmp_path / "app", 'burn = { path = "../checkout/burn" }\nburn-onnx = "0.22"')
    lock(tmp_path / "app", ("burn", "0.22.1", ""), ("burn-onnx", "0.22.0"))

    found = shipped(manifest)

    assert Path(found.burn_path).samefile(checkout)
    assert found.burn_onnx_path is None
    assert f", burn from {found.burn_path}" in found.title


def test_sources_of_a_patch(tmp_path):
    manifest = crate(tmp_path, features("flex"))
    manifest.write_text(manifest.read_text() + '\n[patch.crates-io]\nburn-onnx = { path = "ours/burn-onnx" }\n')
    lock(tmp_path, ("burn", "0.22.1"), ("burn-onnx", "0.22.0", ""))

    assert shipped(manifest).burn_onnx_path == str(tmp_path / "ours" / "burn-onnx")


def test_sources_of_a_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
    manifest = crate(tmp_path / "app", features("flex"))
    source = f"git+https://github.com/tracel-ai/burn.git?branch=main#{COMMIT}"
    lock(tmp_path / "app", ("burn", "0.22.1", source), ("burn-onnx", "0.22.0"))

    assert "which is not on this machine: cargo fetch brings it" in refusal(manifest)
    there = tmp_path / "cargo" / "git" / "checkouts" / "burn-0a1b2c" / COMMIT[:7]
    there.mkdir(parents=True)
    assert shipped(manifest).burn_path == str(there)


def test_nothing_is_written(tmp_path):
    manifest = crate(tmp_path, features("flex"))
    lock(tmp_path, *BURN)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    shipped(manifest)

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
