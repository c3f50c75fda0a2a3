"""The answers of two sides to the same inputs, compared by the judge: folders of kept answers, and ``.onnx`` files.

A model is answered by the engine of the reference, on the inputs of the other side. Inputs that differ are told, and
what they led to is not compared. Prints nothing.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burn_verify.core.comparison import ComparedOutput, Comparison, NotCompared
from burn_verify.core.errors import UsageError
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.core.result import OutputMetrics, Verdict, VerdictName
from burn_verify.judge.policy import Judge
from burn_verify.judge.tolerated import Question
from burn_verify.run.asked import Answer, AskedModel
from burn_verify.run.differences import Known, verdict
from burn_verify.run.kept_outputs import BURN, INPUTS, Kept, kept_in
from burn_verify.run.matching import Pair, fed, matched, other_inputs
from burn_verify.system.wire import Array

AGREES: Final = VerdictName.AGREES.value
DIFFERS: Final = "differs"
"""In place of the judge's word, for an output that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Two:
    """Two answers to one data set; `fed`: the one was made with the inputs of the other."""

    one: Answer
    other: Answer
    fed: bool = False

    @property
    def about(self) -> Answer:
        """The side whose names the result has: the one that was kept, else the first."""
        return self.other if self.one.known is not None and self.other.known is None else self.one

    @property
    def known(self) -> Known:
        """What is known of the inputs, from the first side that was measured."""
        found = (side.known for side in (self.one, self.other) if side.known is not None)
        return next(found, Known(inputs=list(self.one.inputs.values())))


