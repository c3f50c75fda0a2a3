"""Collectors side by side: what one makes is put to its place, and a failure leaves nothing behind."""

from pathlib import Path

import pytest

from burn_verify.cases.collecting import collect
from burn_verify.core.errors import ToolchainError
from burn_verify.core.progress import Progress
from burn_verify.system.cache import Cache

COLLECTOR = "cases.generated.collector"


def test_every_name_gets_its_folder(tmp_path: Path) -> None:
    told: list[Progress] = []
    cache = Cache(tmp_path / "cache")
    collect(COLLECTOR, "quick", ["Neg", "Not"], tmp_path / "made", cache, phase="p", what="two", listen=told.append)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["Neg", "Not"]
    assert (tmp_path / "made" / "Neg" / "index.json").is_file()
    assert next((one.done, one.total) for one in told) == (0, 2)
    assert {one.done for one in told} == {0, 1, 2}


def test_a_collector_that_fails_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="could not be made"):
        collect(
            COLLECTOR,
            "quick",
            ["Neg", "NoSuch"],
            tmp_path / "made",
            Cache(tmp_path / "cache"),
            phase="p",
            what="two",
            listen=lambda _: None,
        )
    assert list((tmp_path / "made").iterdir()) == []
