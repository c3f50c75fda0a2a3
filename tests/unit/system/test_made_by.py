"""Digests of rooms and of the versions of libraries."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from burn_verify.system.made_by import MadeBy, installed_version, source_digest


def installed(folder: Path, version: str) -> None:
    note = folder / "imagined-0.dist-info" / "METADATA"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"Metadata-Version: 2.1\nName: imagined\nVersion: {version}\n", encoding="utf-8")
    installed_version.cache_clear()


def test_another_version_is_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    digests = set()
    for version in ("1.0", "1.1"):
        installed(tmp_path, version)
        digests.add(MadeBy(rooms=("core",), libraries=("imagined",)).digest)
    digests |= {MadeBy(rooms=rooms).digest for rooms in (("core",), ("core", "system"), ("cases/seeded",))}
    assert len(digests) == 5


def test_a_room_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no room is called 'attic'"):
        source_digest("core", "attic")


def test_a_library_that_is_not_there() -> None:
    installed_version.cache_clear()
    with pytest.raises(PackageNotFoundError):
        _ = MadeBy(rooms=("core",), libraries=("imagined",)).digest
