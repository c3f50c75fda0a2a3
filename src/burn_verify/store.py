"""The record's file: JSON lines, appended one write a line, read back as runs.

Knows nothing of what a line means beyond its kind: encoding and decoding are in `codec`.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from burn_verify.codec import KINDS, SCHEMA_VERSION, Record, result_from_json
from burn_verify.errors import StoreError, UsageError

__all__ = ["Record", "append", "read", "read_all"]


def append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to the record, making the file where it does not exist.

    Each line goes out in a single write in append mode: neither a crash nor a second writer can harm earlier lines.

    Raises:
        StoreError: the record cannot be written. Meant to be a warning, never the failure of a test.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            # A crash may have left half a line: it must not swallow ours.
            prefix = "\n" if _ends_within_a_line(file) else ""
            for line in lines:
                _write(file, f"{prefix}{line}\n")
                prefix = ""
        finally:
            os.close(file)
    except OSError as error:
        message = f"{path}: cannot write the record: {error.strerror or error}"
        raise StoreError(message) from error


def read(path: Path) -> Record:
    """Read the last run of a record.

    Raises:
        UsageError: the file is missing, holds no run, or is not a record; the message names the line.
    """
    records = read_all(path)
    if not records:
        message = f"{path}: the record is empty: no run was written to it"
        raise UsageError(message)
    return records[-1]


def last_run(path: Path) -> list[str]:
    """Return the lines of the last run of a record as they are written.

    Raises:
        UsageError: as for `read_all`.
    """
    text = _text(path)
    objects = _objects(path, text)
    first = max((number for number, data in objects if data["kind"] == "environment"), default=1)
    lines = text.split("\n")
    return [lines[number - 1] for number, _ in objects if number >= first]


def read_all(path: Path) -> tuple[Record, ...]:
    """Read every run of a record, oldest first.

    The last line of a run may be cut short, as a crash leaves it; it is passed over.

    Raises:
        UsageError: the file is missing or is not a record; the message names the line.
    """
    return _runs(path, _objects(path, _text(path)))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        message = f"{path}: no such record: write one first, or check the path"
        raise UsageError(message) from None
    except OSError as error:
        message = f"{path}: cannot read the record: {error.strerror or error}"
        raise UsageError(message) from error


def _ends_within_a_line(file: int) -> bool:
    if not os.fstat(file).st_size:
        return False
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) != b"\n"


def _write(file: int, text: str) -> None:
    if text.strip("\n").count("\n"):
        message = "a line of the record holds a line break"
        raise ValueError(message)
    data = text.encode("utf-8")
    written = os.write(file, data)
    if written != len(data):
        message = f"only {written} of {len(data)} bytes were written"
        raise OSError(message)


def _objects(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    """Parse the lines into (line number, JSON object), leaving out lines cut short."""
    objects: list[tuple[int, dict[str, Any]]] = []
    cut_short: tuple[int, str] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            if cut_short or not line.startswith("{"):
                raise _not_json(path, *(cut_short or (number, line))) from None
            cut_short = number, line
            continue
        _check(path, number, data)
        if cut_short and data["kind"] != "environment":
            raise _not_json(path, *cut_short)
        cut_short = None
        objects.append((number, data))
    return objects


def _not_json(path: Path, number: int, line: str) -> UsageError:
    return UsageError(f"{path}:{number}: not a line of a record, JSON was expected: {line[:60]!r}")


def _check(path: Path, number: int, data: Any) -> None:
    """Refuse an object that this version cannot understand."""
    if not isinstance(data, dict) or "schema_version" not in data:
        message = f"{path}:{number}: not a line of a record: it has no schema_version"
    elif data["schema_version"] != SCHEMA_VERSION:
        message = (
            f"{path}:{number}: schema_version {data['schema_version']!r} is not known, this burn-verify reads "
            f"{SCHEMA_VERSION}: read the record with the version that wrote it"
        )
    elif data.get("kind") not in KINDS:
        message = f"{path}:{number}: unknown kind {data.get('kind')!r}, expected one of {', '.join(KINDS)}"
    elif data["kind"] != "result" and not isinstance(data.get(data["kind"]), dict):
        message = f"{path}:{number}: a line of kind {data['kind']!r} without an object {data['kind']!r}"
    else:
        return
    raise UsageError(message)


def _runs(path: Path, objects: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[Record, ...]:
    runs: list[list[tuple[int, Mapping[str, Any]]]] = []
    for number, data in objects:
        if data["kind"] == "environment" or not runs:
            runs.append([])
        runs[-1].append((number, data))
    return tuple(_record(path, run) for run in runs)


def _record(path: Path, lines: Iterable[tuple[int, Mapping[str, Any]]]) -> Record:
    record = Record()
    results = []
    for number, data in lines:
        if data["kind"] == "environment":
            record = replace(record, environment=data["environment"])
        elif data["kind"] == "selection":
            record = replace(record, selection=tuple(map(str, data["selection"].get("cases", ()))))
        elif data["kind"] == "phases":
            record = replace(record, phases={**record.phases, **data["phases"]})
        else:
            try:
                results.append(result_from_json(data))
            except ValueError as error:
                message = f"{path}:{number}: {error}"
                raise UsageError(message) from error
            record = replace(
                record,
                burn_version=str(data.get("burn_version", "")),
                burn_backend=str(data.get("burn_backend", "")),
            )
    return replace(record, results=tuple(results))