class Versus:
    """Compares two sides.

    Arguments:
        open_model: returns a model that can be asked; raises UsageError.
        answers: whose answers in a folder count, `kept_outputs.BURN` or `kept_outputs.REFERENCE`.
    """

    def __init__(
        self,
        open_model: Callable[[Path], AskedModel],
        judged: Judge,
        *,
        answers: str = BURN,
        listen: Listener = silent,
    ) -> None:
        self._open = open_model
        self._judge = judged
        self._group = answers
        self._listen = listen

    def compare(self, one: Path, other: Path) -> Comparison:
        """Compare what two paths stand for, each a folder of kept answers or a model.

        Raises:
            UsageError: a side cannot be read or answered, or the two have nothing in common.
        """
        if one.is_dir() and other.is_dir():
            return self._folders(one, other)
        if one.is_dir() or other.is_dir():
            return self._folder_and_model(one, other)
        return self._models(one, other)

    def _folders(self, one: Path, other: Path) -> Comparison:
        mine, theirs = kept_in(one), kept_in(other)
        pairs, left_out, notes = paired(mine, theirs)
        if not pairs:
            message = f"{one} and {other} have nothing in common: {_some(mine)} is in A, {_some(theirs)} in B"
            raise UsageError(message)
        two = (_Two(one=self._from(first), other=self._from(second)) for first, second in pairs)
        sides = (self._told(one, mine), self._told(other, theirs))
        return self._comparison(sides, two, len(pairs), notes, left_out)

    def _folder_and_model(self, one: Path, other: Path) -> Comparison:
        folder, path = (one, other) if one.is_dir() else (other, one)
        model = self._open(path)
        kept = _of_model(folder, kept_in(folder), model)
        stored = [self._from(each) for each in kept]
        values, notes = _fed(model, stored)
        self._listen(Progress(phase="reference", done=0, total=1, text=path.name))
        answers = model.given(values, measured=True)
        sides = {folder: self._told(folder, kept), path: model.title}
        two = (
            _Two(one=first, other=second, fed=True) if folder is one else _Two(one=second, other=first, fed=True)
            for first, second in zip(stored, answers, strict=True)
        )
        return self._comparison((sides[one], sides[other]), two, len(kept), notes)

    def _models(self, one: Path, other: Path) -> Comparison:
        first, second = self._open(one), self._open(other)
        self._listen(Progress(phase="reference", done=0, total=2, text=one.name))
        mine = first.own()
        asked = [answer for answer in mine if answer.inputs]
        values, notes = _fed(second, asked)
        self._listen(Progress(phase="reference", done=1, total=2, text=other.name))
        theirs = second.given(values, measured=False)
        left_out = [_left(answer, f"A has no answer: {answer.why}") for answer in mine if not answer.inputs]
        two = (_Two(one=before, other=after, fed=True) for before, after in zip(asked, theirs, strict=True))
        return self._comparison((first.title, second.title), two, len(asked), notes, left_out)

    def _comparison(
        self,
        sides: tuple[str, str],
        several: Iterable[_Two],
        total: int,
        notes: Sequence[str] = (),
        left_out: Sequence[NotCompared] = (),
    ) -> Comparison:
        found: list[ComparedOutput] = []
        left = list(left_out)
        for place, two in enumerate(several):
            self._listen(Progress(phase="comparing", done=place, total=total, text=two.about.case))
            compared, rest = self._compared(two)
            found += compared
            left += rest
        self._listen(Progress(phase="comparing", done=total, total=total))
        return Comparison(sides=sides, compared=tuple(found), left_out=tuple(left), notes=tuple(dict.fromkeys(notes)))

    def _compared(self, two: _Two) -> tuple[list[ComparedOutput], list[NotCompared]]:
        if not two.fed and (why := other_inputs(two.one.inputs, two.other.inputs)):
            return [], [_left(two.about, why)]
        for side, answer in (("A", two.one), ("B", two.other)):
            if not answer.outputs:
                return [], [_left(two.about, f"{side} has no answer{f': {answer.why}' if answer.why else ''}")]
        outputs = matched(list(two.one.outputs), list(two.other.outputs))
        alone = [("A", name) for name in outputs.only_one] + [("B", name) for name in outputs.only_other]
        left = [_left(two.about, f"only {side} has the output {name!r}") for side, name in alone]
        return self._judged(two, outputs.pairs) if outputs.pairs else [], left

    def _judged(self, two: _Two, pairs: Sequence[Pair]) -> list[ComparedOutput]:
        steady = tuple(
            pair.one for pair in pairs if _is_steady(two.one, pair.one) and _is_steady(two.other, pair.other)
        )
        question = Question(case_id=two.about.case, random=two.one.random or two.other.random, steady=steady)
        sure = steady if question.random else ()
        names, others = [pair.one for pair in pairs], [pair.other for pair in pairs]
        before, after = [two.one.outputs[name] for name in names], [two.other.outputs[name] for name in others]
        # What is measured is known by the place of an output: it fits only where all have the same place.
        whole = names == list(two.one.outputs) and others == list(two.other.outputs)
        known = two.known if whole else Known(inputs=two.known.inputs)
        said = verdict(question, names, two.about.data_set, before, after, known, self._judge)
        return [
            ComparedOutput(
                case=two.about.case,
                data_set=two.about.data_set,
                name=pair.one,
                other=pair.other,
                by_name=pair.by_name,
                verdict=DIFFERS if difference else (AGREES if pair.one in sure else said.name.value),
                metrics=metrics,
                difference=difference,
            )
            for pair, metrics, difference in zip(pairs, said.metrics, _differences(said), strict=True)
        ]

    def _from(self, kept: Kept) -> Answer:
        return Answer(
            case=kept.case,
            data_set=kept.data_set,
            inputs=kept.arrays(INPUTS),
            outputs=kept.arrays(self._group),
            why=f"it ended at {kept.notes.get('stage')}" if self._group == BURN else "",
            random=kept.notes.get("random") == "true",
            steady=tuple(json.loads(kept.notes.get("steady", "[]"))),
        )

    def _told(self, folder: Path, kept: Sequence[Kept]) -> str:
        whose = {each.notes.get("target" if self._group == BURN else "reference", "") for each in kept}
        models = {f"{each.notes.get('model')}, sha256 {each.notes.get('model_sha256', '')[:12]}" for each in kept}
        program = "Burn " if self._group == BURN else ""
        return f"{folder}: answers of {program}{_few(whose)} to {_few(models)}"


