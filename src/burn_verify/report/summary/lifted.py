"""What `prepare` made of the cases of a record that do not agree: the file that ``tools/lift.py`` writes.

Holds no model; the file is read by reports.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from burn_verify.core.prepared import Grade, Prepared, Status
from burn_verify.core.stage import FailureKind
from burn_verify.core.target import Target
from burn_verify.graph.operators import qualified


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedCase:
    """A case that does not agree as it is.

    Attributes:
        operator: the qualified name of the one operator that it is about; empty for several.
        stage, reason: where and why it ends as it is.
        status: what became of it.
        expressible: whether a Burn tensor can hold what it is fed and answers.
        rewritings: names of what was done.
        proofs: how often each grade occurs among the steps.
        distance: greatest difference of a step's answers; None where none can be told.
        constant: whether nothing is left to compute.
        in_the_way: what it ends at now; empty where it agrees.
        declined: names of rewritings that changed an answer.
    """

    case_id: str
    corpus: str
    operator: str
    stage: str
    reason: str
    status: Status
    expressible: bool
    rewritings: tuple[str, ...] = ()
    proofs: Mapping[str, int]
    distance: float | None = None
    constant: bool = False
    in_the_way: str = ""
    declined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """The cases, and what they were tried with.

    Attributes:
        versions: of burn, burn_onnx, onnx and onnxruntime.
        seconds: wall time of the whole.
    """

    versions: Mapping[str, str]
    seconds: float
    cases: tuple[LiftedCase, ...]

    @property
    def by_case(self) -> dict[str, LiftedCase]:
        """The cases by id."""
        return {case.case_id: case for case in self.cases}

    def is_of(self, target: Target) -> bool:
        """Return whether the cases were tried on a target; they were on the default backend of their versions."""
        mine = Target(burn=self.versions.get("burn", ""), burn_onnx=self.versions.get("burn_onnx", ""))
        return mine == target


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What `prepare` makes of some failing cases.

    Attributes:
        failing: the cases; of `tried` of them it is known, and `agree` of these agree after it.
        constant: those that agree with nothing left to compute.
        rewritings: names of what was done, the most frequent first.
    """

    failing: int
    tried: int
    agree: int
    constant: int
    rewritings: tuple[str, ...]


def after(case_ids: Iterable[str], by_case: Mapping[str, LiftedCase]) -> After:
    """Sum up what `prepare` makes of failing cases.

    Arguments:
        by_case: the cases that were tried, by id.
    """
    ids = list(case_ids)
    # How a case ends is found again when it is tried; what agrees then was no failure of Burn's.
    tried = [by_case[one] for one in ids if one in by_case and by_case[one].status is not Status.AGREED]
    lifted = [case for case in tried if case.status is Status.LIFTED]
    names = Counter(name for case in lifted for name in case.rewritings)
    return After(
        failing=len(ids),
        tried=len(tried),
        agree=len(lifted),
        constant=sum(case.constant for case in lifted),
        rewritings=tuple(sorted(names, key=lambda name: (-names[name], name))),
    )


def lifted_case(found: Prepared, *, constant: bool = False) -> LiftedCase:
    """Return what a file of `Lifted` holds of a model.

    Arguments:
        constant: whether the rewritten model computes nothing any more.
    """
    before = found.before
    subject = before.subject
    grades = [proof.grade.value for proof in found.proofs]
    return LiftedCase(
        case_id=found.case_id,
        corpus=before.corpus,
        operator="" if subject is None else qualified(subject.op_type, subject.domain),
        stage=before.stage.value,
        reason=before.reason,
        status=found.status,
        expressible=before.failure is not FailureKind.NO_VALUE,
        rewritings=found.rewritings,
        proofs={grade: grades.count(grade) for grade in dict.fromkeys(grades)},
        distance=max((proof.distance for proof in found.proofs if proof.distance is not None), default=None),
        constant=constant,
        in_the_way=found.in_the_way,
        declined=tuple(proof.name for proof in found.declined),
    )


def to_text(lifted: Lifted) -> str:
    """Return a file as text."""
    return json.dumps(asdict(lifted), indent=1) + "\n"


def from_text(text: str) -> Lifted:
    """Read a file.

    Raises:
        ValueError: the text is not such a file.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        cases = tuple(_case(entry) for entry in data["cases"])
        return Lifted(versions=data["versions"], seconds=float(data["seconds"]), cases=cases)
    except (KeyError, TypeError, AttributeError) as error:
        message = f"not a file of lifted cases: {error!r}"
        raise ValueError(message) from error


def together(parts: Iterable[Lifted]) -> Lifted:
    """Put several files together; a case in several of them counts as in the last.

    Raises:
        ValueError: there is none, or they are of different versions.
    """
    every = list(parts)
    if not every or any(one.versions != every[0].versions for one in every):
        message = "files of lifted cases of the same versions are needed"
        raise ValueError(message)
    cases = {case.case_id: case for one in every for case in one.cases}
    seconds = sum(one.seconds for one in every)
    return Lifted(versions=every[0].versions, seconds=seconds, cases=tuple(cases.values()))


def _case(entry: Mapping[str, Any]) -> LiftedCase:
    changed = {
        "status": Status(entry["status"]),
        "rewritings": tuple(entry["rewritings"]),
        "declined": tuple(entry["declined"]),
    }
    unknown = set(entry["proofs"]) - set(Grade)
    if unknown:
        message = f"not a grade of a proof: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    return LiftedCase(**{**entry, **changed})
