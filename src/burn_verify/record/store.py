"""The record's file: JSON lines, each appended in one write, and read as runs.

Uses only the kind of a line: encoding and decoding are in `codec`.
"""

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Target
from burn_verify.record.codec import KINDS, READABLE, Record, difference_from_json, result_from_json
from burn_verify.record.targets import target_environment, target_from_json

T = TypeVar("T")

_BEGINNING: Final = 4096


def append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to the record, making the file where it does not exist.

    Each line goes out in a single write in append mode: neither a crash nor a second writer can damage earlier lines.

    Raises:
        StoreError: the record cannot be written. Callers turn it into a warning, so that no test fails.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            # A crash may have left half a line: end it, so that the new lines stay readable.
            prefix = "\n" if _ends_within_a_line(file) else ""
            for line in lines:
                _write(file, f"{prefix}{line}\n")
                prefix = ""
        finally:
            os.close(file)
    except OSError as error:
        message = f"{path}: cannot write the record: {error.strerror or error}"
        raise StoreError(message) from error


def require_record(path: Path) -> None:
    """Check that a file to be written to is a record, or empty, or not there yet.

    Raises:
        UsageError: it is something else, to which no line may be added.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING).lstrip()
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"{path}: cannot write the record: {error.strerror or error}"
        raise UsageError(message) from error
    if beginning and not beginning.startswith(b'{"schema_version"'):
        message = f"{path} is there already and is no record: nothing was added to it; name another file"
        raise UsageError(message)


def read(path: Path) -> Record:
    """Read the last run of a record, which has one target.

    Raises:
        UsageError: as for `read_run`, or the run is of several targets.
    """
    record, *others = read_run(path)
    if others:
        message = f"{path}: its last run is of {1 + len(others)} targets, and one is needed"
        raise UsageError(message)
    return record


def read_run(path: Path) -> tuple[Record, ...]:
    """Read the last run of a file, as one record for each target.

    Raises:
        UsageError: the file is missing, holds no run, or is not a record; the message names the line.
    """
    text = _text(path)
    runs = _runs(path, _objects(path, text))
    if not runs:
        cut = "the record ends inside its first line, so nothing of the run is in it"
        empty = "the record is empty: no run was written to it"
        message = f"{path}: {cut if text.strip() else empty}"
        raise UsageError(message)
    return runs[-1]


def last_run(path: Path) -> list[str]:
    """Return the lines of the last run of a record, unchanged.

    Raises:
        UsageError: as for `read_all`.
    """
    text = _text(path)
    objects = _objects(path, text)
    first = max((number for number, data in objects if data["kind"] == "environment"), default=1)
    lines = text.split("\n")
    return [lines[number - 1] for number, _ in objects if number >= first]


def read_all(path: Path) -> tuple[Record, ...]:
    """Read every run of a record, oldest first, each of its targets by itself.

    The last line of a run may be incomplete after a crash; it is left out.

    Raises:
        UsageError: the file is missing or is not a record; the message names the line.
    """
    return tuple(record for run in every_run(path) for record in run)


def every_run(path: Path) -> tuple[tuple[Record, ...], ...]:
    """Read every run of a record, oldest first, each as one record for each of its targets.

    Raises:
        UsageError: as for `read_all`.
    """
    return _runs(path, _objects(path, _text(path)))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        message = f"{path}: no such record: write one first, or check the path"
        raise UsageError(message) from None
    except IsADirectoryError:
        records = sorted(path.glob("*.jsonl"))
        message = f"{path}: a folder, not a record: name {records[0] if records else 'the file that holds one'}"
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
    """Parse the lines into (line number, JSON object), without incomplete lines."""
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
    """Refuse an object that this version cannot read."""
    if not isinstance(data, dict) or "schema_version" not in data:
        message = f"{path}:{number}: not a line of a record: it has no schema_version"
    elif data["schema_version"] not in READABLE:
        message = (
            f"{path}:{number}: schema_version {data['schema_version']!r} is not known, this burn-verify reads "
            f"{' and '.join(map(str, READABLE))}: read the record with the version that wrote it"
        )
    elif data.get("kind") not in KINDS:
        message = f"{path}:{number}: unknown kind {data.get('kind')!r}, expected one of {', '.join(KINDS)}"
    elif data["kind"] != "result" and not isinstance(data.get(data["kind"]), dict):
        message = f"{path}:{number}: a line of kind {data['kind']!r} without an object {data['kind']!r}"
    else:
        return
    raise UsageError(message)


def _runs(path: Path, objects: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[tuple[Record, ...], ...]:
    runs: list[list[tuple[int, Mapping[str, Any]]]] = []
    for number, data in objects:
        if data["kind"] == "environment" or not runs:
            runs.append([])
        runs[-1].append((number, data))
    return tuple(_records(path, run) for run in runs)


def _records(path: Path, lines: Sequence[tuple[int, Mapping[str, Any]]]) -> tuple[Record, ...]:
    """Return a run as one record for each target, in the order of the run's environment."""
    by_kind: dict[str, list[tuple[int, Mapping[str, Any]]]] = {kind: [] for kind in KINDS}
    for number, data in lines:
        by_kind[data["kind"]].append((number, data))
    environment: Mapping[str, Any] = by_kind["environment"][-1][1]["environment"] if by_kind["environment"] else {}
    announced = tuple(target_from_json(target) for target in environment.get("targets", ()))
    results: dict[Target, list[CaseResult]] = {target: [] for target in announced}
    read = functools.partial(_understood, path)
    for number, data in by_kind["result"]:
        results.setdefault(target_from_json(data, environment), []).append(read(number, result_from_json, data))
    results = {target: _each_once(found) for target, found in results.items()}
    failures = {
        target_from_json(data["target"], environment): str(data["target"].get("failure", ""))
        for _, data in by_kind["target"]
    }
    for target in failures:
        results.setdefault(target, [])
    if not results:
        results[target_from_json({}, environment)] = []
    differences = [read(number, difference_from_json, data["difference"]) for number, data in by_kind["difference"]]
    phases = {name: spent for _, data in by_kind["phases"] for name, spent in data["phases"].items()}
    return tuple(
        Record(
            environment=_environment(environment, target),
            selection=_selection(by_kind["selection"], announced, target),
            results=tuple(found),
            # The phases of work for all targets are in the record of the first.
            phases=phases if place == 0 else {},
            target=target,
            failure=failures.get(target, ""),
            differences=tuple(difference for difference in differences if difference.after == target),
        )
        for place, (target, found) in enumerate(results.items())
    )


