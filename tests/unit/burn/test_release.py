"""Release builds are kept by module and toolchain, with their cost."""

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from burn_verify.burn.release import ReleaseBuilder, key_of
from burn_verify.burn.workspace import Workspace
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Target
from burn_verify.system.files import read_json
from burn_verify.system.kept import seal
from fakes import COST
from holding import held


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


CARGO = """\
#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = -p ] && package=$2; [ "$1" = --profile ] && profile=$2; shift; done
mkdir -p "$CARGO_TARGET_DIR/$profile/deps"
echo runner > "$CARGO_TARGET_DIR/$profile/$package"
crates=$(ls generated 2>/dev/null); for crate in $crates; do
  echo '{"crate": "'$crate'", "seconds": 1.5, "peak": 7}' >> "$BURN_VERIFY_RUSTC_LOG"
done
echo '{"reason":"compiler-artifact","target":{"name":"'$package'"},"filenames":["/t/libserde-0123456789abcdef.rlib"],\
"executable":"'"$CARGO_TARGET_DIR/$profile/$package"'"}'
"""


def test_a_release_build_waits_for_no_other_profile(cache, model, identity, tmp_path, monkeypatch):
    for name, text in {"cargo": CARGO, "rustc": "#!/bin/sh\necho rustc 1.95.0\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    told = []
    workspace = Workspace.of(cache, told.append, Target())
    with held(cache, workspace.lock) as other:
        made = ReleaseBuilder(cache, workspace).build(SimpleNamespace(model=identity()), model)
        assert not other.mark.exists()
    assert made.cost.rustc == 1.5
    assert [one for one in told if one.whole] == []
    assert not workspace.build.folder.exists()
    assert read_json(workspace.folder / "units-latency.json") == ["0123456789abcdef"]
