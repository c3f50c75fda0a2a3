"""The samples of a user's data, one after the other: read, answered by the engine and by compiled Burn, judged.

The first sample is a data set of the case, with all evidence. Every other one is judged by the bound that needs no
measurement, and the worst ones again with all evidence. One sample is in memory at a time.
"""

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from burn_verify.cases.own.described import mistake
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.first import Fed, chosen, fed, told
from burn_verify.cases.samples.opened import Samples
from burn_verify.core.errors import OracleError, StageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.result import Verdict
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.judge.evidence import Measured
from burn_verify.judge.policy import Judge
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.measure import Measurer
from burn_verify.run.compare import verdict_on
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

_NAMED: Final = 5
"""The greatest number of samples that the record names one by one."""

_CONFIRMED: Final = 5
_BUDGET: Final = 60.0
"""Number of samples that are measured because they are outside of the quick bound, and seconds in which they are."""

Infer: TypeAlias = Callable[[Sequence[Array]], list[Array]]

Judging: TypeAlias = Callable[[str, DataSet, Measured, Sequence[Array], bool], Verdict]
"""Returns the verdict over a sample: its name, what is expected, the evidence, the actual outputs, and whether the
expected outputs are the user's own."""


Watch: TypeAlias = Callable[[str, DataSet, Sequence[Array], bool], None]
"""Gets what Burn answered to a sample: its name, what is expected, the outputs, and whether the expected outputs are
the user's own. It may be called twice for one sample."""


def unwatched(name: str, data: DataSet, actual: Sequence[Array], stored: bool) -> None:
    """Do nothing; see `Watch`."""


def watching(judged: Judging, watch: Watch) -> Judging:
    """Return the same judging of samples, each of which is handed over before."""

    def watched(name: str, data: DataSet, measured: Measured, actual: Sequence[Array], stored: bool) -> Verdict:
        watch(name, data, actual, stored)
        return judged(name, data, measured, actual, stored)

    return watched