def _each_once(results: Sequence[CaseResult]) -> list[CaseResult]:
    """Return one result a case, in the order of the file: of several, as two runs at once leave them, a failure."""
    kept: dict[str, CaseResult] = {}
    for result in results:
        if result.case_id not in kept or kept[result.case_id].outcome is not Outcome.FAILED:
            kept[result.case_id] = result
    return list(kept.values())


def _understood(path: Path, number: int, decode: Callable[[Mapping[str, Any]], T], data: Mapping[str, Any]) -> T:
    try:
        return decode(data)
    except ValueError as error:
        message = f"{path}:{number}: {error}"
        raise UsageError(message) from error


def _environment(environment: Mapping[str, Any], target: Target) -> Mapping[str, Any]:
    """Return the environment of one target of a run; unchanged for a run on one target."""
    if "targets" not in environment:
        return environment
    return {**{key: value for key, value in environment.items() if key != "targets"}, **target_environment(target)}


def _selection(
    lines: Sequence[tuple[int, Mapping[str, Any]]], announced: Sequence[Target], target: Target
) -> tuple[str, ...] | None:
    if not lines:
        return None
    selection = lines[-1][1]["selection"]
    narrowed = selection.get("by_target")
    ids = narrowed[announced.index(target)] if narrowed and target in announced else selection.get("cases", ())
    return tuple(map(str, ids))
