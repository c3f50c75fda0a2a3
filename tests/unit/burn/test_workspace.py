"""The workspace of a target: its files, and what its fingerprints depend on. Nothing is compiled."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from burn_verify.burn.recipe import Patch, Recipe
from burn_verify.burn.workspace import Workspace, recipes_built
from burn_verify.core import versions
from burn_verify.core.progress import Progress, silent
from burn_verify.core.target import Checkout, Target
from burn_verify.system.cache import Cache
from burn_verify.system.files import write_json
from burn_verify.system.kept import seal

OLD = versions.resolve("0.21.0")


def workspace(cache: Cache, target: Target | None = None, *backends: str) -> Workspace:
    return Workspace.of(cache, silent, target or Target(), backends)


def finish(one: Workspace) -> None:
    """Leave behind what a build leaves."""
    one.folder.mkdir(parents=True)
    for tool in ("converter", "probe"):
        (one.folder / tool).touch()
    tools = [one.folder / tool for tool in ("converter", "probe")]
    seal(one.folder / "ready.json", tools, fingerprint=one.fingerprint, backends=one.recipe.backends)


def test_generated_crates_are_members_and_lie_in_the_workspace(cache: Cache) -> None:
    one = workspace(cache)
    one.write({"g_1/src/lib.rs": "// one", "batch_1/src/main.rs": "// all"}, ["g_1", "batch_1"])
    members = tomllib.loads((one.build.folder / "Cargo.toml").read_text())["workspace"]["members"]
    assert members[-2:] == ["generated/g_1", "generated/batch_1"]
    assert all((one.build.folder / member).is_dir() for member in members)
    assert (one.build.folder / "generated/g_1/src/lib.rs").read_text() == "// one"


def test_what_did_not_change_is_not_written_again(cache: Cache) -> None:
    one = workspace(cache)
    one.write({}, ())
    times = {path: path.stat().st_mtime_ns for path in one.build.folder.rglob("*")}
    one.write({}, ())
    assert {path: path.stat().st_mtime_ns for path in one.build.folder.rglob("*")} == times


def test_crates_that_cargo_put_into_the_lock_file_stay(cache: Cache) -> None:
    one = workspace(cache)
    one.write({}, ())
    lock = one.build.folder / "Cargo.lock"
    lock.write_text("of cargo")
    one.write({}, ())
    assert lock.read_text() == "of cargo"
    (one.folder / "lock.sha256").write_text("of another version of ours")
    one.write({}, ())
    assert lock.read_text() != "of cargo"


def test_backends_decide_what_the_runner_does_and_not_what_the_converter_does(cache: Cache) -> None:
    one, other = workspace(cache), workspace(cache, None, "ndarray")
    assert one.fingerprint != other.fingerprint
    assert one.converter_fingerprint == other.converter_fingerprint
    assert one.folder != other.folder


def test_nothing_that_is_compiled_shares_a_lock_or_what_cargo_locks(cache: Cache) -> None:
    plain, other = workspace(cache), workspace(cache, None, "ndarray")
    old = Workspace(cache, silent, Recipe(version=OLD, backends=("flex",)))
    every = [one for workspace in (plain, other, old) for one in (workspace, workspace.timed())]
    assert len({one.lock for one in every}) == len({one.build.folder for one in every}) == 6
    # cargo locks the folder of a profile.
    assert len({one.build.target for one in (plain, other, old)}) == 3
    assert plain.timed().fingerprint == plain.fingerprint


def test_the_default_backend_stays_where_it_is(cache: Cache) -> None:
    plain = workspace(cache)
    assert plain.build.target == cache.root / "burn-0.22.1" / "target"
    assert plain.build.folder == cache.root / "burn-0.22.1" / "flex" / "workspace"


UNIT, STRANGE = "1" * 16, "2" * 16


def compiled_units(one: Workspace) -> Path:
    """Leave a unit that a workspace needs, one that it does not, and a generated crate; return the units' folder."""
    write_json(one.folder / "units.json", [UNIT])
    profile = one.build.target / "correctness"
    for name in (f"libserde-{UNIT}.rlib", f"libold-{STRANGE}.rlib", f"libg_{UNIT}-{STRANGE}.rlib"):
        write_json(profile / "deps" / name, name)
    write_json(profile / ".fingerprint" / f"serde-{UNIT}" / "lib-serde", "hash")
    return profile


def test_another_recipe_begins_with_what_is_compiled_for_the_default_backend(cache: Cache) -> None:
    one, other = workspace(cache), workspace(cache, None, "ndarray")
    compiled_units(one)
    other.write({}, ())
    taken = {path.relative_to(other.build.target) for path in other.build.target.rglob("*") if path.is_file()}
    assert {str(path) for path in taken} == {
        f"correctness/deps/libserde-{UNIT}.rlib",
        f"correctness/.fingerprint/serde-{UNIT}/lib-serde",
    }
    again = other.build.target / "correctness" / "deps" / f"libserde-{UNIT}.rlib"
    again.unlink()
    other.write({}, ())
    assert not again.exists()


