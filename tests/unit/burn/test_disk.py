"""What is on disk by what needs it: nothing that another workspace needs is ever deleted."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from burn_verify.burn import disk
from burn_verify.burn.disk import Kind
from burn_verify.system.cache import Cache
from burn_verify.system.files import write_json
from holding import held

SHARED, FLEX, WGPU, OLD, MODEL = (f"{digit}" * 16 for digit in "12345")


def put(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def make_version(root, number="0.22.1"):
    """Make two workspaces with a unit of their own each, one that both need, one that nobody needs, and a model."""
    version = root / f"burn-{number}"
    for name, units in {"flex": [SHARED, FLEX], "flex-wgpu": [SHARED, WGPU]}.items():
        write_json(version / name / "units.json", units)
        write_json(version / name / "ready.json", {"title": f"Burn {number} for {name}"})
        put(version / name / "workspace" / "generated" / "g_0" / "lib.rs", 1)
    deps = version / "target" / "correctness" / "deps"
    for size, (crate, unit) in enumerate(
        [("serde", SHARED), ("burn_flex", FLEX), ("burn_wgpu", WGPU), ("old", OLD), ("g_0123456789abcdef", MODEL)], 1
    ):
        put(deps / f"lib{crate}-{unit}.rlib", 1000 * size)
        put(deps.parent / ".fingerprint" / f"{crate}-{unit}" / "invoked", 100)
    return version


@pytest.fixture
def cache(tmp_path):
    make_version(tmp_path)
    put(tmp_path / "checkouts" / "burn-0123" / "Cargo.toml", 7)
    return Cache(tmp_path)


def named(cache):
    return {(usage.kind, usage.name): usage for usage in disk.usages(cache)}


def left(cache):
    return {path.name for path in (cache.root / "burn-0.22.1/target/correctness/deps").glob("*")}


def test_sizes_by_what_needs_them(cache):
    found = named(cache)
    flex = found[Kind.TARGET, "Burn 0.22.1 for flex"]
    assert flex.shared == 1100
    assert 2100 < flex.own < 2500
    assert 3100 < found[Kind.TARGET, "Burn 0.22.1 for flex-wgpu"].own < 3500
    assert found[Kind.LEFTOVERS, "what nothing needs any more of Burn 0.22.1"].own == 4100
    assert found[Kind.MODELS, "models compiled with Burn 0.22.1"].own == 5100 + 2
    assert found[Kind.CHECKOUT, "burn-0123"].own == 7
    assert len(found) == 5


def test_a_target_is_freed_without_what_others_need(cache):
    usage = named(cache)[Kind.TARGET, "Burn 0.22.1 for flex-wgpu"]
    assert disk.free(cache, usage) == usage.own
    assert left(cache) == {
        f"{name}.rlib"
        for name in (f"libserde-{SHARED}", f"libburn_flex-{FLEX}", f"libold-{OLD}", f"libg_0123456789abcdef-{MODEL}")
    }
    assert (Kind.TARGET, "Burn 0.22.1 for flex") in named(cache)


def test_a_target_with_a_folder_of_its_own_shares_by_links(cache):
    version = cache.root / "burn-0.22.1"
    deps, own = version / "target/correctness/deps", version / "flex-wgpu/target/correctness/deps"
    own.mkdir(parents=True)
    os.link(deps / f"libserde-{SHARED}.rlib", own / f"libserde-{SHARED}.rlib")
    put(own / f"libburn_wgpu-{WGPU}.rlib", 3000)
    put(own / f"libold-{OLD}.rlib", 50)
    put(own / f"libg_0123456789abcdef-{MODEL}.rlib", 60)
    before = named(cache)
    wgpu, flex = before[Kind.TARGET, "Burn 0.22.1 for flex-wgpu"], before[Kind.TARGET, "Burn 0.22.1 for flex"]
    assert (wgpu.shared, flex.shared) == (1000, 1000)
    assert 3100 < wgpu.own < 3600
    assert before[Kind.MODELS, "models compiled with Burn 0.22.1"].own == 5100 + 2 + 60
    leftovers = before[Kind.LEFTOVERS, "what nothing needs any more of Burn 0.22.1"]
    assert leftovers.own == 4100 + 3100 + 50
    assert disk.free(cache, leftovers) == leftovers.own
    assert {path.name for path in own.iterdir()} == {
        f"{name}.rlib" for name in (f"libserde-{SHARED}", f"libburn_wgpu-{WGPU}", f"libg_0123456789abcdef-{MODEL}")
    }
    assert disk.free(cache, flex) == flex.own
    assert named(cache)[Kind.TARGET, "Burn 0.22.1 for flex-wgpu"].shared == 0


def test_units_of_the_latency_profile_are_needed(cache):
    write_json(cache.root / "burn-0.22.1" / "flex" / "units-latency.json", [OLD])
    assert Kind.LEFTOVERS not in {usage.kind for usage in disk.usages(cache)}


def test_what_killed_runs_left(cache):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    put(cache.root / "linking" / f"{ended.pid}-x" / "target" / "runner", 9)
    put(cache.root / "linking" / f"{os.getpid()}-x" / "target" / "runner", 9)
    usage = named(cache)[Kind.LEFTOVERS, "what runs that were killed left"]
    assert disk.free(cache, usage) == usage.own == 9
    assert [path.name for path in (cache.root / "linking").iterdir()] == [f"{os.getpid()}-x"]


@pytest.mark.parametrize("busy", ["flex-correctness", "flex-wgpu-correctness", "flex-latency"])
def test_who_compiles_is_waited_for(cache, busy):
    usage = named(cache)[Kind.MODELS, "models compiled with Burn 0.22.1"]
    with held(cache, f"burn-0.22.1-{busy}") as other, ThreadPoolExecutor() as pool:
        freed = pool.submit(disk.free, cache, usage)
        assert named(cache)[Kind.MODELS, usage.name] == usage
        other.release()
        assert freed.result() == usage.own
        assert other.mark.exists()


def test_the_last_target_takes_the_version_with_it(cache):
    for usage in disk.usages(cache):
        if usage.kind is Kind.TARGET:
            disk.free(cache, usage)
    assert not (cache.root / "burn-0.22.1").exists()


@pytest.mark.parametrize(
    ("kind", "gone"), [(Kind.MODELS, f"libg_0123456789abcdef-{MODEL}"), (Kind.LEFTOVERS, f"libold-{OLD}")]
)
def test_models_and_leftovers(cache, kind, gone):
    before = left(cache)
    usage = next(usage for usage in disk.usages(cache) if usage.kind is kind)
    assert disk.free(cache, usage) == usage.own
    assert before - left(cache) == {f"{gone}.rlib"}
    assert kind not in {usage.kind for usage in disk.usages(cache)}


def test_a_checkout(cache):
    usage = named(cache)[Kind.CHECKOUT, "burn-0123"]
    assert disk.free(cache, usage) == 7
    assert not usage.folder.exists()


def test_an_empty_cache(tmp_path):
    assert disk.usages(Cache(tmp_path / "none")) == ()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("text", ["{", "{}", "3", "[1, 2]"])
@pytest.mark.parametrize("name", ["units.json", "ready.json", "units-latency.json"])
def test_damaged_notes_are_told_as_not_complete(cache, name, text):
    (cache.root / "burn-0.22.1" / "flex" / name).write_text(text)
    assert len(disk.usages(cache)) == 5