def paired(
    mine: Sequence[Kept], theirs: Sequence[Kept]
) -> tuple[list[tuple[Kept, Kept]], list[NotCompared], list[str]]:
    """Pair what two folders hold by case and data set; the only case of either side goes with that of the other.

    Returns:
        the pairs, what only one side has, and what is to be told.
    """
    cases = [list(dict.fromkeys(kept.case for kept in some)) for some in (mine, theirs)]
    alone = cases[0] != cases[1] and len(cases[0]) == len(cases[1]) == 1
    notes = [f"{cases[0][0]} of A is compared with {cases[1][0]} of B: either folder has one case"] if alone else []
    here, there = ({("" if alone else kept.case, kept.data_set): kept for kept in some} for some in (mine, theirs))
    pairs = [(kept, there[key]) for key, kept in here.items() if key in there]
    left = [_left(kept, "only A has it") for key, kept in here.items() if key not in there]
    left += [_left(kept, "only B has it") for key, kept in there.items() if key not in here]
    return pairs, left, notes


def _is_steady(answer: Answer, output: str) -> bool:
    return not answer.random or output in answer.steady


def _of_model(folder: Path, kept: Sequence[Kept], model: AskedModel) -> tuple[Kept, ...]:
    """Return the answers in a folder that are for a model: those of the same model, else all if they are of one case.

    Raises:
        UsageError: it cannot be told which they are.
    """
    same = tuple(one for one in kept if one.notes.get("model_sha256") == model.prepared.digest)
    if same or len({one.case for one in kept}) == 1:
        return same or tuple(kept)
    message = (
        f"{folder}: holds answers of several cases ({_some(kept)}), and none of them is of {model.path}: "
        "name the folder of one of them"
    )
    raise UsageError(message)


def _fed(model: AskedModel, answers: Sequence[Answer]) -> tuple[list[list[Array]], list[str]]:
    """Return the inputs of data sets in the order of another model, and what had to be done for it.

    Raises:
        UsageError: the model takes other inputs.
    """
    values, notes = [], []
    for answer in answers:
        try:
            some, told = fed(model.prepared.inputs, answer.inputs)
        except ValueError as error:
            message = f"{model.path}: {error} ({answer.case}, {answer.data_set}): two models are compared on one input"
            raise UsageError(message) from None
        values.append(some)
        notes += told
    return values, notes


def _differences(said: Verdict) -> list[str]:
    """Return how each output differs, in one line; empty where it agrees."""
    if said.passes:
        return [""] * len(said.metrics)
    worst = said.difference or said.message
    guilty = {one.name for one in said.metrics if not one.fits}
    # A rule about several outputs may find fault where each element is within its own bound.
    guilty = guilty or {one.name for one in said.metrics if worst.startswith(f"{one.name}: ")}
    guilty = guilty or {one.name for one in said.metrics}
    return [
        (worst if worst.startswith(f"{one.name}: ") else _told_of(one)) if one.name in guilty else ""
        for one in said.metrics
    ]


def _told_of(one: OutputMetrics) -> str:
    if one.problem is not None:
        return f"{one.name}: {one.problem.value}"
    far = "" if one.max_abs is None else f", max_abs={one.max_abs:.1e}"
    return f"{one.name}: {one.mismatching}/{one.elements} elements differ{far}, bound {one.bound}"


def _left(answer: Answer | Kept, why: str) -> NotCompared:
    return NotCompared(case=answer.case, data_set=answer.data_set, why=why)


def _some(kept: Sequence[Kept]) -> str:
    return _few(f"{one.case}, {one.data_set}" for one in kept)


def _few(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(sorted(names)))
    return "; ".join(every[:2]) + (f" and {len(every) - 2} more" if len(every) > 2 else "")
