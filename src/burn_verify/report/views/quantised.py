"""What became of a model that was quantised: as text for the terminal, as Markdown, and as JSON values."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from tabulate import tabulate

from burn_verify.core.prepared import Prepared
from burn_verify.core.quantised import EXACT, Loss, Quantised, Written
from burn_verify.core.text import counted
from burn_verify.report.views.prepared import prepared_json, prepared_markdown, prepared_text

_SHOWN: Final = 10
"""Tensors that the terminal names; the report names all."""

_HEADERS: Final = ("tensor", "", "own rounding", "against float32")


def burn_computes(written: Written) -> str:
    """Return what Burn does with 8 bits: it stores them."""
    of_integers = f", {' and '.join(written.integer)} in int32" if written.integer else ""
    return (
        f"Burn stores weights in 8 bits and computes in float32{of_integers}: burn-onnx 0.22 has no kernel for 8 bits. "
        "Expect a smaller file, not a faster model."
    )


def quantised_text(made: Quantised, found: Prepared | None, written: Written | None) -> str:
    """Return lines and tables for the terminal.

    Arguments:
        found: what was rewritten for Burn; None where nobody asked.
        written: None where no file was.
    """
    parts = ["\n".join(_head(made, written))]
    if found is not None:
        parts += [prepared_text(found), *([burn_computes(written)] if written else [])]
    if made.losses:
        rest = len(made.losses) - _SHOWN
        more = [f"and {counted(rest, 'tensor')} more: --report FILE names all"] if rest > 0 else []
        parts.append("\n".join([_loss_line(), _table(made.losses[:_SHOWN], "simple"), *more]))
    elif made.unmeasured:
        parts.append(f"loss by tensor: not measured: {made.unmeasured}")
    return "\n\n".join(parts)


def quantised_markdown(made: Quantised, found: Prepared | None, written: Written | None) -> str:
    """Return the report as a page; arguments as for `quantised_text`."""
    parts = ["# Quantised", *(f"- {line}" for line in _head(made, written))]
    text = "\n".join([parts[0], "", *parts[1:]]) + "\n"
    if found is not None:
        text += f"\n{prepared_markdown(found).replace('# ', '## For Burn: ', 1)}"
        text += f"\n{burn_computes(written)}\n" if written else ""
    if made.losses:
        text += f"\n## Loss by tensor\n\n{_loss_line()}\n\n{_table(made.losses, 'github')}\n"
    elif made.unmeasured:
        text += f"\n## Loss by tensor\n\nNot measured: {made.unmeasured}\n"
    return text


def quantised_json(made: Quantised, found: Prepared | None, written: Written | None) -> dict[str, Any]:
    """Return the same as JSON values."""
    return {
        "how": asdict(made.how),
        "samples": made.samples,
        "bytes": {"float": made.before, "quantised": made.after, "written": written and written.size},
        "nodes": {name: {"quantised": done, "of": count} for name, (done, count) in made.nodes.items()},
        "losses": [asdict(one) for one in made.losses],
        "unmeasured": made.unmeasured,
        "prepare": None if found is None else prepared_json(found),
        "burn_computes_in": list(written.arithmetic) if found is not None and written else None,
    }


def _head(made: Quantised, written: Written | None) -> Iterator[str]:
    by = f", calibrated by {counted(made.samples, 'sample')}" if made.samples else ""
    yield f"{made.how.text}{by}"
    now = written.size if written else made.after
    yield f"{made.before:,} bytes, now {now:,} ({100 * now / made.before:.0f} %)"
    yield "quantised: " + ", ".join(f"{name} {done} of {count}" for name, (done, count) in made.nodes.items())


def _loss_line() -> str:
    return (
        "loss by tensor, signal to noise in dB, the worst first: by its own rounding, and against the float model on "
        "the same samples (qdq_loss_debug of ONNX Runtime; a Relu that went into a rounding counts as rounding)"
    )


def _table(losses: tuple[Loss, ...], style: str) -> str:
    rows = [[one.tensor, "weight" if one.weight else "", _decibels(one.own), _decibels(one.whole)] for one in losses]
    return tabulate(
        rows, headers=_HEADERS, tablefmt=style, disable_numparse=True, colalign=("left", "left", *["right"] * 2)
    )


def _decibels(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return "exact" if ratio >= EXACT else f"{ratio:.1f}"
