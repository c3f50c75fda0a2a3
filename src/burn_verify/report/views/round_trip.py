"""The round trip ONNX → Burn → ONNX as a page: what exports, what agrees, and whose fault what fails is. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from burn_verify.core.located import Side
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.text import shortened, without_numbers

Line = Mapping[str, Any]


def end_of(line: Line) -> str:
    """Return how the round trip of a case ends, in words; empty where the case does not run."""
    trip = line["trip"]
    if trip is None:
        return ""
    if not trip["written"]:
        return "not exported"
    if trip["obstacle"]:
        # ONNX allows it, and ONNX Runtime does not have it: nothing wrong was written.
        return "no kernel in ONNX Runtime" if "NOT_IMPLEMENTED" in trip["obstacle"] else "refused"
    agrees, right = line["outcome"] == Outcome.PASSED, not trip["difference"]
    if agrees:
        return "right" if right else "exporter wrong"
    if right:
        return "kernel"
    return "importer" if trip["alike"] else "wrong otherwise"


def is_finding(line: Line) -> bool:
    """Return whether a round trip is a fault of the exporter: Burn answers right, and what it wrote does not."""
    return end_of(line) in ("exporter wrong", "refused") and line["outcome"] == Outcome.PASSED


def is_decided(line: Line) -> bool:
    """Return whether it is known whose fault a failure is."""
    return line["fault"] is not None and line["fault"]["side"] != Side.UNDECIDED


def round_trip_page(lines: Sequence[Line], command: str) -> str:
    """Return the page."""
    text = [
        "# Round trip: ONNX → Burn → ONNX",
        "",
        f"Made by `{command}`. Each case that runs is recorded on burn-onnx's capture device and written as ONNX by",
        "`burn_onnx::export::OnnxExporter`, with the sizes of one data set; ONNX Runtime runs what was written, and",
        "the judge compares it with the reference of the case. Where Burn's own answer is right and this one is not,",
        "the exporter is wrong.",
        "",
    ]
    corpora = list(dict.fromkeys(line["corpus"] for line in lines))
    rows = []
    for corpus in corpora:
        own = [line for line in lines if line["corpus"] == corpus]
        ran = [line for line in own if line["trip"] is not None]
        written = [line for line in ran if line["trip"]["written"]]
        ends = Counter(map(end_of, written))
        passing = [line for line in written if line["outcome"] == Outcome.PASSED]
        counts = [len(own), len(ran), len(written), len(passing), ends["right"], sum(map(is_finding, written))]
        counts += [ends["no kernel in ONNX Runtime"], len(written) - len(passing), ends["importer"], ends["kernel"]]
        rows.append([corpus, *counts])
    heads = ["corpus", "cases", "run", "export", "of those Burn agrees", "and the export agrees", "exporter wrong"]
    heads += ["no kernel in ONNX Runtime", "Burn fails", "export the same: importer", "export right: kernel"]
    text += [tabulate(rows, headers=heads, tablefmt="github"), "", "## Faults of the exporter", ""]
    found = [line for line in lines if is_finding(line)]
    rows = [[line["case"], shortened(line["trip"]["obstacle"] or line["trip"]["difference"], 120)] for line in found]
    text += [_table(rows, ["case", "what is written answers"]), "", "## Why cases are not exported", ""]
    refused = [line for line in lines if end_of(line) == "not exported"]
    reasons = Counter(without_numbers(line["trip"]["obstacle"]) for line in refused)
    rows = [[shortened(reason, 100), count] for reason, count in reasons.most_common(30)]
    text += [_table(rows, ["obstacle", "cases"]), ""]
    return "\n".join([*text, *_faults(lines)]).rstrip() + "\n"


def _faults(lines: Sequence[Line]) -> list[str]:
    wrong = [line for line in lines if line["outcome"] == Outcome.FAILED and line["stage"] == Stage.COMPARE]
    panics = [line for line in lines if line["stage"] == Stage.RUN and line["failure"] != FailureKind.NO_VALUE]
    panics = [line for line in panics if line["outcome"] == Outcome.FAILED]
    text = [
        "## Whose fault",
        "",
        "Of cases that run and fail: what other kernels and the round trip say together (docs/locate.md).",
        "",
    ]
    rows = []
    for name, some in (("wrong answers", wrong), ("panics", panics), ("both", [*wrong, *panics])):
        sides = Counter(line["fault"]["side"] for line in some)
        by = Counter(one for line in some for one in line["fault"]["by"])
        share = f"{sum(map(is_decided, some)) / len(some):.0%}" if some else ""
        counts = [sides[side] for side in (Side.IMPORTER, Side.KERNEL, Side.UNDECIDED)]
        rows.append([name, len(some), *counts, share, by["other kernels"], by["round trip"]])
    heads = ["failures", "cases", *Side, "decided", "by other kernels", "by the round trip"]
    text += [tabulate(rows, headers=heads, tablefmt="github"), ""]
    rows = [
        [line["case"], line["fault"]["side"], shortened("; ".join(line["fault"]["facts"]), 240)]
        for line in (*wrong, *panics)
    ]
    return [*text, _table(rows, ["case", "whose fault", "what says so"]), ""]


def _table(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    escaped = [[str(cell).replace("|", "\\|").replace("<", "&lt;") for cell in row] for row in rows]
    return tabulate(escaped, headers=heads, tablefmt="github", disable_numparse=True) if rows else "none"
