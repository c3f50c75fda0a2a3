"""Samples for a calibration: chosen evenly from a user's data, and written for the process that quantises."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from burn_verify.cases.own.described import mistake
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.first import chosen, fed, told
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import PreparedCase
from burn_verify.system.wire import encode


def evenly(count: int, limit: int) -> list[int]:
    """Return at most `limit` places of `count`, evenly spaced: data are often sorted by class."""
    wanted = min(count, limit)
    return [place * count // wanted for place in range(wanted)]


def written_samples(prepared: PreparedCase, limit: int, folder: Path, listen: Listener) -> list[str]:
    """Write samples of a model's data to files, the inputs in the order of the graph; return the files' names.

    Arguments:
        limit: the greatest number of samples.

    Raises:
        LoadError: the data cannot be read, or do not fit the model: one line.
    """
    hints = prepared.case.hints
    if not hints.data:
        return []
    try:
        samples, places = chosen(hints, prepared)
        taken = [places[place] for place in evenly(len(places), limit)]
        names: list[str] = []
        for done, place in enumerate(taken):
            listen(Progress(phase="samples", done=done, total=len(taken), text=samples.names[place]))
            sample = fed(samples.read(place), hints, prepared, prepared.digest, lambda: told(prepared.model))
            for spec, array in zip(prepared.inputs, sample.inputs, strict=True):
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise Wrong(place=samples.names[place], text=f"{spec.name!r} holds numbers that are not finite")
            names.append(f"sample-{done:06d}.safetensors")
            (folder / names[-1]).write_bytes(encode(sample.inputs))
    except Wrong as error:
        raise mistake(Path(error.place), "", error.text) from error
    return names


def first_name(prepared: PreparedCase) -> str:
    """Return the name of the first sample of a model's data; empty where there are no data."""
    if not prepared.case.hints.data:
        return ""
    samples, places = chosen(prepared.case.hints, prepared)
    names: Sequence[str] = samples.names
    return names[places[0]]
