"""Expected failures as data: parse them, match them with cases, list those that match none.

Decides nothing about outcomes: results are in the record, and the views join the two.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from itertools import pairwise
from typing import Any, Final

from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target

KEYS = ("pattern", "cases", "stage", "reason", "link", "on")
REQUIRED_KEYS = ("stage", "reason")

PASSES: Final = "passes"
"""In place of a stage: the case passes here, although an inherited file expects a failure."""
INHERITS: Final = "inherits"
EXAMPLES: Final = "examples"
"""In ``on``: the entry counts only where values are drawn (``--ops-examples``); in a result: values were drawn."""

ENTRY_HEADER = re.compile(r"\s*\[\[\s*expect\s*\]\]")
_IDS_KEY = re.compile(r"\s*[\"']?(pattern|cases)[\"']?\s*=")
_WILDCARD = re.compile(r"[*?]")
_OF_DRAWN: Final = (Stage.RUN, Stage.COMPARE)
_NAME: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A known failure with its reason: one pattern of an entry.

    Attributes:
        pattern: a case id; ``*`` and ``?`` are wildcards, brackets are themselves.
        stage: where the case is expected to fail; a failure elsewhere is not expected. None where it is expected to
            pass, against an earlier or inherited entry.
        source, line: file and line of this pattern.
        on: versions of Burn, backends, ``simplify=off`` and the like; a target has to have one of them. Empty for every
            target. See also `drawn`.
    """

    pattern: str
    stage: Stage | None
    reason: str
    source: str
    line: int
    link: str | None = None
    on: tuple[str, ...] = ()

    @property
    def stage_word(self) -> str:
        """The stage as a word in the file."""
        return PASSES if self.stage is None else self.stage.value

    @property
    def drawn(self) -> bool:
        """Whether the failure is known of drawn values only: other draws may pass, or fail at `stages`."""
        return EXAMPLES in self.on

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages at which the failure is the expected one.

        Of drawn values, the set that is found first decides whether the answer is wrong or there is none.
        """
        if self.stage is None:
            return ()
        return _OF_DRAWN if self.drawn and self.stage in _OF_DRAWN else (self.stage,)

    def fits(self, result: CaseResult) -> bool:
        """Tell whether a failure is the expected one: at its stage, and not a failure of this program."""
        if self.drawn and not were_drawn(result):
            return False
        return result.stage in self.stages and result.failure is not FailureKind.INTERNAL

    def holds_on(self, target: Target, *, examples: bool = False) -> bool:
        """Return whether it applies to a target.

        Arguments:
            examples: whether the run draws values.
        """
        words = set(self.on)
        if self.drawn:
            words.remove(EXAMPLES)
            if not examples:
                return False
        series = target.burn.rpartition(".")[0]
        options = {f"{name}={('off', 'on')[getattr(target, name)]}" for name in ("simplify", "partition")}
        return not words or bool({target.burn, series, target.backend, *options} & words)

    @property
    def corpus(self) -> str:
        """The part of the pattern before the first slash, possibly with wildcards."""
        return self.pattern.partition("/")[0]

    def concerns(self, corpora: Iterable[str]) -> bool:
        """Return whether the pattern may match cases of one of these corpora."""
        wanted = _compiled(self.corpus)
        return any(wanted.match(corpus) for corpus in corpora)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wildcard:
    """A pattern with wildcards: its place, and the expression for the part from the first wildcard on."""

    place: int
    start: int
    rest: re.Pattern[str]

    def matches(self, case_id: str) -> bool:
        return self.rest.match(case_id, self.start) is not None


class Expectations:
    """Expectations in the order of their files; later ones count.

    Looked up by the whole id, then among the wildcards with the same beginning and end: a run looks up thousands of
    ids, and a file has hundreds of patterns.
    """

    __slots__ = ("_entries", "_exact", "_sizes", "_wildcards")

    def __init__(self, entries: Iterable[Expectation] = ()) -> None:
        self._entries = tuple(entries)
        self._exact = {entry.pattern: entry for entry in self._entries}
        self._wildcards: dict[tuple[str, str], list[_Wildcard]] = {}
        for place, entry in enumerate(self._entries):
            if has_wildcard(entry.pattern):
                head, *_, tail = _WILDCARD.split(entry.pattern)
                compiled = _Wildcard(place=place, start=len(head), rest=_compiled(entry.pattern[len(head) :]))
                self._wildcards.setdefault((head, tail), []).append(compiled)
        self._sizes = sorted({(len(head), len(tail)) for head, tail in self._wildcards})

    @property
    def entries(self) -> tuple[Expectation, ...]:
        """Every expectation, one for each pattern, in the order of the files."""
        return self._entries

    def __eq__(self, other: object) -> bool:
        return self._entries == other._entries if isinstance(other, Expectations) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._entries)

    def __reduce__(self) -> tuple[type["Expectations"], tuple[tuple[Expectation, ...]]]:
        return Expectations, (self._entries,)

    def of(self, case_id: str) -> Expectation | None:
        """Return the expected failure of a case: a whole id beats a wildcard, a later entry an earlier one."""
        found = self.entry_of(case_id)
        return None if found is None or found.stage is None else found

    def entry_of(self, case_id: str) -> Expectation | None:
        """Return the entry that counts for a case, also one that expects it to pass."""
        if (exact := self._exact.get(case_id)) is not None:
            return exact
        place = max((one.place for one in self._candidates(case_id) if one.matches(case_id)), default=None)
        return None if place is None else self._entries[place]

    def unmatched(self, case_ids: Iterable[str]) -> tuple[Expectation, ...]:
        """Return the expectations whose pattern matches no case."""
        ids = set(case_ids)
        found: set[int] = set()
        for case_id in ids:
            found.update(
                one.place for one in self._candidates(case_id) if one.place not in found and one.matches(case_id)
            )
        return tuple(
            entry for place, entry in enumerate(self._entries) if place not in found and entry.pattern not in ids
        )

    def _candidates(self, case_id: str) -> Iterator[_Wildcard]:
        end = len(case_id)
        for head, tail in self._sizes:
            if head + tail <= end:
                yield from self._wildcards.get((case_id[:head], case_id[end - tail :]), ())


def were_drawn(result: CaseResult) -> bool:
    """Return whether a case was asked drawn values: all else about it agreed."""
    return EXAMPLES in result.details


def has_wildcard(pattern: str) -> bool:
    """Return whether a pattern may match more than one id."""
    return _WILDCARD.search(pattern) is not None


def parse(text: str, source: str) -> tuple[Expectation, ...]:
    """Read the TOML of a file of expectations: an array of tables named ``expect``.

    Arguments:
        text: the TOML.
        source: name of the file, for messages.

    Raises:
        UsageError: the text is not TOML, or an entry has an unknown, missing or wrong key; names ``source:line``.
    """
    document = _document(text, source)
    entries = document.get("expect", [])
    inherited_by(text, source)
    if unknown := document.keys() - {"expect", INHERITS}:
        key = min(unknown, key=list(document).index)
        raise _refusal(source, _find_line(text, key), f"unknown key {key!r}, allowed is only [[expect]]")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _refusal(source, _find_line(text, "expect"), "'expect' is not an array of tables: write [[expect]]")
    lines = _entry_lines(text, entries)
    return tuple(
        expectation
        for entry, line in zip(entries, lines, strict=True)
        for expectation in _expectations(entry, source, line)
    )


def inherited_by(text: str, source: str) -> str | None:
    """Return the name of the file, without suffix, that a file of expectations inherits from; None where it does not.

    Raises:
        UsageError: the text is not TOML, or the value is not a file name.
    """
    name = _document(text, source).get(INHERITS)
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        message = f'{INHERITS} must name a packaged file, such as "0.22-flex", not {name!r}'
        raise _refusal(source, _find_line(text, INHERITS), message)
    return name


@functools.lru_cache(maxsize=4)  # of a packaged file both what it inherits and its entries are read, at each start
def _document(text: str, source: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refusal(source, _line_of_error(error, text), f"not TOML: {error}") from error


def expected_reasons(results: Iterable[CaseResult], expectations: Expectations) -> dict[str, str]:
    """Return the reason by case id for each case with an expectation that applies to its result.

    That is a failure at the expected stage, or a pass (an unexpected pass). A failure at another stage, a skipped case
    and a pass where only drawn values are known to fail are left out.
    """
    reasons = {}
    for result in results:
        expectation = expectations.of(result.case_id)
        if expectation is None or result.outcome is Outcome.SKIPPED:
            continue
        if (result.outcome is Outcome.PASSED and not expectation.drawn) or expectation.fits(result):
            reasons[result.case_id] = expectation.reason
    return reasons


def xfail_reason(expectation: Expectation) -> str:
    """Return in one line the expected failure, the file and line of its entry, and when to delete it."""
    where = f"{expectation.source}:{expectation.line}"
    link = f"{expectation.link}; " if expectation.link else ""
    stage = expectation.stage_word.upper()
    when = "" if not expectation.drawn else " on drawn values"
    return f"expected at {stage}{when}: {expectation.reason} ({where}; {link}delete this entry when it passes)"


def _compiled(pattern: str) -> re.Pattern[str]:
    # Brackets in a pattern are brackets of an id, not a character class.
    return re.compile(translate(pattern.replace("[", "[[]")))


def _expectations(entry: dict[str, Any], source: str, lines: Sequence[int]) -> Iterator[Expectation]:
    """Check an entry and yield one expectation for each pattern; `lines` has the entry's, then one for each."""
    problem = next(_problems(entry), None)
    if problem is not None:
        raise _refusal(source, lines[0], problem)
    for pattern, line in zip(_patterns(entry), lines[1:], strict=True):
        yield Expectation(
            pattern=pattern,
            stage=None if entry["stage"] == PASSES else Stage(entry["stage"]),
            reason=" ".join(entry["reason"].split()),
            link=entry.get("link"),
            source=source,
            line=line,
            on=tuple(entry.get("on", ())),
        )