def of_sample(
    prepared: PreparedCase,
    judged: Judge,
    name: str,
    data: DataSet,
    measured: Measured,
    actual: Sequence[Array],
    stored: bool,
) -> Verdict:
    """Judge the outputs of a sample; see `Judging`."""
    return verdict_on(prepared, name, data, measured, actual, judged, stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """The result of all samples but the first.

    Attributes:
        verdicts: over the worst sample, with all evidence; empty where no sample was answered.
        evidence: fields for the record.
        error: what ended the run of the samples; None where nothing did.
    """

    verdicts: tuple[Verdict, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    error: StageError | None = None


@dataclass(slots=True)
class _Count:
    """What is known while samples are run.

    Attributes:
        outside: error in units of the bound, and place, of the samples outside of the quick bound.
        place, rank: of the worst sample inside of it so far.
        seconds: of the engine, of Burn, and of reading and judging.
    """

    agree: int = 0
    disagree: list[str] = field(default_factory=list)
    outside: list[tuple[float, int]] = field(default_factory=list)
    unanswered: dict[str, str] = field(default_factory=dict)
    place: int | None = None
    rank: float = -math.inf
    engine: float = 0.0
    burn: float = 0.0

    @classmethod
    def of(cls, first: Verdict) -> "_Count":
        """Return what is known after the first sample."""
        names = [one.data_set for one in first.metrics[:1]]
        return cls(agree=1) if first.passes else cls(disagree=names)


class SampleRun:
    """Runs the samples of cases; its engine runs until it is closed.

    Arguments:
        judge_timeout: seconds that an answer in float64 may take.
    """

    def __init__(self, engine: Engine, cache: Cache, judge_timeout: float) -> None:
        self._engine = engine
        self._measurer = Measurer(cache, engine, judge_timeout)

    def run(
        self, prepared: PreparedCase, first: Verdict, infer_burn: Infer, judged: Judging, listen: Listener
    ) -> Streamed:
        """Run all samples of a case but the first, and judge the worst of them with all evidence.

        Arguments:
            first: the verdict over the first sample.
        """
        hints = prepared.case.hints
        count = _Count.of(first)
        try:
            samples, places = chosen(hints, prepared)
            drawn = self._warmed(prepared, samples, places[0])
            for done, place in enumerate(places[1:], 1):
                listen(Progress(phase="samples", done=done, total=len(places), text=samples.names[place]))
                self._one(prepared, samples, place, infer_burn, judged, count)
            listen(Progress(phase="samples", done=len(places), total=len(places)))
            verdicts = self._measured(prepared, samples, infer_burn, judged, count)
        except Wrong as error:
            return Streamed(error=mistake(Path(error.place), "", error.text), evidence=_evidence(count, first))
        except StageError as error:
            return Streamed(error=error, evidence=_evidence(count, first))
        worst = verdicts[0] if verdicts and (first.passes or not verdicts[0].passes) else first
        known = set(samples.names)
        worst = replace(worst, metrics=tuple(one for one in worst.metrics if one.data_set in known))
        return Streamed(verdicts=verdicts, evidence=_evidence(count, worst, samples.how, drawn))

    def close(self) -> None:
        """Terminate the engine."""
        self._engine.close()

    def _warmed(self, prepared: PreparedCase, samples: Samples, place: int) -> tuple[str, ...]:
        """Load the model into the engine, so that it is not part of a sample's time; return the inputs drawn."""
        sample = _read(prepared, samples, place)
        with contextlib.suppress(OracleError):
            infer(self._engine, prepared.model, sample.inputs)
        return sample.drawn

    def _one(
        self, prepared: PreparedCase, samples: Samples, place: int, burn: Infer, judged: Judging, count: _Count
    ) -> None:
        sample = _read(prepared, samples, place)
        started = time.monotonic()
        try:
            data = self._data(prepared, sample)
        except OracleError as error:
            if error.kind is FailureKind.CLOSED:
                raise
            count.unanswered[sample.name] = error.message
            return
        finally:
            count.engine += time.monotonic() - started
        started = time.monotonic()
        actual = _asked(burn, sample)
        count.burn += time.monotonic() - started
        verdict = judged(sample.name, data, Measured(), actual, sample.outputs is not None)
        rank = _rank(verdict)
        if not verdict.passes:
            count.outside.append((rank, place))
            return
        count.agree += 1
        if rank > count.rank or count.place is None:
            count.place, count.rank = place, rank

    def _measured(
        self, prepared: PreparedCase, samples: Samples, burn: Infer, judged: Judging, count: _Count
    ) -> tuple[Verdict, ...]:
        """Judge the worst samples with all evidence, those outside of the quick bound first, until one passes.

        The bound without a measurement does not know what rounding explains in this graph. Where a sample passes, so
        do those whose errors are smaller in units of the same bound.
        """
        left = [place for _, place in sorted(count.outside, key=lambda one: (-one[0], one[1]))]
        started = time.monotonic()
        verdicts: list[Verdict] = []
        wrong: list[int] = []
        while left and len(verdicts) < _CONFIRMED and (not verdicts or time.monotonic() - started < _BUDGET):
            verdicts.append(self._worst(prepared, samples, left[0], burn, judged))
            if verdicts[-1].passes:
                count.agree += len(left)
                left = []
            else:
                wrong.append(left.pop(0))
        count.disagree += [samples.names[place] for place in sorted((*wrong, *left))]
        if not verdicts and count.place is not None:
            verdicts.append(self._worst(prepared, samples, count.place, burn, judged))
        return tuple(verdicts)

    def _worst(self, prepared: PreparedCase, samples: Samples, place: int, burn: Infer, judged: Judging) -> Verdict:
        sample = _read(prepared, samples, place)
        data = self._data(prepared, sample)
        measured = self._measurer.of_data_set(prepared, data)
        return judged(sample.name, data, measured, _asked(burn, sample), sample.outputs is not None)

    def _data(self, prepared: PreparedCase, sample: Fed) -> DataSet:
        """Return a sample with what is expected of it: its own outputs, else those of the engine.

        Raises:
            OracleError: the engine refuses it, and it has no outputs of its own.
        """
        if sample.outputs is None:
            return DataSet(inputs=sample.inputs, desired=infer(self._engine, prepared.model, sample.inputs))
        data = DataSet(inputs=sample.inputs, desired=sample.outputs)
        try:
            opinion = infer(self._engine, prepared.model, sample.inputs)
        except OracleError as error:
            if error.kind is FailureKind.CLOSED:
                raise
            return data
        return replace(data, opinions={self._engine.name: opinion})


def _read(prepared: PreparedCase, samples: Samples, place: int) -> Fed:
    sample = replace(samples.read(place), name=samples.names[place])
    return fed(sample, prepared.case.hints, prepared, prepared.digest, lambda: told(prepared.model))


def _asked(burn: Infer, sample: Fed) -> list[Array]:
    """Return Burn's outputs; an error names the sample."""
    try:
        return burn(sample.inputs)
    except StageError as error:
        message = f"{error.message.rstrip()} [sample {sample.name}]"
        raise type(error)(message, error.reason, {**error.details, "sample": sample.name}, error.kind) from error


def _rank(verdict: Verdict) -> float:
    """Return the greatest error in units of its bound; infinite where arrays cannot be compared."""
    errors = (one.headroom if one.headroom is not None else one.fraction for one in verdict.metrics)
    return math.inf if any(one.problem for one in verdict.metrics) else max(errors, default=0.0)


def _evidence(count: _Count, worst: Verdict, how: Sequence[str] = (), drawn: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields for the record."""
    said: dict[str, Any] = {"count": count.agree + len(count.disagree) + len(count.unanswered), "agree": count.agree}
    if count.disagree:
        said |= {"disagree": len(count.disagree), "first": count.disagree[:_NAMED]}
    if count.unanswered:
        said |= {"unanswered": len(count.unanswered), "why": next(iter(count.unanswered.values()))}
    if worst.metrics:
        said["worst"] = worst.metrics[0].data_set
    said |= {key: list(some) for key, some in (("how", how), ("drawn", drawn)) if some}
    said["seconds"] = {"reference": round(count.engine, 3), "burn": round(count.burn, 3)}
    return {"samples": said}
