"""What a run is about: the product of the targets that were asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from burn_verify.burn.shipped import Shipped
from burn_verify.core import targets
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.target import Checkout, Target
from burn_verify.run.selected import asked, shipped_by


def no_checkout(text, project):
    pytest.fail(f"nobody asked for {text}")


def test_nothing_said_is_one_target_without_a_name():
    (only,) = asked(Settings(), no_checkout)

    assert only.target == Target()
    assert only.settings == Settings()
    assert targets.names([only.target]) == {only.target: ""}


def test_the_product_is_in_the_order_of_what_was_typed():
    settings = settings_from({"burn_version": "0.23.0-pre.1,latest,0.22.1", "burn_backend": "wgpu,flex"})
    found = asked(settings, no_checkout)

    assert list(targets.names(one.target for one in found).values()) == [
        "0.23.0-pre.1/wgpu",
        "0.23.0-pre.1/flex",
        "0.22.1/wgpu",
        "0.22.1/flex",
    ]


def test_a_target_alone_is_meant_by_its_own_settings():
    settings = settings_from({"simplify": "on,off", "burn_backend": "flex,wgpu", "timeout": "5"})
    found = asked(settings, no_checkout)

    assert len(found) == 4
    for one in found:
        assert asked(one.settings, no_checkout) == (one,)
        assert one.settings.timeout == 5


def test_checkouts_are_opened_by_their_project(tmp_path):
    settings = settings_from({"burn_path": f"release,{tmp_path}@main", "burn_onnx_path": str(tmp_path)})
    seen = []

    def opened(text, project):
        seen.append((text, project))
        return Checkout(path=Path(text), commit=project * 8)

    found = [one.target for one in asked(settings, opened)]

    assert set(seen) == {(f"{tmp_path}@main", "burn"), (str(tmp_path), "burn-onnx")}
    assert [target.burn_checkout is None for target in found] == [True, False]
    assert all(target.burn_onnx_checkout for target in found)


@pytest.mark.parametrize(
    ("said", "found", "burn"),
    [
        (None, ("0.22.0", "0.23.0-pre.2"), "0.23.0-pre.1"),
        (None, ("0.22.0", "0.22.7"), "0.22.1"),
        (None, ("", ""), "0.22.1"),
        (None, ("0.22.0", "0.99.0"), "0.22.1"),
        ("0.22.1", ("0.22.0", "0.23.0-pre.2"), "0.22.1"),
    ],
)
def test_a_checkout_brings_its_version_and_the_newest_one_burn_where_none_is_said(tmp_path, said, found, burn):
    folders = [tmp_path / "old", tmp_path / "new"]
    for folder in folders:
        folder.mkdir()
    of = dict(zip(map(str, folders), found, strict=True))
    settings = settings_from({"burn_onnx_path": ",".join(of)} | ({"burn_version": said} if said else {}))

    def opened(text, _):
        return Checkout(path=Path(text), version=of[text])

    chosen = asked(settings, opened)
    assert [one.target.burn_onnx for one in chosen] == [version or "0.22.0" for version in found]
    assert {one.target.burn for one in chosen} == {burn}
    for one in chosen:
        assert asked(one.settings, opened) == (one,)


def test_what_cannot_be_is_a_mistake_only_where_it_is_all_there_is():
    with pytest.raises(UsageError, match=r"Burn 0\.21\.0 has no backend 'wgpu' here; it has flex"):
        asked(settings_from({"burn_version": "0.21.0", "burn_backend": "wgpu"}), no_checkout)
    found = asked(settings_from({"burn_version": "0.21.0", "burn_backend": "flex,wgpu"}), no_checkout)
    assert [targets.refusal(one.target) is None for one in found] == [True, False]
    with pytest.raises(UsageError, match="is not supported"):
        asked(settings_from({"burn_version": "0.1.0,latest"}), no_checkout)


def test_a_version_has_its_own_backend_and_record_type_where_none_is_named():
    found = asked(settings_from({"burn_version": "0.19.1,0.22.1"}), no_checkout)
    assert [(one.target.backend, one.target.record) for one in found] == [("ndarray", "mpk"), ("flex", "bpk")]
    # What is typed again names neither.
    assert [(one.settings.burn_backend, one.settings.record_type) for one in found] == [((), ()), ((), ())]

    typed = {"burn_version": "0.19.1", "record_type": "json,mpk", "burn_backend": "ndarray"}
    assert [one.target.name for one in asked(settings_from(typed), no_checkout)] == [
        "0.19.1 ndarray json",
        "0.19.1 ndarray mpk",
    ]


def test_a_crate_of_the_user_decides_versions_sources_and_backends(tmp_path):
    crate = Shipped(
        lock=tmp_path, burn="0.22.1", burn_onnx="0.21.0", backends=("ndarray", "wgpu"), burn_onnx_path="there"
    )
    given = Settings(manifest_path=tmp_path, burn_backend=())

    found = asked(given, lambda text, project: Checkout(path=tmp_path / text, commit=project), crate)

    assert [(one.target.burn, one.target.burn_onnx, one.target.backend) for one in found] == [
        ("0.22.1", "0.21.0", "ndarray"),
        ("0.22.1", "0.21.0", "wgpu"),
    ]
    assert {one.target.burn_onnx_checkout.path for one in found} == {tmp_path / "there"}
    # What is typed again names the crate, not its versions.
    assert [one.settings for one in found] == [replace(given, burn_backend=(name,)) for name in ("ndarray", "wgpu")]


def test_named_backends_and_sources_come_before_those_of_a_crate(tmp_path):
    crate = Shipped(lock=tmp_path, burn="0.22.1", burn_onnx="0.22.0", backends=("wgpu",), burn_path="there")
    given = Settings(manifest_path=tmp_path, burn_backend=("flex",), burn_path=("here",))

    (found,) = asked(given, lambda text, project: Checkout(path=tmp_path / text, commit=project), crate)

    assert (found.target.backend, found.target.burn_checkout.path) == ("flex", tmp_path / "here")


def crate_of(folder, features, burn="0.22.1"):
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "lib.rs").touch()
    manifest = folder / "Cargo.toml"
    manifest.write_text(
        '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n'
        f'burn = {{ version = "0.22", features = ["{features}"] }}\n'
    )
    source = "registry+https://github.com/rust-lang/crates.io-index"
    locked = f'version = 4\n[[package]]\nname = "burn"\nversion = "{burn}"\nsource = "{source}"\n'
    (folder / "Cargo.lock").write_text(locked)
    return manifest


def test_what_a_crate_ships_is_told(tmp_path):
    told = []
    manifest = crate_of(tmp_path / "app", "metal")

    found = shipped_by(Settings(manifest_path=manifest, burn_backend=()), told.append)

    assert found.backends == ("wgpu",)
    assert [event.text for event in told] == [found.title, *found.notes]
    assert all(event.whole for event in told)
    assert shipped_by(Settings(), told.append) is None


def test_a_crate_that_computes_on_what_cannot_be_verified(tmp_path):
    manifest = crate_of(tmp_path / "app", "tch")

    with pytest.raises(UsageError, match=r"tch cannot be verified, flex, .* can: say one with --burn-backend"):
        shipped_by(Settings(manifest_path=manifest, burn_backend=()), lambda event: None)
    assert shipped_by(Settings(manifest_path=manifest, burn_backend=("flex",)), lambda event: None).burn == "0.22.1"
