"""What generated Rust can reach of two checkouts of Burn, by crates."""

from pathlib import Path

import pytest

from burn_verify.burn.reach import changed_crates, may_reach
from burn_verify.core.target import Checkout

MANIFEST = '[package]\nname = "{name}"\nversion = "0.22.1"\nedition = "2021"\n'


def checkout(folder: Path, **sources: str) -> Checkout:
    """Write a workspace with these crates, and a text for each."""
    for name, text in {"burn-tensor": "", "burn-nn": "", "burn-cuda-demo": "", **sources}.items():
        crate = folder / "crates" / name
        (crate / "src").mkdir(parents=True)
        (crate / "Cargo.toml").write_text(MANIFEST.format(name=name))
        (crate / "src" / "lib.rs").write_text(f"// {text}")
    (folder / "Cargo.toml").write_text('[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n')
    return Checkout(path=folder, digest=str(folder))


@pytest.fixture
def rust(tmp_path):
    def write(text):
        path = tmp_path / "model.rs"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("sources", "crates", "plain", "layers"),
    [
        ({}, set(), False, False),
        ({"burn-cuda-demo": "x"}, set(), False, False),
        ({"burn-nn": "x"}, {"burn-nn"}, False, True),
        ({"burn-tensor": "x"}, {"burn-tensor"}, True, True),
        ({"burn-nn": "x", "burn-tensor": "x"}, {"burn-nn", "burn-tensor"}, True, True),
    ],
)
def test_what_is_reached_follows_from_the_crates_that_differ(tmp_path, rust, sources, crates, plain, layers):
    one, other = checkout(tmp_path / "a"), checkout(tmp_path / "b", **sources)

    assert changed_crates(one, other) == crates
    assert may_reach(rust("fn forward() { a.add(b) }"), one, other) is plain
    assert may_reach(rust("use burn::nn::Linear;"), one, other) is layers


def test_tests_of_a_crate_are_not_compiled_and_its_workspace_is(tmp_path):
    one, other = checkout(tmp_path / "a"), checkout(tmp_path / "b")
    (other.path / "crates" / "burn-tensor" / "tests").mkdir()
    (other.path / "crates" / "burn-tensor" / "tests" / "t.rs").touch()
    assert changed_crates(one, other) == set()
    third = checkout(tmp_path / "c")
    (third.path / "Cargo.toml").write_text('[workspace]\nmembers = ["crates/*"]\nresolver = "3"\n')
    assert changed_crates(one, third) == {"burn-tensor", "burn-nn"}


def test_of_a_release_nothing_is_known(tmp_path, rust):
    assert may_reach(rust(""), None, checkout(tmp_path / "a"))
