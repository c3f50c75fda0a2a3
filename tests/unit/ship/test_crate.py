"""The files of a crate: exact versions, no machine, and digests of what was verified."""

import dataclasses
import hashlib
import io
import re
import tomllib

import numpy as np
import pytest

from burn_verify.ship.crate import WEIGHTS, Load, files_of, library, npz, without_ids
from burn_verify.ship.package import contents_of


@pytest.fixture
def contents(proven):
    return contents_of(proven, "my-model", Load.EMBEDDED, pregenerated=True)


@pytest.mark.parametrize("pregenerated", [True, False])
def test_versions_are_exact_and_generated_code_has_one_source(proven, pregenerated):
    files = files_of(contents_of(proven, "my-model", Load.FILE, pregenerated=pregenerated))
    manifest = tomllib.loads(files["Cargo.toml"].decode())

    versions = [one if isinstance(one, str) else one["version"] for one in manifest["dependencies"].values()]
    assert all(version.startswith("=") for version in versions)
    assert ("build.rs" in files, "model/model.onnx" in files) == (not pregenerated, not pregenerated)
    assert ("src/generated.rs" in files) is pregenerated
    assert ("burn-onnx" in manifest.get("build-dependencies", {})) is not pregenerated
    assert manifest["profile"]["dev"]["package"]["burn-flex"]["opt-level"] == 3


def test_two_crates_of_a_name_are_told_apart_in_a_shared_target_folder(contents):
    versions = [
        tomllib.loads(files_of(one)["Cargo.toml"].decode())["package"]["version"]
        for one in (contents, contents, dataclasses.replace(contents, weights=contents.weights + b"0"))
    ]
    assert versions[0] == versions[1] != versions[2]
    assert re.fullmatch(r"0\.1\.0\+[0-9a-f]{12}", versions[0])


@pytest.mark.parametrize("pregenerated", [True, False])
@pytest.mark.parametrize("load", Load)
def test_no_place_is_left_unfilled_and_no_machine_is_named(proven, load, pregenerated):
    files = files_of(contents_of(proven, "my-model", load, pregenerated=pregenerated))

    for path, content in files.items():
        if path.endswith((".rs", ".toml", ".md")):
            assert b"{{" not in content.replace(b"{{}}", b""), path
            assert b"/somewhere/" not in content, path


def test_everything_that_was_verified_is_named_with_its_digest(contents):
    files = files_of(contents)
    test = files["tests/golden.rs"].decode()

    for path in (WEIGHTS, "src/generated.rs", "tests/golden.safetensors"):
        assert f'"{path}"' in test
        assert hashlib.sha256(files[path]).hexdigest() in test


def test_code_that_is_generated_anew_is_compared_with_what_was_verified(proven):
    contents = contents_of(proven, "my-model", Load.EMBEDDED, pregenerated=False)
    test = files_of(contents)["tests/golden.rs"].decode()

    assert hashlib.sha256(contents.generated.encode()).hexdigest() in test
    assert 'include_bytes!("../model/model.onnx")' in test


def test_inputs_that_were_fed_in_another_shape_are_free_there(contents):
    (port, *others) = contents.face.inputs
    declared = dataclasses.replace(port, shape=(99, *port.shape[1:]))
    face = dataclasses.replace(contents.face, inputs=(declared, *others))

    text = library(dataclasses.replace(contents, face=face))

    assert "Some(99)" not in text
    assert "shape: &[None" in text


@pytest.mark.parametrize(("load", "call"), [("embedded", "&device)"), ("file", "impl AsRef"), ("bytes", "Vec<u8>")])
def test_each_way_to_load_has_its_function(proven, load, call):
    files = files_of(contents_of(proven, "my-model", Load(load), pregenerated=True))

    assert call in (files["src/lib.rs"] + files["README.md"]).decode()


def test_a_name_with_marks_of_a_table_keeps_the_tables_whole(contents):
    odd = dataclasses.replace(contents, about={"greatest difference": "`a|b\nc` 0"})

    readme = files_of(odd)["README.md"].decode()

    assert "| greatest difference | `a\\|b c` 0 |" in readme.splitlines()


def test_a_name_that_looks_like_a_place_is_not_filled(contents):
    odd = dataclasses.replace(contents, title="{{ports}}", about={"greatest difference": "`{{load}}` 0"})

    files = files_of(odd)

    assert "| greatest difference | `{{load}}` 0 |" in files["README.md"].decode()
    assert files["src/lib.rs"].decode().startswith("//! {{ports}}, as a Burn module")


def test_arrays_of_any_name_can_be_read_by_numpy():
    arrays = {"file": np.array(1.5), "a/b:0": np.arange(4).reshape(2, 2)[:, ::-1]}

    with np.load(io.BytesIO(npz(arrays))) as read:
        assert {name: read[name].tolist() for name in read.files} == {"file": 1.5, "a/b:0": [[1, 0], [3, 2]]}


def test_ids_of_parameters_are_no_difference_and_values_are():
    files = [b"..param_id\x1b" + bytes(ids) + b"kdata" + data for ids, data in ((range(8), b"1"), (range(9, 17), b"1"))]

    assert without_ids(files[0]) == without_ids(files[1]) != files[0]
    assert without_ids(files[0]) != without_ids(files[0][:-1] + b"2")
    assert len(without_ids(b"param_id\x1b")) == 9


def test_half_weights_are_loaded_by_the_adapter_that_stored_them(contents):
    halved = dataclasses.replace(contents.target, weights="half")

    assert "HalfPrecisionAdapter" not in library(contents)
    assert "HalfPrecisionAdapter" in library(dataclasses.replace(contents, target=halved))


def test_burn_onnx_is_to_write_the_full_weights_again(proven):
    contents = contents_of(proven, "my-model", Load.FILE, pregenerated=False)
    halved = dataclasses.replace(contents, weights=b"half", full_weights=b"full")

    test = files_of(halved)["tests/golden.rs"].decode()

    assert hashlib.sha256(b"full").hexdigest() in test
    assert hashlib.sha256(b"half").hexdigest() in test
