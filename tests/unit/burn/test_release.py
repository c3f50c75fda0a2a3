"""Release builds are kept by module and toolchain, with their cost."""

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from burn_verify.burn.release import ReleaseBuilder, key_of
from burn_verify.core.stage import ConvertedModel
from burn_verify.system.kept import seal
from fakes import COST


@pytest.fixture
def model(tmp_path):
    for name in ("a.rs", "a.bpk"):
        (tmp_path / name).write_text("")
    return ConvertedModel(label="file/a", module="m_a", rust=tmp_path / "a.rs", weights=tmp_path / "a.bpk", seconds=0.0)


def test_a_kept_build_needs_no_cargo(cache, model):
    workspace = SimpleNamespace(fingerprint="1")
    folder = cache.folder("release", key_of(workspace, model))
    (folder / "runner").touch()
    seal(folder / "cost.json", [folder / "runner"], cost=asdict(COST))

    made = ReleaseBuilder(cache, workspace).build(None, model)

    assert made.cost == COST
    assert (made.binary.path, made.binary.modules) == (folder / "runner", {"m_a"})


def test_the_key_has_toolchain_rust_and_weights(model):
    one, other = SimpleNamespace(fingerprint="1"), SimpleNamespace(fingerprint="2")
    keys = {key_of(one, model), key_of(other, model)}
    model.weights.write_text("changed")
    keys.add(key_of(one, model))
    model.rust.write_text("changed")
    keys.add(key_of(one, model))

    assert len(keys) == 4
