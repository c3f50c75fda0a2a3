"""Which output of a model a task is about."""

from collections.abc import Mapping

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array


def scored(outputs: Mapping[str, Array], name: str, place: str) -> Array:
    """Return the output that is scored: the named one, else the only float output, else the only one.

    Raises:
        Wrong: there is none of this name, or there are several.
    """
    if name:
        if name not in outputs:
            raise Wrong(place=place, text=f"task.output: {name!r} is none of the outputs {', '.join(outputs)}")
        return outputs[name]
    floats = {key: one for key, one in outputs.items() if one.dtype.kind not in "iubUSO"}
    chosen = floats or dict(outputs)
    if len(chosen) != 1:
        text = f"several outputs, {', '.join(chosen)}: [task] output of a description names one"
        raise Wrong(place=place, text=text)
    return next(iter(chosen.values()))