def _problems(entry: dict[str, Any]) -> Iterator[str]:
    for key, value in entry.items():
        if key not in KEYS:
            yield f"unknown key {key!r}, allowed are {', '.join(KEYS)}"
        elif key == "cases":
            if not isinstance(value, list) or not value or not all(_is_text(pattern) for pattern in value):
                yield f"cases must be a list of ids, at least one and none empty, not {value!r}"
        elif key == "on":
            if not isinstance(value, list) or not value or not all(_is_text(word) for word in value):
                yield f'on must be a list of versions, backends or options, such as ["wgpu"], not {value!r}'
        elif not _is_text(value):
            yield f"{key} must be a text that is not empty, not {value!r}"
    if "pattern" in entry and "cases" in entry:
        yield "pattern and cases exclude each other: write one id as pattern, several as cases"
    if "pattern" not in entry and "cases" not in entry:
        yield "pattern is missing: write one id as pattern, several as cases"
    for key in REQUIRED_KEYS:
        if key not in entry:
            yield f"{key} is missing"
    stages = [*(stage.value for stage in Stage), PASSES]
    if entry.get("stage") not in stages:
        yield f"unknown stage {entry.get('stage')!r}, allowed are {', '.join(stages)}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _patterns(entry: dict[str, Any]) -> list[str]:
    return list(entry["cases"]) if "cases" in entry else [entry["pattern"]]


