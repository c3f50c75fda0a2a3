"""Similarity of two texts: the cosine of their embeddings, and how it ranks the pairs beside the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.cases.labelled.entry import Entry, Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array
from burn_verify.task.protocol import Answer, Answered, Flip, Interval, bootstrapped, predictions

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Implements `burn_verify.task.protocol.Task`; a prediction is a cosine.

    Attributes:
        output, pooling: as of `burn_verify.core.case.TaskHint`.
    """

    output: str = ""
    pooling: str = ""
    name = "similarity"
    labels = Labels.SCORE
    metric = "spearman"
    lower: frozenset[str] = frozenset()

    def predicted(self, entry: Entry, answers: Sequence[Answer]) -> float:
        """Return the cosine of the embeddings of two texts."""
        left, right = (self.embedding(entry, one) for one in answers)
        norm = float(np.linalg.norm(left) * np.linalg.norm(right))
        if not np.isfinite(norm) or norm == 0:
            raise Wrong(place=entry.name, text="an embedding is zero, or not finite")
        return float(left @ right) / norm

    def embedding(self, entry: Entry, answer: Answer) -> Floats:
        """Return the vector of a text, float64."""
        return embedded(answer, self.output, self.pooling, entry.name)

    def metrics(self, answered: Sequence[Answered]) -> Mapping[str, float]:
        """Return ``spearman`` and ``pearson`` correlation with the labels, and the mean ``cosine``."""
        return _metrics(_rows(answered))

    def intervals(self, before: Sequence[Answered], after: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
        """Return intervals; see `Task.intervals`."""
        return bootstrapped(_rows(before), _rows(after), _metrics, seed)

    def flips(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[Flip]:
        """Return the pairs whose rank among all differs."""
        old, new = (ranks(_rows(one)[:, 0]) for one in (before, after))
        found = [
            Flip(
                sample=one.entry.name,
                kind="rank",
                text=f"rank {old[place]:g} of {len(old)} became {new[place]:g}",
                weight=float(abs(new[place] - old[place])),
            )
            for place, one in enumerate(before)
            if old[place] != new[place]
        ]
        return sorted(found, key=lambda one: -one.weight)

    def apart(self, before: float, after: float) -> float:
        """Return the difference of two cosines."""
        return abs(before - after)

    def details(self, answered: Sequence[Answered]) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def written(self, answered: Sequence[Answered]) -> list[Any]:
        """Return predictions as JSON."""
        return [
            {"sample": one.entry.number, "name": one.entry.name, "label": one.entry.label, "cosine": one.prediction}
            for one in answered
        ]

    def read(self, document: Sequence[Any], entries: Sequence[Entry]) -> list[Answered]:
        """Return predictions of JSON: objects of ``sample`` and ``cosine``; see `Task.read`."""
        return predictions(document, entries, _cosine)


def _cosine(given: Mapping[str, Any], entry: Entry) -> float:
    value = given.get("cosine")
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f'the prediction of {entry.name} needs "cosine", a number'
        raise ValueError(msg)
    return float(value)


def embedded(answer: Answer, output: str, pooling: str, place: str) -> Floats:
    """Return the vector of a text, float64 of [features].

    Vectors of tokens, [1, tokens, features], are pooled: their mean over the mask, or the first one.

    Raises:
        Wrong: no output holds vectors.
    """
    array = _chosen(answer.outputs, output, pooling, place)
    if array.ndim == 2 and pooling in ("", "none"):
        return np.asarray(array[0], np.float64)
    if array.ndim != 3 or pooling == "none":
        shape = list(array.shape)
        raise Wrong(place=place, text=f"no embedding of an output of shape {shape} with pooling {pooling or 'mean'!r}")
    tokens = np.asarray(array[0], np.float64)
    if pooling == "first":
        return np.asarray(tokens[0])
    masks = [one for name, one in answer.inputs.items() if "mask" in name.lower()]
    mask = np.asarray(masks[0][0], np.float64) if masks else np.ones(len(tokens))
    return np.asarray((tokens * mask[:, None]).sum(axis=0) / max(mask.sum(), 1.0))


def _chosen(outputs: Mapping[str, Array], output: str, pooling: str, place: str) -> Array:
    if output:
        if output not in outputs:
            raise Wrong(place=place, text=f"task.output: {output!r} is none of the outputs {', '.join(outputs)}")
        return outputs[output]
    if "sentence_embedding" in outputs:
        return outputs["sentence_embedding"]
    wanted = {"": (3, 2), "none": (2,)}.get(pooling, (3,))
    for rank in wanted:
        found = [one for one in outputs.values() if one.ndim == rank and one.dtype.kind not in "iub"]
        if found:
            return found[0]
    raise Wrong(place=place, text=f"no output holds embeddings: they are {', '.join(outputs)}")


def ranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values have the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means = ends - (counts - 1) / 2
    return np.asarray(means[places.reshape(-1)], np.float64)


def pearson(left: Floats, right: Floats) -> float:
    """Return the correlation of two rows of numbers; NaN where one of them is constant."""
    left, right = left - left.mean(), right - right.mean()
    norm = float(np.sqrt((left * left).sum() * (right * right).sum()))
    return float((left * right).sum()) / norm if norm else float("nan")


def _rows(answered: Sequence[Answered]) -> Floats:
    return np.array([[one.prediction, one.entry.label] for one in answered], dtype=np.float64).reshape(-1, 2)


def _metrics(rows: Floats) -> dict[str, float]:
    cosines, labels = rows[:, 0], rows[:, 1]
    return {
        "spearman": pearson(ranks(cosines), ranks(labels)),
        "pearson": pearson(cosines, labels),
        "cosine": float(cosines.mean()),
    }
