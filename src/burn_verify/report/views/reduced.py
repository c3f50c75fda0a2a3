"""What was kept and saved of a model, as text for a terminal. Pure."""

from pathlib import Path

from burn_verify.core.reduced import Reduced, Reduction
from burn_verify.core.text import counted


def reduced_text(reduced: Reduced, path: Path) -> str:
    """Return the answer in a few lines.

    Arguments:
        path: where the reduced model was written, if there is one.
    """
    lines = [f"{reduced.model} on {reduced.target}: {reduced.reduction}"]
    if reduced.stage is not None:
        guilty = f", guilty: {reduced.guilty}" if reduced.guilty else ""
        lines.append(f"  {reduced.stage}: {reduced.reason}{guilty}")
    if reduced.reduction is Reduction.REDUCED:
        before, after = reduced.nodes
        lines += [
            f"  {counted(before, 'node')} -> {counted(after, 'node')}: {', '.join(reduced.op_types)}",
            f"  {counted(reduced.elements[0], 'number')} of inputs and weights -> {reduced.elements[1]}",
            *(f"  {change}" for change in reduced.changes),
            f"  verified alone; {counted(reduced.batches, 'compilation')} in {reduced.seconds:.0f} s",
            f"written: {path}",
        ]
    return "\n".join(lines)