def test_beside_a_busy_workspace_cargo_finds_its_crates(cache: Cache) -> None:
    one = workspace(cache)
    crates = [f"g_{UNIT}", f"g_{STRANGE}"]
    one.write({f"{crate}/src/lib.rs": f"// {crate}" for crate in crates}, crates)
    compiled_units(one)
    source = one.build.folder / "generated" / crates[0] / "src" / "lib.rs"
    with one.beside(crates[:1]) as beside:
        assert beside.fingerprint == one.fingerprint
        assert {path.name for path in beside.build.folder.glob("generated/*")} == {crates[0]}
        copied = beside.build.folder / source.relative_to(one.build.folder)
        assert copied.stat().st_mtime_ns == source.stat().st_mtime_ns
        deps = {path.name for path in (beside.build.target / "correctness" / "deps").iterdir()}
        assert deps == {f"libserde-{UNIT}.rlib", f"libg_{UNIT}-{STRANGE}.rlib"}
        beside.write({}, ())
        assert copied.stat().st_mtime_ns == source.stat().st_mtime_ns
    assert not beside.build.folder.exists()
    assert source.exists()


def test_versions_that_are_only_in_the_manifest_are_in_both_fingerprints(cache: Cache) -> None:
    one = workspace(cache)
    other = Workspace(cache, silent, replace(one.recipe, version=replace(one.recipe.version, burn_onnx="0.22.9")))
    assert one.fingerprint != other.fingerprint
    assert one.converter_fingerprint != other.converter_fingerprint


def test_another_burn_onnx_has_its_converter_elsewhere(cache: Cache) -> None:
    plain, other = workspace(cache), workspace(cache, Target(burn_onnx=OLD.burn_onnx))
    old = Workspace(cache, silent, Recipe(version=OLD, backends=("flex",)))
    assert other.fingerprint == plain.fingerprint
    assert other.converter_fingerprint == old.converter_fingerprint != plain.converter_fingerprint
    finish(plain)
    assert plain.ready
    assert other.ready is None
    finish(old)
    assert other.ready == plain.ready
    assert (plain.converter(), other.converter()) == (plain.folder / "converter", old.folder / "converter")
    assert plain.probe() == other.probe() == plain.folder / "probe"


@pytest.mark.parametrize("missing", ["converter", "probe", "ready.json"])
def test_what_is_not_complete_is_not_ready(cache: Cache, missing: str) -> None:
    one = workspace(cache)
    finish(one)
    (one.folder / missing).unlink()
    assert one.ready is None


@pytest.mark.parametrize("damaged", ["converter", "probe", "ready.json"])
def test_what_is_damaged_is_not_ready(cache: Cache, damaged: str) -> None:
    one = workspace(cache)
    finish(one)
    (one.folder / damaged).write_bytes(b"\0")
    assert one.ready is None


def test_recipes_that_are_built_and_up_to_date(cache: Cache) -> None:
    finish(workspace(cache))
    finish(workspace(cache, None, "ndarray"))
    stale = workspace(cache, None, "wgpu")
    finish(stale)
    write_json(stale.folder / "ready.json", {"fingerprint": "another", "backends": stale.recipe.backends})
    assert [recipe.backends for recipe in recipes_built(cache, versions.DEFAULT)] == [("flex",), ("flex", "ndarray")]


def test_a_checkout_is_in_both_fingerprints(cache: Cache, tmp_path: Path) -> None:
    recipe = workspace(cache).recipe
    digests = set()
    for content in ("a", "b"):
        checkout = a_checkout(tmp_path, content)
        patched = replace(recipe, patches=(Patch(project="burn-onnx", checkout=checkout, crates=()),))
        one = Workspace(cache, silent, patched)
        digests |= {one.fingerprint, one.converter_fingerprint}
    assert len(digests) == 4


def a_checkout(path: Path, digest: str) -> Checkout:
    return Checkout(path=path, commit="1a2b3c4d", digest=digest)


