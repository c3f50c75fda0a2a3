"""Units in a target folder of cargo: their names, and another target folder made of them."""

from pathlib import Path

import pytest

from burn_verify.burn.units import entries, generated_crate, take_over, unit_of

HASH = "0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "unit", "crate"),
    [
        (f"libserde_core-{HASH}.rlib", HASH, ""),
        (f"serde-{HASH}", HASH, ""),
        (f"libg_{HASH}-{HASH}.rmeta", HASH, f"g_{HASH}"),
        (f"batch_{HASH}-{HASH}", HASH, f"batch_{HASH}"),
        (f"libgemm-{HASH}.rlib", HASH, ""),
        (f"g_short-{HASH}.d", HASH, ""),
        ("serde-0123.d", "", ""),
        (".cargo-lock", "", ""),
    ],
)
def test_names(name: str, unit: str, crate: str) -> None:
    assert (unit_of(Path(name)), generated_crate(Path(name))) == (unit, crate)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    for name in ("deps/liba-1.rlib", "deps/libb-2.rlib", "build/a-1/output", ".fingerprint/a-1/lib-a", "converter"):
        path = tmp_path / "target" / "correctness" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "target" / "CACHEDIR.TAG").touch()
    return tmp_path / "target"


def test_entries_are_those_with_a_unit(target: Path) -> None:
    assert sorted(path.name for path in entries(target)) == ["a-1", "a-1", "liba-1.rlib", "libb-2.rlib"]
    assert list(entries(target / "none")) == []


def test_code_is_linked_and_what_cargo_writes_to_is_copied(target: Path, tmp_path: Path) -> None:
    other = tmp_path / "flex-wgpu" / "target"
    take_over(target, other, lambda path: "-1" in path.name)
    made = {str(path.relative_to(other)): path for path in other.rglob("*") if path.is_file()}
    assert made.keys() == {
        "correctness/deps/liba-1.rlib",
        "correctness/build/a-1/output",
        "correctness/.fingerprint/a-1/lib-a",
    }
    linked = {name for name, path in made.items() if path.samefile(target / name)}
    assert linked == {"correctness/deps/liba-1.rlib"}
    assert all(path.stat().st_mtime_ns == (target / name).stat().st_mtime_ns for name, path in made.items())


def test_what_an_interrupted_one_left_is_replaced(target: Path, tmp_path: Path) -> None:
    (tmp_path / "other.new" / "half").mkdir(parents=True)
    take_over(target, tmp_path / "other", lambda path: True)
    assert not (tmp_path / "other.new").exists()
    assert not (tmp_path / "other" / "half").exists()
