"""What was seen of a run with a fault, and whether it is right: functions of plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from injection.faults import End, Fault

SIGNAL_CODES: Final[Mapping[str, int]] = {"SIGINT": 130, "SIGTERM": 143}
PYTEST_INTERRUPTED: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run.

    Attributes:
        code: exit code.
        words: what it wrote to stdout and stderr.
        results: by case id, ``passed compare`` or ``failed run: burn: the reason``.
        left: command lines of processes that are still there afterwards.
        kept: number of files by kind of the cache.
    """

    code: int
    words: str
    results: Mapping[str, str]
    left: Sequence[str] = ()
    kept: Mapping[str, int] = field(default_factory=dict)


def said(seen: Seen) -> str:
    """Return the line of a run that tells the fault: its error, else the last line with the program's name."""
    lines = [line.strip() for line in seen.words.splitlines()]
    told = [line for line in lines if line.startswith(("burn-verify:", "Exit:", "!"))]
    errors = [line for line in told if "error" in line or "interrupted" in line or "ended by" in line]
    # pytest's own line stands between exclamation marks.
    return (errors or told[-1:] or lines[-1:] or [""])[0].strip("! ")


def wrong(fault: Fault, seen: Seen, again: Seen, clean: Mapping[str, str]) -> list[str]:
    """Return what is not right about a run with a fault, and about an undisturbed run after it.

    Arguments:
        again: the run after it.
        clean: the results of a run before it.
    """
    found = []
    if "Traceback (most recent call last)" in seen.words or "INTERNALERROR" in seen.words:
        found.append("a traceback")
    if seen.left:
        found.append(f"left: {'; '.join(seen.left)}")
    found += [f"accused: {case} {end}" for case, end in seen.results.items() if _accused(fault, case, end, clean)]
    found += _END[fault.end](fault, seen, clean)
    if {case: again.results.get(case) for case in clean} != dict(clean):
        found.append(f"the run after it: {_difference(again.results, clean)}")
    return found


def _accused(fault: Fault, case: str, end: str, clean: Mapping[str, str]) -> bool:
    if end == clean.get(case) or not end.startswith("failed"):
        return False
    return end.split()[1].rstrip(":") not in fault.stage


def _healed(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    return ([] if seen.code == 0 else [f"exit code {seen.code}"]) + _lost(seen, clean)


def _machine(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    # A run that did not need the place is right as well.
    if seen.code == 0:
        return _lost(seen, clean)
    return [] if seen.code == 3 and said(seen) else [f"exit code {seen.code}"]


def _warned(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    return [] if "record" in said(seen) and "Traceback" not in seen.words else ["no word about the record"]


def _usage(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    # What is complete of a damaged file may be shown.
    return [] if seen.code in (0, 1, 4) else [f"exit code {seen.code}"]


def _left_out(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    # A stand-in runs where a model is not at hand, and says in its name that it is one.
    ends = [end for case, end in seen.results.items() if end != clean.get(case) and not case.endswith("@seeded")]
    return [] if all(end.startswith("failed load") for end in ends) else [f"ended as {'; '.join(ends)}"]


def _ended(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    wanted = PYTEST_INTERRUPTED if fault.command == "pytest" else SIGNAL_CODES[fault.how]
    found = [] if seen.code == wanted else [f"exit code {seen.code}, not {wanted}"]
    if fault.place in ("run", "compare", "report") and not seen.results:
        found.append("no result of the first case")
    return found


def _limited(fault: Fault, seen: Seen, clean: Mapping[str, str]) -> list[str]:
    ends = [end for case, end in seen.results.items() if end != clean.get(case)]
    if seen.code == 3 and "out of memory" in said(seen):
        # Nothing starts below such a limit.
        return []
    if not fault.options and fault.cold and seen.code == 0:
        return _lost(seen, clean)
    if not ends or not all("memory" in end for end in ends):
        return [f"ended as {'; '.join(ends) or 'nothing'}"]
    return [] if clean.keys() <= seen.results.keys() else ["results are lost"]


_END: Final = {
    End.HEALED: _healed,
    End.MACHINE: _machine,
    End.WARNED: _warned,
    End.USAGE: _usage,
    End.LEFT_OUT: _left_out,
    End.ENDED: _ended,
    End.LIMITED: _limited,
}


def _lost(seen: Seen, clean: Mapping[str, str]) -> list[str]:
    return (
        [] if all(seen.results.get(case) == end for case, end in clean.items()) else [_difference(seen.results, clean)]
    )


def _difference(results: Mapping[str, str], clean: Mapping[str, str]) -> str:
    ends = [f"{case} {results.get(case, 'lost')}" for case, end in clean.items() if results.get(case) != end]
    return f"not as undisturbed: {'; '.join(ends)}"
