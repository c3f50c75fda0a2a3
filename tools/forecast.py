"""Write a page about how often the forecasts of `burn-verify explain` come true, left-out cases forecast in turn.

usage: python tools/forecast.py RECORD > reports/forecast.md

Of each operator, one half of its cases is left out at a time: the evidence and its weights are made of the others, and
the half is forecast. A model that is about no single operator is left out alone. Cases that are one graph are one
group, which is left out as a whole: a test of ONNX and its expanded twin, a generated graph and its twin, and graphs
that are equal but for their names, whatever their ids. The half of a group is drawn by the digest of its name.
"""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burn_verify.core.target import Target
from burn_verify.forecast.endings import ENDINGS, Ending
from burn_verify.forecast.evidence import SURE
from burn_verify.forecast.gather import Example, evidence_of
from burn_verify.forecast.model import expected
from burn_verify.graph.operators import qualified
from burn_verify.record import store
from burn_verify.report.views.markdown import table
from pack_evidence import base_of, examples_of

_PARTS = 4
"""Operators are left out in so many parts at a time, each with a half of all of its operators: less is left as evidence
than where one operator is left out at a time, not more."""

_THRESHOLDS = (0.5, 0.7, 0.8, 0.85, SURE, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A forecast and what came."""

    case_id: str
    corpus: str
    came: Ending
    said: Ending
    sure: float

    @property
    def right(self) -> bool:
        """Whether it came so."""
        return self.came is self.said


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("record", type=Path, metavar="RECORD", help="a run on one target")
    (record,) = store.read_run(parser.parse_args().record)
    examples, declared = examples_of(record)
    outcomes = left_out(examples, record.target, declared)
    print("\n\n".join(_page(outcomes, record.environment)))


def left_out(examples: Sequence[Example], target: Target, declared: frozenset[str]) -> list[Outcome]:
    """Return the forecasts of all cases that have an ending, each made without its part of the evidence."""
    found: list[Outcome] = []
    for held in _held_out(examples):
        groups = {example.group for example in held}
        rest = [example for example in examples if example.group not in groups]
        evidence = evidence_of(rest, target, {}, declared)
        sys.stderr.write(f"\r{len(found)} of {len(examples)} cases forecast ")
        for example in held:
            if example.ending is not None:
                said, sure = expected(example.cells, evidence)
                found.append(
                    Outcome(
                        case_id=example.result.case_id,
                        corpus=example.result.corpus,
                        came=example.ending,
                        said=said,
                        sure=sure,
                    )
                )
    return found


def _held_out(examples: Sequence[Example]) -> Iterator[list[Example]]:
    """Yield the parts: half of the cases of some operators, and single models of several."""
    leads = _leads(examples)
    operators = sorted(set(leads.values()), key=_digest)
    for part in range(_PARTS):
        chosen = set(operators[part::_PARTS])
        for half in (0, 1):
            held = [example for example in examples if leads[example.group] in chosen and _half(example, leads) == half]
            if held:
                yield held


def _leads(examples: Sequence[Example]) -> dict[str, str]:
    """Return for each group the operator that its cases are about; the group itself for models of several."""
    leads: dict[str, str] = {}
    for example in examples:
        subject = example.result.subject
        twin = base_of(example.result.case_id) != example.result.case_id
        if subject is not None and (not twin or example.group not in leads):
            leads[example.group] = qualified(subject.op_type, subject.domain)
    return {example.group: leads.get(example.group, f"model {example.group}") for example in examples}


def _half(example: Example, leads: dict[str, str]) -> int:
    return 0 if leads[example.group].startswith("model ") else int(_digest(example.group), 16) % 2


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _page(outcomes: Sequence[Outcome], environment: Mapping[str, Any]) -> Iterator[str]:
    said = [one for one in outcomes if one.sure >= SURE]
    agree = sum(one.came is Ending.AGREES for one in outcomes)
    yield "# Forecasts and what came"
    yield (
        f"What `burn-verify explain` would have said of {len(outcomes)} cases of {environment.get('started', '')} on "
        f"Burn {environment.get('burn', '')} {environment.get('burn_backend', '')}, each without the evidence of its "
        "own part: of every operator one half of its cases is left out in turn, cases of one graph together. "
        "`tools/forecast.py` says how, and makes this page."
    )
    yield (
        f"**{_share(said)} of the forecasts given are right**; of {_part(len(said), len(outcomes))} of the cases one "
        f"is given, the others are *cannot say*: no ending has a probability of {SURE} there. Works or does not, "
        f"whatever the stage: {_share(said, whatever=True)}. "
        f"To say *agrees* of every case would be right for {_part(agree, len(outcomes))}."
    )
    yield "## What came, by what was said"
    yield _confusion(outcomes)
    yield "## By corpus"
    yield _by_corpus(outcomes)
    yield "## By the probability that is asked for"
    yield _by_threshold(outcomes)
    yield "## Where forecasts were wrong"
    yield _misses(said)


def _confusion(outcomes: Sequence[Outcome]) -> str:
    counts = Counter((one.came, one.said if one.sure >= SURE else None) for one in outcomes)
    heads = [*(ending.value for ending in ENDINGS), "cannot say"]
    rows = [
        [
            came.value,
            *(str(counts[came, said]) for said in (*ENDINGS, None)),
            str(sum(counts[came, s] for s in (*ENDINGS, None))),
        ]
        for came in ENDINGS
    ]
    return "\n".join(table(["came \\ said", *heads, "all"], rows, right=(*heads, "all")))


def _by_corpus(outcomes: Sequence[Outcome]) -> str:
    rows = []
    for corpus in sorted({one.corpus for one in outcomes}):
        every = [one for one in outcomes if one.corpus == corpus]
        said = [one for one in every if one.sure >= SURE]
        rows.append([corpus, str(len(every)), str(len(said)), _share(said), _share(said, whatever=True)])
    heads = ("cases", "forecast", "right", "works or not right")
    return "\n".join(table(["corpus", *heads], rows, right=heads))


def _by_threshold(outcomes: Sequence[Outcome]) -> str:
    rows = []
    for sure in _THRESHOLDS:
        said = [one for one in outcomes if one.sure >= sure]
        rows.append([f"{sure}", _part(len(said), len(outcomes)), _share(said), _share(said, whatever=True)])
    heads = ("probability", "forecast", "right", "works or not right")
    return "\n".join(table(list(heads), rows, right=heads))


def _misses(said: Sequence[Outcome]) -> str:
    missed = sorted((one for one in said if not one.right), key=lambda one: one.case_id)
    rows = [[f"`{one.case_id}`", one.said.value, one.came.value, f"{one.sure:.2f}"] for one in missed]
    return "\n".join(table(["case", "said", "came", "probability"], rows, right=("probability",)))


def _share(outcomes: Sequence[Outcome], *, whatever: bool = False) -> str:
    right = [one.right or (whatever and Ending.AGREES not in (one.came, one.said)) for one in outcomes]
    return _part(sum(right), len(right))


def _part(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else "none"


if __name__ == "__main__":
    main()