def _entry_lines(text: str, entries: Sequence[dict[str, Any]]) -> list[list[int]]:
    """Return the line of each entry and of its patterns, which `tomllib` does not report."""
    lines = text.splitlines()
    headers = [index for index, line in enumerate(lines) if ENTRY_HEADER.match(line)]
    if len(headers) != len(entries):  # written as an inline array
        headers = [_find_line(text, str(entry.get("pattern", "expect"))) - 1 for entry in entries]
        return [
            [start + 1, *_pattern_lines(lines, start, len(lines), entry)]
            for start, entry in zip(headers, entries, strict=True)
        ]
    blocks = pairwise([*headers, len(lines)])
    found = []
    for entry, (start, end) in zip(entries, blocks, strict=True):
        key = next((index for index in range(start, end) if _IDS_KEY.match(lines[index])), start)
        found.append([key + 1, *_pattern_lines(lines, key, end, entry)])
    return found


def _pattern_lines(lines: Sequence[str], start: int, end: int, entry: dict[str, Any]) -> Iterator[int]:
    """Yield the line of each pattern of an entry; that of the key where an escaped id cannot be found."""
    patterns = entry.get("cases", [entry.get("pattern")])
    here = start
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        written = (f'"{pattern}"', f"'{pattern}'")
        place = next((index for index in range(here, end) if any(word in lines[index] for word in written)), None)
        here = here if place is None else place
        yield (start if place is None else place) + 1


def _find_line(text: str, wanted: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), start=1) if wanted in line), 1)


def _line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else max(1, len(text.splitlines()))


def _refusal(source: str, line: int, problem: str) -> UsageError:
    return UsageError(f"{source}:{line}: {problem}")
