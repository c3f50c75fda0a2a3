"""A folder of kept runs: one numbered file for each run, so that the listing is the history.

Reads and writes the files; `report.summary.changes` compares the runs.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.record import store
from burn_verify.record.codec import Record
from burn_verify.system.files import write_if_changed

_NAME: Final = re.compile(r"(\d{4,})_([^_]+)_(\d{8})\.jsonl")
_NO_COMMIT: Final = "release"
"""In place of a commit: an installed version ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """One run that was kept; `records` are those of its targets and shards.

    Attributes:
        number: from 1, in the order in which runs were kept.
        commit: of this project, or `_NO_COMMIT`.
        date: of the run's start, UTC, as in 20261121.
    """

    number: int
    commit: str
    date: str
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """The name of its file, without suffix."""
        return f"{self.number:04}_{self.commit}_{self.date}"


def runs(folder: Path, newest: int | None = None) -> tuple[KeptRun, ...]:
    """Read the runs of a folder, the oldest first.

    Arguments:
        newest: read only this number of runs, the newest ones.

    Raises:
        UsageError: there is no such folder, or one of its runs is no record.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder of kept runs; burn-verify history {folder} --add RECORD makes it"
        raise UsageError(message)
    found = sorted((int(match[1]), match[2], match[3], path) for path in folder.iterdir() if (match := _match(path)))
    return tuple(
        KeptRun(number=number, commit=commit, date=date, records=store.read_all(path))
        for number, commit, date, path in found[-newest if newest else 0 :]
    )


def records(path: Path) -> tuple[Record, ...]:
    """Read a run from a file: every record of a kept run, the last run of another file.

    Raises:
        UsageError: the file is missing, holds no run, or is not a record.
    """
    return store.read_all(path) if _match(path) else store.read_run(path)


def keep(folder: Path, paths: list[Path]) -> Path:
    """Keep the last runs of some records as one run, under the next number; return its file.

    Raises:
        UsageError: a record cannot be read.
        StoreError: the folder cannot be written.
    """
    lines = [line for path in paths for line in store.last_run(path)]
    first = store.read_run(paths[0])[0].environment
    commit = re.sub(r"[^0-9A-Za-z.-]", "", str(first.get("commit") or ""))[:12] or _NO_COMMIT
    date = re.sub(r"\D", "", str(first.get("started", "")))[:8].ljust(8, "0")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        last = max((int(match[1]) for path in folder.iterdir() if (match := _match(path))), default=0)
        target = folder / f"{last + 1:04}_{commit}_{date}.jsonl"
        write_if_changed(target, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        message = f"{folder}: the run cannot be kept there: {error.strerror or error}"
        raise StoreError(message) from error
    return target


def _match(path: Path) -> re.Match[str] | None:
    return _NAME.fullmatch(path.name)
