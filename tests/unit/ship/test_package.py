"""A crate is written once, whole, and never over something."""

import tomllib
from pathlib import Path

import pytest

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.ship.crate import Load, files_of
from burn_verify.ship.package import contents_of, crate_name, require_absent, write


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("my-model", "my-model"),
        ("My Model", "my-model"),
        ("3d", "model-3d"),
        ("test", "test-model"),
        ("ß", "model"),
        ("burn_store", "burn_store-model"),
    ],
)
def test_a_folder_names_its_crate(folder, name):
    assert crate_name(Path(folder)) == name


@pytest.mark.parametrize("pregenerated", [True, False])
def test_no_crate_has_the_name_of_one_that_it_depends_on(pregenerated, proven):
    manifest = tomllib.loads(
        files_of(contents_of(proven, "m", Load.FILE, pregenerated=pregenerated))["Cargo.toml"].decode()
    )

    tables = [manifest.get(f"{kind}dependencies", {}) for kind in ("", "dev-", "build-")]
    for name in {name for table in tables for name in table}:
        assert crate_name(Path(name)) == f"{name}-model"


def test_the_crate_is_written(proven, tmp_path):
    contents = contents_of(proven, "my-model", Load.BYTES, pregenerated=True)

    write(tmp_path / "deep" / "my-model", contents)

    assert (tmp_path / "deep" / "my-model" / "src" / "lib.rs").is_file()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["my-model"]


def test_what_is_there_is_not_overwritten(proven, tmp_path):
    (tmp_path / "there").mkdir()
    contents = contents_of(proven, "there", Load.BYTES, pregenerated=True)

    with pytest.raises(UsageError, match="nothing is overwritten"):
        write(tmp_path / "there", contents)
    with pytest.raises(UsageError, match="nothing is overwritten"):
        require_absent(tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())


def test_a_place_that_cannot_be_written_is_one_line(proven, tmp_path):
    (tmp_path / "file").write_text("")
    contents = contents_of(proven, "m", Load.BYTES, pregenerated=True)

    with pytest.raises(StoreError, match="cannot be written"):
        write(tmp_path / "file" / "m", contents)
