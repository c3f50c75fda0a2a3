"""What `prepare` made of single models with options: the file that ``tools/prepare_zoo.py`` writes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from burn_verify.core.prepared import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedModel:
    """A model after ``burn-verify prepare MODEL OPTIONS``.

    Attributes:
        how: how the file was made; empty for a model of the zoo.
        nodes: of the model's main graph, 0 where it is not known.
        options: those of the command line that were needed, or tried in vain.
        as_is: whether it agrees without any rewriting.
        agrees: whether it agrees after it.
        rewritings: names of what was done.
        proofs: how often each grade occurs among the steps.
        distance: of Burn's answers from the reference, at most; None where nothing was compared.
        in_the_way: what it ends at; empty where it agrees.
        tried: rewritten models that were built.
        seconds: wall time of the command.
        load: of the machine when it began, in processes that want to run; None where nobody asked.
        explained: seconds of ``burn-verify explain`` on it; None where it was not run.
        processor: seconds of a processor that it took.
        forecast: what it said.
        cpu: the processor, with its instructions for products of 8 bits.
    """

    model: str
    options: tuple[str, ...]
    agrees: bool
    rewritings: tuple[str, ...]
    proofs: Mapping[str, int]
    distance: float | None
    in_the_way: str
    tried: int
    seconds: float
    how: str = ""
    nodes: int = 0
    as_is: bool = False
    load: float | None = None
    explained: float | None = None
    processor: float | None = None
    forecast: str = ""
    cpu: str = ""


def prepared_model(
    model: str, options: Sequence[str], told: Mapping[str, Any], seconds: float, **given: Any
) -> PreparedModel:
    """Return what the JSON of ``burn-verify prepare`` says.

    Arguments:
        given: other attributes, which are not in it.

    Raises:
        KeyError: it is no such JSON.
    """
    grades = [step["proof"] for step in told["steps"]]
    after = told["after"] or told["before"]
    return PreparedModel(
        model=model,
        options=tuple(options),
        as_is=told["status"] == Status.AGREED and not options,
        agrees=bool(told["agrees"]),
        rewritings=tuple(told["rewritings"]),
        proofs={grade: grades.count(grade) for grade in dict.fromkeys(grades)},
        distance=after["max_abs"],
        in_the_way=str(told["in_the_way"]),
        tried=int(told["tried"]),
        seconds=round(seconds, 1),
        **given,
    )


def to_text(models: Sequence[PreparedModel]) -> str:
    """Return a file as text."""
    return json.dumps([asdict(one) for one in models], indent=1) + "\n"


def from_text(text: str) -> tuple[PreparedModel, ...]:
    """Read a file.

    Raises:
        ValueError: the text is not such a file.
    """
    try:
        return tuple(
            PreparedModel(
                **{**entry, "options": tuple(entry["options"]), "rewritings": tuple(entry["rewritings"])},
            )
            for entry in json.loads(text)
        )
    except (TypeError, KeyError) as error:
        message = f"not a file of prepared models: {error!r}"
        raise ValueError(message) from error
