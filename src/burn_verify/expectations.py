"""Expected failures as data: parse them, match them with cases, report those that match nothing.

Decides nothing about outcomes: what happened is in the record, and the views join the two.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from itertools import pairwise
from typing import Any

from burn_verify.errors import UsageError
from burn_verify.types import CaseResult, Outcome, Stage

REQUIRED_KEYS = ("pattern", "stage", "reason")
OPTIONAL_KEYS = ("link",)

_HEADER = re.compile(r"\s*\[\[\s*expect\s*\]\]")
_PATTERN_KEY = re.compile(r"\s*[\"']?pattern[\"']?\s*=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A failure that is known and explained.

    Attributes:
        pattern: a case id; ``*`` and ``?`` are wildcards, brackets are themselves.
        stage: where the case is expected to fail; a failure elsewhere is not expected.
        source, line: where this entry is written.
    """

    pattern: str
    stage: Stage
    reason: str
    source: str
    line: int
    link: str | None = None


def parse(text: str, source: str) -> tuple[Expectation, ...]:
    """Read the TOML of a file of expectations: an array of tables named ``expect``.

    Args:
        text: the TOML.
        source: name of the file, for messages.

    Raises:
        UsageError: the text is not TOML, or an entry has an unknown, missing or wrong key; names ``source:line``.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refusal(source, _line_of_error(error, text), f"not TOML: {error}") from error
    entries = document.pop("expect", [])
    if document:
        key = next(iter(document))
        raise _refusal(source, _find_line(text, key), f"unknown key {key!r}, allowed is only [[expect]]")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _refusal(source, _find_line(text, "expect"), "'expect' is not an array of tables: write [[expect]]")
    lines = _entry_lines(text, entries)
    return tuple(_expectation(entry, source, line) for entry, line in zip(entries, lines, strict=True))


def load_packaged(burn_version: str, backend: str) -> tuple[Expectation, ...]:
    """Read what is expected of a version of Burn (``major.minor`` counts) on a backend; empty if nothing is known."""
    name = f"{'.'.join(burn_version.split('.')[:2])}-{backend}.toml"
    file = resources.files("burn_verify") / "data" / "expectations" / name
    return parse(file.read_text(encoding="utf-8"), name) if file.is_file() else ()


def match(case_id: str, expectations: Sequence[Expectation]) -> Expectation | None:
    """Find what is expected of a case: the whole id beats a wildcard, and a later entry an earlier one."""
    matching = [expectation for expectation in expectations if _matches(case_id, expectation)]
    exact = [expectation for expectation in matching if expectation.pattern == case_id]
    candidates = exact or matching
    return candidates[-1] if candidates else None


def unmatched(expectations: Sequence[Expectation], case_ids: Iterable[str]) -> tuple[Expectation, ...]:
    """List the expectations whose pattern matches no case."""
    ids = tuple(case_ids)
    return tuple(
        expectation for expectation in expectations if not any(_matches(case_id, expectation) for case_id in ids)
    )


def expected_reasons(results: Iterable[CaseResult], expectations: Sequence[Expectation]) -> dict[str, str]:
    """Join results and expectations for the reports: the reason of each case that was expected to fail as it did.

    A case that passed is in it too: an unexpected pass. One that failed at another stage than expected is not, for
    that is a failure like any other; nor is a skipped one.
    """
    reasons = {}
    for result in results:
        expectation = match(result.case_id, expectations)
        if expectation is None or result.outcome is Outcome.SKIPPED:
            continue
        if result.outcome is Outcome.PASSED or result.stage is expectation.stage:
            reasons[result.case_id] = expectation.reason
    return reasons


def xfail_reason(expectation: Expectation) -> str:
    """Say in one line what is expected, where that is written, and when to delete it."""
    where = f"{expectation.source}:{expectation.line}"
    link = f"{expectation.link}; " if expectation.link else ""
    return (
        f"expected at {expectation.stage.name}: {expectation.reason} ({where}; {link}delete this entry when it passes)"
    )


def _matches(case_id: str, expectation: Expectation) -> bool:
    # Ids may hold brackets, and as a character class they would match something else.
    return fnmatchcase(case_id, expectation.pattern.replace("[", "[[]"))


def _expectation(entry: dict[str, Any], source: str, line: int) -> Expectation:
    allowed = REQUIRED_KEYS + OPTIONAL_KEYS
    for key, value in entry.items():
        if key not in allowed:
            raise _refusal(source, line, f"unknown key {key!r}, allowed are {', '.join(allowed)}")
        if not isinstance(value, str) or not value.strip():
            raise _refusal(source, line, f"{key} must be a text that is not empty, not {value!r}")
    for key in REQUIRED_KEYS:
        if key not in entry:
            raise _refusal(source, line, f"{key} is missing")
    stages = [stage.value for stage in Stage]
    if entry["stage"] not in stages:
        raise _refusal(source, line, f"unknown stage {entry['stage']!r}, allowed are {', '.join(stages)}")
    return Expectation(
        pattern=entry["pattern"],
        stage=Stage(entry["stage"]),
        reason=" ".join(entry["reason"].split()),
        link=entry.get("link"),
        source=source,
        line=line,
    )


def _entry_lines(text: str, entries: Sequence[dict[str, Any]]) -> list[int]:
    """Find the line of each entry's pattern, which the TOML reader does not tell."""
    lines = text.splitlines()
    headers = [index for index, line in enumerate(lines) if _HEADER.match(line)]
    if len(headers) != len(entries):  # written as an inline array
        return [_find_line(text, str(entry.get("pattern", "expect"))) for entry in entries]
    blocks = pairwise([*headers, len(lines)])
    return [
        next((index for index in range(start, end) if _PATTERN_KEY.match(lines[index])), start) + 1
        for start, end in blocks
    ]


def _find_line(text: str, wanted: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), start=1) if wanted in line), 1)


def _line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else max(1, len(text.splitlines()))


def _refusal(source: str, line: int, problem: str) -> UsageError:
    return UsageError(f"{source}:{line}: {problem}")
