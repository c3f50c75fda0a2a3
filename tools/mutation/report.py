"""Results of mutants as Markdown: what was caught, by corpus and class, and why the rest was not. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tabulate import tabulate

from mutation import kinds
from mutation.results import Cause, End, Results

Line = Mapping[str, Any]

WANTED: Final[Mapping[str, float]] = {
    "semantic": 0.99,
    kinds.CONSTANT: 1.0,
    kinds.INFINITY: 1.0,
    kinds.INVENTED: 1.0,
    kinds.PROBE: 0.85,
    kinds.SCALE_4: 0.98,
    kinds.SCALE_5: 0.94,
    kinds.SCALE_HALF: 0.80,
}
"""Least score of a class; what has no number is reported only."""

_MOST_SHOWN: Final = 12
_CORPORA: Final = {"node": "ONNX's node cases", "ops": "generated graphs", "zoo": "models of the zoo"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What became of the mutants of a class.

    Attributes:
        ends: how many ended how.
        by_bound, by_data: survivors by their cause.
    """

    ends: Mapping[str, int]
    by_bound: int
    by_data: int

    @property
    def killed(self) -> int:
        """Mutants that the judge caught."""
        return self.ends.get(End.KILLED, 0)

    @property
    def counted(self) -> int:
        """Mutants that compiled and are another function than the original."""
        return self.killed + self.ends.get(End.SURVIVED, 0)

    @property
    def value(self) -> float | None:
        """Killed of counted; None where none counts."""
        return self.killed / self.counted if self.counted else None


def score_of(lines: Iterable[Line]) -> Score:
    """Count some mutants."""
    some = list(lines)
    causes = Counter(line.get("cause") for line in some)
    ends = Counter(line["end"] for line in some)
    return Score(ends=ends, by_bound=causes[Cause.BOUND], by_data=causes[Cause.DATA])


def markdown(now: Sequence[Results], before: Sequence[Results]) -> str:
    """Return the report.

    Arguments:
        now: results, one corpus each.
        before: of the same mutants, judged by an older state.
    """
    old = {results.about["corpus"]: results for results in before}
    parts = [_HEAD, _originals(now), "## By class, all corpora\n", _by_class(now, list(old.values()))]
    for results in now:
        corpus = results.about["corpus"]
        parts.append(f"## {_CORPORA[corpus].capitalize()}\n")
        parts.append(_by_class([results], [old[corpus]] if corpus in old else []))
        parts.append(_survivors(results))
    return "\n".join(parts).rstrip() + "\n"


_HEAD: Final = """\
# Mutation: what the judge notices

Made by `tools/mutate.py`: in the Rust that burn-onnx generated for cases that agree, one thing is changed, and compiled
Burn is judged as always. A mutant is *killed* where the case then fails. One that passes is compared with its original
on further values: *equivalent* where every bit is the same, *rounding* where no answer differs by more than four
roundings. Both are left out of the score: killed / (killed + survived). A survivor whose answers to the judged data
differ is the *bound*'s, one that only other values show is the *data*'s. How it is done: docs/mutation.md.
"""


def _originals(now: Sequence[Results]) -> str:
    rows = [
        [
            _CORPORA[results.about["corpus"]],
            results.about["cases"],
            results.about["agreeing"],
            len(results.about["alarms"]),
            results.about["seed"],
            results.about["judge"],
        ]
        for results in now
    ]
    heads = ["corpus", "cases run", "agree unmutated", "failed unmutated", "seed", "judge"]
    return "## Cases\n\n" + _table(rows, heads)


def _by_class(now: Sequence[Results], before: Sequence[Results]) -> str:
    """Return a table with a row a class, and one for the semantic classes together."""
    lines = [line for results in now for line in results.mutants.values()]
    old = [line for results in before for line in results.mutants.values()]
    groups: list[tuple[str, tuple[str, ...]]] = [(kind, (kind,)) for kind in kinds.SEMANTIC]
    groups.append(("semantic", kinds.SEMANTIC))
    groups += [(kind, (kind,)) for kind in kinds.ALL if kind not in kinds.SEMANTIC] + [("all", kinds.ALL)]
    rows = []
    for name, members in groups:
        score = score_of(line for line in lines if line["kind"] in members)
        if not score.ends:
            continue
        past = score_of(line for line in old if line["kind"] in members).value if old else None
        label = f"**{name}**" if name in ("semantic", "all") else name
        rows.append(
            [
                label,
                sum(score.ends.values()),
                score.ends.get(End.UNCOMPILABLE, 0),
                score.ends.get(End.NOT_APPLICABLE, 0),
                score.ends.get(End.EQUIVALENT, 0),
                score.ends.get(End.ROUNDING, 0),
                score.killed,
                score.by_bound,
                score.by_data,
                *([_percent(past)] if old else []),
                _percent(score.value),
                _percent(WANTED.get(name)),
            ]
        )
    heads = ["class", "mutants", "uncompilable", "not applicable", "equivalent", "rounding", "killed", "bound", "data"]
    return _table(rows, [*heads, *(["score before"] if old else []), "score", "wanted"])


def _survivors(results: Results) -> str:
    """Return survivors by what let them pass, and the first of those that a judge is expected to catch."""
    survivors = [line for line in results.mutants.values() if line["end"] == End.SURVIVED]
    if not survivors:
        return "No mutant survived.\n"
    counts = Counter((line["kind"], line["operator"], line["cause"], line["how"]) for line in survivors)
    rows = [[*causes, count] for causes, count in counts.most_common(_MOST_SHOWN)]
    text = "### Survivors by cause\n\n"
    text += _table(rows, ["class", "change", "cause", "judged, or shown by", "mutants"])
    if len(counts) > len(rows):
        left = counts.total() - sum(row[-1] for row in rows)
        text += f"\n… and {len(counts) - len(rows)} further kinds of {left} mutants.\n"
    shown = [line for line in survivors if line["kind"] in kinds.SEMANTIC]
    if shown:
        text += "\n### Semantic survivors\n\n" + "\n".join(_listed(line) for line in shown[: 5 * _MOST_SHOWN]) + "\n"
        if len(shown) > 5 * _MOST_SHOWN:
            text += f"\n… and {len(shown) - 5 * _MOST_SHOWN} more.\n"
    return text


def _listed(line: Line) -> str:
    apart = f", relative difference {line['apart']:.1e}" if line.get("apart") else ""
    diff = " ".join(f"`{part}`" for part in line["diff"].replace("`", "'").splitlines()[:4])
    return f"- {line['case']}, {line['operator']}: {diff}; {line['cause']} ({line['how']}{apart})"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _table(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> str:
    return tabulate(rows, headers=heads, tablefmt="pipe") + "\n"
