"""Targets: their names in columns, sentences and folders, and what they share."""

from pathlib import Path

import pytest

from burn_verify.core.target import Checkout, Target

CLEAN = Checkout(path=Path("burn-onnx"), commit="1a2b3c4d5e", digest="9f8e7d6c5b")


@pytest.mark.parametrize(
    ("target", "name", "slug"),
    [
        (Target(), "0.22.1 flex", "burn-0.22.1-flex"),
        (Target(backend="wgpu", simplify=False), "0.22.1 wgpu no-simplify", "burn-0.22.1-wgpu-no-simplify"),
        (Target(via="http-json"), "0.22.1 flex http-json", "burn-0.22.1-flex-http-json"),
        (
            Target(load="bytes", weights="half", via="wasm"),
            "0.22.1 flex bytes half weights wasm",
            "burn-0.22.1-flex-bytes-half-weights-wasm",
        ),
        (
            Target(burn_onnx_checkout=CLEAN),
            "0.22.1+burn-onnx@1a2b3c4 flex",
            "burn-0.22.1-burn-onnx-1a2b3c4-flex",
        ),
        (
            Target(burn_onnx="0.23.0-pre.1", burn_onnx_checkout=CLEAN),
            "0.22.1+burn-onnx-0.23.0-pre.1@1a2b3c4 flex",
            "burn-0.22.1-burn-onnx-0.23.0-pre.1-1a2b3c4-flex",
        ),
    ],
)
def test_a_name_has_what_is_not_the_default(target, name, slug):
    assert target.name == name
    assert target.slug == slug


def test_a_sentence_names_options_that_are_off():
    assert Target(partition=False).label == "Burn 0.22.1 on flex, not partitioned"
    assert Target(via="http-json").label == "Burn 0.22.1 on flex, via http-json"
    assert Target(load="bytes", weights="half").label == "Burn 0.22.1 on flex, weights as bytes, half weights"


@pytest.mark.parametrize(
    ("checkout", "label"),
    [
        (CLEAN, "1a2b3c4"),
        (Checkout(path=Path(), commit="1a2b3c4d5e", dirty=True, digest="9f8e7d6c5b"), "1a2b3c4~9f8e7d6"),
        (Checkout(path=Path(), digest="9f8e7d6c5b"), "~9f8e7d6"),
    ],
)
def test_a_checkout_is_named_by_its_commit_where_the_sources_are_those_of_it(checkout, label):
    assert checkout.label == label


def test_backends_and_conversion_options_share_a_build_and_checkouts_do_not():
    assert Target(backend="wgpu", simplify=False).build_key == Target().build_key
    assert Target(burn_checkout=CLEAN).build_key != Target().build_key
    assert Target(burn_checkout=CLEAN).build_key != Target(burn_onnx_checkout=CLEAN).build_key


def test_a_target_without_a_version_has_a_name():
    unknown = Target(burn="", burn_onnx="", backend="")
    assert unknown.label == "Burn of unknown version"
    assert unknown.name == "of unknown version"