ARTIFACT = {
    "reason": "compiler-artifact",
    "target": {"name": "batch"},
    "filenames": ["/t/libbatch-0123456789abcdef.rlib"],
}
REFUSED = {
    "reason": "compiler-message",
    "target": {"name": "batch"},
    "message": {"level": "error", "message": "mismatched types", "rendered": "error: mismatched types", "spans": []},
}
GONE = "echo 'error: no matching package named `burn-onnx` found' >&2; exit 101"


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return a function that builds with a cargo of these words, and returns the run, its calls and what was told."""

    def build(offline, online):
        calls = tmp_path / "calls"
        script = f'echo "$*" >> "{calls}"\ncase "$*" in *--offline*) {offline};; *) {online};; esac\n'
        for name, text in {"cargo": script, "rustc": "echo rustc 1.95.0"}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        told: list[Progress] = []
        one = Workspace.of(Cache(tmp_path / "cache"), told.append, Target())
        one.write({}, ())
        run = one.compile("batch", {"batch": "a batch"})
        return run, calls.read_text().splitlines(), [one.text for one in told]

    return build


def says(message):
    return f"echo '{json.dumps(message)}'"


def test_sources_that_are_gone_are_fetched_again(built):
    run, calls, told = built(GONE, says(ARTIFACT))
    assert (run.code, run.artifacts) == (0, {"batch"})
    assert ["--offline" in call for call in calls] == [True, False]
    assert any(text.startswith("fetching the sources of ") and text.endswith(" again") for text in told)


def test_sources_that_cannot_be_fetched_keep_cargos_words(built):
    run, calls, _ = built(GONE, "echo 'error: failed to get `burn`' >&2; exit 101")
    assert run.gave_up
    assert len(calls) == 2


@pytest.mark.parametrize(
    "offline",
    [says(ARTIFACT), f"{says(REFUSED)}; exit 101", f"{says(ARTIFACT)}; exit 101"],
    ids=["built", "refused", "the rest was killed"],
)
def test_nothing_is_fetched_where_cargo_had_the_sources(built, offline):
    _, calls, told = built(offline, "exit 1")
    assert len(calls) == 1
    assert told == []


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("kill -TERM $$", "cargo: it was ended by SIGTERM"),
        ("echo 'error: disk full' >&2; exit 101", "error: disk full"),
        ("exit 101", "cargo said nothing"),
    ],
)
def test_how_cargo_ended_is_told(built, tmp_path, end, said):
    says_first = "echo '   Compiling syn' >&2; " if "kill" in end else ""
    run, calls, _ = built(f"{says_first}{end}", f"{says_first}{end}")
    assert len(calls) == (1 if run.code < 0 else 2), "a signal says nothing of sources"
    one = Workspace.of(Cache(tmp_path / "cache"), silent, Target())
    message = str(one.build.failure("it could not be built", run.code))
    assert message == f"it could not be built: {said} (whole log: {one.build.log})"


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """Return a workspace with a library that was compiled, and the folder of its profile."""
    for name, text in {"cargo": says(ARTIFACT), "rustc": "echo rustc 1.95.0"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    one = Workspace.of(Cache(tmp_path / "cache"), silent, Target())
    profile = compiled_units(one)
    one.write({"g_1/src/lib.rs": "// one"}, ["g_1"])
    one.compile("batch", {})
    return one, profile


@pytest.mark.parametrize("content", ["flipped", "", None])
def test_a_damaged_library_is_compiled_again(compiled, content):
    one, profile = compiled
    library, note = profile / "deps" / f"libserde-{UNIT}.rlib", profile / ".fingerprint" / f"serde-{UNIT}"
    library.unlink()
    if content is not None:
        library.write_text(content)
    assert note.exists()
    with one.beside([f"g_{UNIT}"]) as beside:
        assert list((beside.build.target / "correctness" / "deps").iterdir()) != []
        assert not (beside.build.target / "correctness" / ".fingerprint" / note.name).exists()
    one.write({}, ())
    assert not note.exists()


def test_an_untouched_library_is_not_compiled_again(compiled):
    one, profile = compiled
    one.write({}, ())
    assert (profile / ".fingerprint" / f"serde-{UNIT}").exists()


def test_a_library_of_another_crate_that_vanishes_is_no_error(compiled):
    """Crates that were packaged may be compiled in the same target folder."""
    one, profile = compiled
    (profile / "deps" / "libmine-0123456789abcdef.rlib").symlink_to("gone")

    assert one.compile("batch", {}).code == 0


def test_a_damaged_lock_file_is_written_again(compiled):
    one, _ = compiled
    lock = one.build.folder / "Cargo.lock"
    whole = lock.read_text()
    lock.write_text(whole[: len(whole) // 2])
    one.write({}, ())
    assert lock.read_text() == whole


@pytest.mark.parametrize("name", ["ready.json", "ready-latency.json", "units.json"])
@pytest.mark.parametrize("text", ["{", "[]", '{"other": 1}', "3", '["\\u0000"]'])
def test_a_damaged_note_is_no_note(cache, name, text):
    one = workspace(cache)
    one.folder.mkdir(parents=True)
    (one.folder / name).write_text(text)
    assert one.ready is None
    assert not recipes_built(cache, versions.DEFAULT)
    one.write({}, ())
