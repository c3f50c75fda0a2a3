"""The table of faults, in Markdown."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from burn_verify.report.views.markdown import escape
from injection.faults import Fault
from injection.seen import Seen, said, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault, what was seen, and what was not right.

    Attributes:
        fault: its name.
        end: what has to follow.
        ends: how many cases ended how.
        again: how many cases of the run after it ended how.
        kept: number of files by kind of the cache after the fault.
        wrong: empty where all is right.
    """

    fault: str
    end: str
    code: int | None = None
    said: str = ""
    ends: Mapping[str, int] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    wrong: Sequence[str] = ()


def row(fault: Fault, seen: Seen, again: Seen, clean: Mapping[str, str]) -> Row:
    """Return the row of a fault."""
    return Row(
        fault=fault.name,
        end=fault.end.value,
        code=seen.code,
        said=portable(said(seen)),
        ends=dict(Counter(seen.results.values())),
        again=dict(Counter(again.results.values())),
        kept=dict(seen.kept),
        wrong=[portable(one) for one in wrong(fault, seen, again, clean)],
    )


def portable(text: str) -> str:
    """Return text without this machine's folders: of a path below the run's cache, the part from the cache on."""
    text = re.sub(r"/\S*?/(?=(?:cache|kept|history)\b|record\.jsonl|expected\.toml)", "", text)
    return text.replace(str(Path.home()), "~")


def markdown(rows: Sequence[Row], known: int) -> str:
    """Return the report.

    Arguments:
        known: number of faults that the tool has.
    """
    tried = [one for one in rows if one.code is not None]
    bad = [one for one in tried if one.wrong]
    lost = sum(any("lost" in word for word in one.wrong) for one in tried)
    blamed = sum(any(word.startswith("accused") for word in one.wrong) for one in tried)
    later = sum(any(word.startswith("the run after") for word in one.wrong) for one in tried)
    lines = [
        "# Faults",
        "",
        "Made by `python tools/inject.py`: one fault at a time in a real run of three small models, and after what",
        "leaves something behind a run without a fault.",
        "",
        f"{len(tried)} faults of {known} that the tool has: {len(tried) - len(bad)} as they should be, {len(bad)} not.",
        f"Lost results in {lost}, a model accused for the fault in {blamed}, a run after it that is not as before in "
        f"{later}.",
        "",
        "| fault | should be | exit code | cases ended | said | files kept | after it | right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(one) for one in rows)]) + "\n"


def _line(one: Row) -> str:
    fields = [
        one.fault,
        one.end,
        "-" if one.code is None else str(one.code),
        _counts(one.ends),
        portable(one.said.strip("! ")),
        _counts(one.kept),
        _counts(one.again),
        portable("; ".join(one.wrong)) or ("-" if one.code is None else "yes"),
    ]
    return f"| {' | '.join(escape(text) for text in fields)} |"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
