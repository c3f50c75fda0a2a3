"""The script that runs the README's commands as on a fresh machine: what they see, and what is left alone."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "fresh.sh"
MAKEFILE = """\
models:
\tenv > env-models
\tls -A $(HOME) $(CARGO_HOME) $(BURN_VERIFY_CACHE) $(PIP_CACHE_DIR) > folders
test:
\tfalse
"""
OWN = {
    "HOME": "home",
    "TMPDIR": "tmp",
    "CARGO_HOME": "cargo",
    "BURN_VERIFY_CACHE": "cache",
    "PIP_CACHE_DIR": "pip",
    "VIRTUALENV_OVERRIDE_APP_DATA": "virtualenv",
}

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("bash", "git", "make", "cargo")),
    reason="the script wants these programs",
)


def snapshot(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def repository(tmp_path):
    """A repository with the script and a Makefile that notes what it is run with."""
    folder = tmp_path / "my checkout"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(SCRIPT, folder / "tools")
    (folder / "Makefile").write_text(MAKEFILE)
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "."], [*settings, "commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


@pytest.fixture
def user(tmp_path):
    """The environment of a user whose folders are warm."""
    home = tmp_path / "user"
    for name in (".cargo/registry/crate", ".cache/burn-verify/ready", ".cache/pip/wheel", "mirror/model"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("warm")
    (home / ".cargo" / "config.toml").write_text("# a mirror\n")
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text("# a mirror\n")
    (tmp_path / "t").mkdir()
    warm = {"XDG_CACHE_HOME": str(home / ".cache"), "BURN_VERIFY_CACHE": str(home / ".cache" / "burn-verify")}
    more = {"PYTEST_ADDOPTS": "-x", "BURN_VERIFY_TIMEOUT": "1", "BURN_VERIFY_ZOO_MIRROR": str(home / "mirror")}
    kept = {"PATH": os.environ["PATH"], "RUSTUP_HOME": "/toolchains", "TMPDIR": str(tmp_path / "t")}
    return {"HOME": str(home), **warm, **more, **kept}


def fresh(repository, user, *arguments):
    command = ["bash", repository / "tools" / "fresh.sh", *arguments]
    return subprocess.run(command, env=user, cwd=repository.parent, capture_output=True, text=True, check=False)


def test_every_folder_is_new_and_the_users_are_left_alone(repository, user):
    before = snapshot(Path(user["HOME"])), snapshot(repository)
    done = fresh(repository, user, "--folder", "new", "models")
    assert done.returncode == 0, done.stderr
    assert (snapshot(Path(user["HOME"])), snapshot(repository)) == before
    folder = repository.parent / "new"
    seen = dict(
        line.split("=", 1) for line in (folder / "clone" / "env-models").read_text().splitlines() if "=" in line
    )
    assert {name: seen[name] for name in OWN} == {name: str(folder / path) for name, path in OWN.items()}
    assert seen["RUSTUP_HOME"] == "/toolchains"
    assert seen["BURN_VERIFY_ZOO_MIRROR"] == user["BURN_VERIFY_ZOO_MIRROR"]
    assert seen["PIP_CONFIG_FILE"] == str(Path(user["HOME"], ".config", "pip", "pip.conf"))
    assert not {"XDG_CACHE_HOME", "PYTEST_ADDOPTS", "BURN_VERIFY_TIMEOUT"} & set(seen)
    lines = (folder / "clone" / "folders").read_text().split()
    assert [line for line in lines if not line.endswith(":")] == ["config.toml"], "cargo's mirror, and nothing else"


def test_minutes_are_told_and_nothing_stays(repository, user):
    done = fresh(repository, user, "models")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^make models +\d+ min +\d+ s  succeeded$", done.stdout, re.MULTILINE)
    assert list(Path(user["TMPDIR"]).iterdir()) == []


def test_a_step_that_fails_is_told_and_its_folder_kept(repository, user):
    done = fresh(repository, user, "test", "models")
    assert done.returncode == 1
    assert [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("make ")] == [
        "failed",
        "succeeded",
    ]
    (folder,) = Path(user["TMPDIR"]).iterdir()
    assert done.stdout.splitlines()[-1] == f"in {folder}"
    assert "Error 1" in (folder / "test.log").read_text()


def test_a_dry_run_makes_nothing(repository, user):
    done = fresh(repository, user, "--dry-run", "--folder", "new")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["make models", "make test"]
    assert not (repository.parent / "new").exists()
    assert list(Path(user["TMPDIR"]).iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tests"], "no such step or option: tests"),
        (["--folder"], "--folder wants a folder"),
        (["--folder", "user", "test"], "user is no empty folder"),
    ],
)
def test_a_mistake_is_told_with_the_usage(repository, user, arguments, said):
    done = fresh(repository, user, *arguments)
    assert done.returncode == 4
    assert done.stderr.splitlines()[0] == f"fresh.sh: {said}"
    assert done.stderr.splitlines()[1].startswith("usage: tools/fresh.sh ")
    assert list(Path(user["TMPDIR"]).iterdir()) == []
