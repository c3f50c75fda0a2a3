"""An evaluation as a table, and as JSON values."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tabulate import tabulate

from burn_verify.core.text import counted
from burn_verify.task.drift import Drift
from burn_verify.task.evaluated import Change, Comparison, Evaluated

EVALUATION: Final = "evaluation"
"""The field of a record's details with an evaluation."""

_NAMED: Final = 5
"""The greatest number of flips and lines that are printed; the files hold all."""


def evaluation_text(
    evaluated: Sequence[Evaluated], comparisons: Sequence[Comparison], drifts: Sequence[Drift] = ()
) -> str:
    """Return what came of an evaluation, for people."""
    parts = [_metrics_table(evaluated)]
    for one in comparisons:
        parts.append("\n".join(_comparison(one)))
    parts += ["\n".join(_drift(one)) for one in drifts]
    return "\n\n".join(parts)


def evaluated_json(one: Evaluated) -> dict[str, Any]:
    """Return an evaluation as JSON: its metrics beside the other keys, as training frameworks write them."""
    return {
        **{name: _number(value) for name, value in one.metrics.items()},
        "samples": len(one.answered),
        "model": one.model,
        "engine": one.engine,
        "dataset": {"name": one.dataset, "digest": one.digest},
        "unreadable": list(one.unreadable),
        "unanswered": list(one.unanswered),
        "details": dict(one.details),
        "samples_per_second": _number(one.cost.rate),
        "seconds": _number(one.cost.seconds),
        "peak_memory_mib": _number(one.cost.memory),
        "call_ms": None
        if one.cost.call is None
        else dict(zip(("median", "low", "high"), map(_number, one.cost.call), strict=True)),
        "bytes": one.size,
        **({"error": one.error} if one.error else {}),
    }


def comparison_json(one: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    flips = one.flips
    return {
        "before": one.before,
        "after": one.after,
        "dataset_check": one.check,
        "samples": one.samples,
        "metrics": {name: _change_json(change) for name, change in one.changes.items()},
        "tier": None if one.tier is None else str(one.tier),
        "flips": None
        if flips is None
        else {
            "count": len(flips),
            "by_kind": dict(one.kinds),
            "samples": list(dict.fromkeys(flip.sample for flip in flips)),
            "decisions": [{"sample": it.sample, "kind": it.kind, "text": it.text, "weight": it.weight} for it in flips],
        },
        "notes": list(one.notes),
        "worst": [{"sample": name, "distance": _number(distance)} for name, distance in one.worst],
        "exceeded": list(one.exceeded),
        "passes": one.passes,
    }


def _metrics_table(evaluated: Sequence[Evaluated]) -> str:
    names = list(dict.fromkeys(name for one in evaluated for name in one.metrics))
    heads = ["model", "engine", "bytes", *names, "samples", "a second", "ms a call", "peak MiB"]
    rows = [_cells(one, names) for one in evaluated]
    table = tabulate(rows, headers=heads, tablefmt="plain", disable_numparse=True)
    return "\n".join([table, *(f"{one.name}: {one.error}" for one in evaluated if one.error)])


def _cells(one: Evaluated, names: Sequence[str]) -> list[str]:
    return [
        one.model,
        one.engine,
        "" if one.size is None else f"{one.size:,}",
        *(_decimal(one.metrics.get(name)) for name in names),
        str(len(one.answered)),
        "" if one.cost.rate is None else f"{one.cost.rate:.1f}",
        "" if one.cost.call is None else "{:.3g} [{:.3g}, {:.3g}]".format(*one.cost.call),
        "" if one.cost.memory is None else f"{one.cost.memory:.0f}",
    ]


def _comparison(one: Comparison) -> Iterator[str]:
    yield f"{one.after} beside {one.before}: {one.tier or 'not compared'}"
    yield f"  data: {one.check}"
    if one.changes:
        table = tabulate(
            [_row(name, change) for name, change in one.changes.items()], tablefmt="plain", disable_numparse=True
        )
        yield from (f"  {line}" for line in table.splitlines())
    if one.flips is not None:
        kinds = ", ".join(f"{count} {kind}" for kind, count in one.kinds.items())
        samples = len({flip.sample for flip in one.flips})
        where = f" in {samples} of {counted(one.samples or 0, 'sample')}: {kinds}" if one.flips else ""
        yield f"  {counted(len(one.flips), 'decision')} flipped{where}"
        for flip in one.flips[:_NAMED]:
            yield f"    {flip.sample}: {flip.text}"
        if len(one.flips) > _NAMED:
            yield f"    and {len(one.flips) - _NAMED} more"
    yield from (f"  {line}" for line in one.notes)
    for line in one.exceeded:
        yield f"  FAILS: {line}"


def drift_json(one: Drift) -> dict[str, Any]:
    """Return a drift as JSON."""
    return {
        "before": one.before,
        "after": one.after,
        "engines": list(one.engines),
        "samples": one.samples,
        "metrics": {
            name: dict(zip(one.engines, map(_number, pair), strict=True)) for name, pair in one.metrics.items()
        },
        "share_that_differs": _number(one.share),
        "flipped_by_one_only": {engine: list(names) for engine, names in one.alone.items()},
        "exceeded": list(one.exceeded),
        "passes": one.passes,
    }


def _drift(one: Drift) -> Iterator[str]:
    same = "the same" if one.passes else "not the same"
    yield f"drift from {one.before} to {one.after} by {' and by '.join(one.engines)}: {same}"
    for name, (mine, other) in one.metrics.items():
        yield f"  {name} {mine:+.6f} and {other:+.6f}"
    if one.samples:
        yield f"  {100 * one.share:.2g} % of the drift of {counted(one.samples, 'sample')} differs"
    for engine, names in one.alone.items():
        some = ", ".join(names[:_NAMED])
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"  flipped by {engine} only: {some}{more}"
    for line in one.exceeded:
        yield f"  FAILS: {line}"


def _row(name: str, change: Change) -> list[str]:
    interval = change.interval
    between = "" if interval is None else f"95 % in [{interval[0]:+.6f}, {interval[1]:+.6f}]"
    return [name, f"{change.before:.6f}", f"{change.after:.6f}", f"{change.difference:+.6f}", str(change.tier), between]


def _change_json(change: Change) -> dict[str, Any]:
    interval = change.interval
    return {
        "before": _number(change.before),
        "after": _number(change.after),
        "difference": _number(change.difference),
        "drop": _number(change.drop),
        "tier": str(change.tier),
        "interval": None if interval is None else [_number(one) for one in interval],
    }


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _number(value: float | None) -> float | None:
    """Return a number that JSON has; None for those that it has not."""
    return None if value is None or not math.isfinite(value) else float(value)
