"""Local checkouts: what is in a folder, at which commit, and which messages a user gets."""

import shutil
import subprocess
from pathlib import Path

import pytest

from burn_verify.burn import checkouts
from burn_verify.core.errors import UsageError
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo reads the manifests")

MANIFEST = '[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n'


def git(folder, *arguments):
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *settings, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_crate(folder, name="burn-onnx", version="0.22.0"):
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text(MANIFEST.format(name=name, version=version))
    (folder / "src" / "lib.rs").write_text("// one\n")
    return folder


def make_repository(folder):
    """Make a workspace like upstream's, in a repository of two commits."""
    folder.mkdir()
    (folder / "Cargo.toml").write_text('[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n')
    for name in ("burn-onnx", "onnx-ir"):
        make_crate(folder / "crates" / name, name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "first")
    (folder / "crates" / "onnx-ir" / "src" / "lib.rs").write_text("// two\n")
    git(folder, "commit", "--quiet", "-a", "-m", "two")
    return folder


def test_a_folder_that_git_does_not_know(tmp_path):
    crate = make_crate(tmp_path / "crate")
    (tmp_path / "crate" / "target").mkdir()
    first = checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(crate))
    assert (first.path, first.commit, first.dirty) == (crate.resolve(), "", False)
    assert first.label == f"~{first.digest[:7]}"

    (crate / "target" / "built").write_text("no source")
    assert checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(crate)) == first
    (crate / "src" / "more.rs").write_text("")
    assert checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(crate)).digest != first.digest
    assert not (tmp_path / "cache").exists()


def test_commit_and_dirt_of_a_clone(tmp_path):
    clone = make_repository(tmp_path / "clone")
    cache = Cache(tmp_path / "cache")
    clean = checkouts.look(cache, "burn-onnx", str(clone))
    assert (clean.commit, clean.dirty) == (git(clone, "rev-parse", "HEAD"), False)
    (clone / "crates" / "burn-onnx" / "src" / "lib.rs").write_text("// mine\n")
    dirty = checkouts.look(cache, "burn-onnx", str(clone))
    assert (dirty.commit, dirty.dirty) == (clean.commit, True)
    assert dirty.digest != clean.digest


def test_a_revision_is_unpacked_and_the_clone_left_alone(tmp_path):
    clone = make_repository(tmp_path / "clone")
    cache = Cache(tmp_path / "cache")
    now = checkouts.look(cache, "burn-onnx", str(clone))
    first = checkouts.look(cache, "burn-onnx", f"{clone}@first")
    assert first.commit == git(clone, "rev-parse", "first")
    assert not first.dirty
    assert first.path.is_relative_to(cache.root)
    assert (first.path / "crates" / "onnx-ir" / "src" / "lib.rs").read_text() == "// one\n"
    assert first.digest != now.digest
    assert checkouts.look(cache, "burn-onnx", f"{clone}@HEAD").digest == now.digest
    assert checkouts.look(cache, "burn-onnx", f"{clone}@first") == first
    assert git(clone, "status", "--porcelain") == ""


def test_the_pinned_crates_of_a_workspace_are_replaced(tmp_path):
    clone = make_repository(tmp_path / "clone")
    checkout = checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(clone))
    (patch,) = checkouts.patches_of(Target(burn_onnx_checkout=checkout))
    assert patch.project == "burn-onnx"
    assert [(crate.name, Path(crate.folder).name) for crate in patch.crates] == [
        ("burn-onnx", "burn-onnx"),
        ("onnx-ir", "onnx-ir"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere", r"--burn-onnx-path .*nowhere: there is no folder"),
        ("empty", r"empty: this is no checkout of burn-onnx: it has no Cargo\.toml"),
        ("broken", r"broken: this is no checkout of burn-onnx: cargo cannot read its Cargo\.toml"),
        ("clone@nothing", r"clone@nothing: git knows no such revision there"),
        ("empty@HEAD", r"empty@HEAD: git knows no such revision there"),
    ],
)
def test_what_is_no_checkout_is_said_in_one_line(tmp_path, text, message):
    make_repository(tmp_path / "clone")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "Cargo.toml").write_text("[")
    with pytest.raises(UsageError, match=message) as caught:
        checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(tmp_path / text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", ["0.23.0-pre.1", "0.23.0-pre.2", "0.22.7"])
def test_a_checkout_may_have_another_version(tmp_path, version):
    crate = make_crate(tmp_path / "crate", version=version)
    checkout = checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(crate))
    assert checkout.version == version
    (patch,) = checkouts.patches_of(Target(burn_onnx=version, burn_onnx_checkout=checkout))
    assert [crate.version for crate in patch.crates] == [version]


def test_a_revision_has_the_version_of_then(tmp_path):
    clone = make_repository(tmp_path / "clone")
    raised = MANIFEST.format(name="burn-onnx", version="0.23.0-pre.2")
    (clone / "crates" / "burn-onnx" / "Cargo.toml").write_text(raised)
    seen = [checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", f"{clone}{at}").version for at in ("", "@first")]
    assert seen == ["0.23.0-pre.2", "0.22.0"]


def test_a_checkout_of_a_version_that_no_burn_is_known_for_says_which_are(tmp_path):
    crate = make_crate(tmp_path / "crate", version="0.99.0")
    checkout = checkouts.look(Cache(tmp_path / "cache"), "burn-onnx", str(crate))
    with pytest.raises(UsageError, match=r"--burn-onnx-path .*is burn-onnx 0\.99\.0, and only 0\.21, .* are supported"):
        checkouts.patches_of(Target(burn_onnx="0.99.0", burn_onnx_checkout=checkout))
