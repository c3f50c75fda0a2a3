"""Versions by the names a user types, and how a target is called."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from burn_verify.core import versions
from burn_verify.core.errors import UsageError
from burn_verify.core.target import Checkout, Target

CHECKOUT = Checkout(path=Path("/burn"), commit="1a2b3c4d5e6f", digest="9f8e7d6c5b4a")


def test_latest_is_the_newest_release_and_never_a_preview():
    assert versions.resolve("latest") == versions.LATEST
    assert versions.LATEST.is_release
    assert all("-" in version.burn for version in versions.VERSIONS[versions.VERSIONS.index(versions.LATEST) + 1 :])


@pytest.mark.parametrize("version", versions.VERSIONS, ids=lambda version: version.burn)
def test_a_version_is_found_by_its_number(version):
    assert versions.resolve(version.burn) is version
    assert versions.version_of_onnx(version.burn_onnx) is version
    assert version.backends[0] == ("ndarray" if version.importer == "burn-import" else "flex")
    assert set(version.backends) <= set(versions.BACKENDS)


def test_what_is_not_supported_is_said_with_what_is():
    with pytest.raises(UsageError, match=r"Burn '0\.1' is not supported; one of 0\.19\.1, 0\.20\.1, .* is"):
        versions.resolve("0.1")
    with pytest.raises(UsageError, match=r"burn-onnx '0\.1' is not supported"):
        versions.version_of_onnx("0.1")


@pytest.mark.parametrize(
    ("burn_onnx", "burn"),
    [
        ("0.21.0", "0.21.0"),
        ("0.22.0", "0.22.1"),
        ("0.22.1", "0.22.1"),
        ("0.23.0", "0.23.0-pre.1"),
        ("0.23", "0.23.0-pre.1"),
    ],
)
def test_sources_whose_version_was_raised_are_built_with_the_burn_of_their_series(burn_onnx, burn):
    assert versions.built_with(burn_onnx).burn == burn


@pytest.mark.parametrize("burn_onnx", ["0.19.1", "0.20.0", "1.22.0", "0.2", ""])
def test_sources_of_no_known_series_say_which_are_known(burn_onnx):
    with pytest.raises(UsageError, match=r"only 0\.21, 0\.22, 0\.23 are supported: choose another revision"):
        versions.built_with(burn_onnx)


def test_what_is_no_version_counts_as_the_default_one():
    assert versions.known("0.19.1").records == ("mpk", "mpk.gz", "bin", "json")
    assert versions.known("0.20.1").records == ("bpk",)
    assert versions.known("").records == versions.DEFAULT.records == ("bpk",)


def test_the_default_target_is_the_default_version():
    assert (Target().burn, Target().burn_onnx) == (versions.DEFAULT.burn, versions.DEFAULT.burn_onnx)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (Target(), "0.22.1 flex"),
        (Target(backend="wgpu", simplify=False), "0.22.1 wgpu no-simplify"),
        (Target(burn="0.19.1", backend="ndarray", record="mpk.gz"), "0.19.1 ndarray mpk.gz"),
        (Target(burn_checkout=CHECKOUT), "0.22.1+burn@1a2b3c4 flex"),
        (Target(burn_onnx_checkout=replace(CHECKOUT, dirty=True)), "0.22.1+burn-onnx@1a2b3c4~9f8e7d6 flex"),
        (Target(burn_checkout=replace(CHECKOUT, commit="")), "0.22.1+burn@~9f8e7d6 flex"),
    ],
)
def test_a_target_has_a_name(target, name):
    assert target.name == name
    assert re.fullmatch(r"\S+ \S+( mpk\.gz|( no-\S+)*)", name)


def test_what_is_built_once():
    key = Target().build_key
    assert key == Target(backend="wgpu", simplify=False, partition=False).build_key
    others = [
        Target(burn="x"),
        Target(burn_onnx="x"),
        Target(burn_checkout=CHECKOUT),
        Target(burn_onnx_checkout=CHECKOUT),
    ]
    assert len({key, *(other.build_key for other in others)}) == 5
