"""Which answers a program gave before, and how they were judged: the same ones need not be judged again.

The stored values are asked in every run, and judged unless every answer has the same bytes as one that passed. What
agreed on further values is not asked again. What failed, or was doubted, is asked and judged again.
"""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from burn_verify.core.result import Guilty, Mismatch, Verdict, VerdictName
from burn_verify.core.stage import Reference
from burn_verify.judge.policy import Judge
from burn_verify.record.codec import metrics_from_json, metrics_to_json, plain
from burn_verify.run.steps import Answered, Compared, Ended, Outputs, Ready, Varied
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, sha256_of
from burn_verify.system.made_by import MadeBy
from burn_verify.system.notes import Notes

MADE_BY: Final = MadeBy(
    rooms=(
        *("core", "graph", "forecast", "judge", "prepare", "system", "reference", "burn", "cases", "record"),
        *("expectations", "report", "task", "several", "run"),
    ),
    libraries=("onnx", "numpy", "ml_dtypes"),
)
"""Code and libraries that decide what is said of a case: whether a program answers rightly, forecast and advice."""


class KnownVerdicts:
    """Reads and writes what was judged."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._judges: dict[tuple[str, str], str] = {}

    def recalled(self, answered: Answered, judged: Judge) -> Answered:
        """Return a step with what is known of its answers; unchanged where they have to be judged."""
        key = self._key(answered.ready, judged)
        said = self._notes.read(key) if key and not answered.failed else None
        if said is None:
            return answered
        silent = {name: tuple(outputs) for name, outputs in said["silent"].items()}
        varied = Varied(agree=tuple(said["agree"]), silent=silent)
        same = said["answers"] == _digest(_stored(answered))
        return replace(answered, recalled=varied, known_verdict=_verdict(said) if same else None)

    def keep(self, compared: Compared | Ended, judged: Judge) -> None:
        """Note how the answers of a case were judged, if it passes on all values that it was asked."""
        if isinstance(compared, Ended) or not compared.verdict.passes or compared.answered.known_verdict is not None:
            return
        answered, found = compared.answered, compared.varied or Varied()
        if answered.failed or found.doubts or found.failed is not None:
            return
        if key := self._key(answered.ready, judged):
            silent = {name: list(outputs) for name, outputs in found.silent.items()}
            answers = {"answers": _digest(_stored(answered)), **_note(compared)}
            self._notes.write(key, {"agree": list(found.agree), "silent": silent, **answers})

    @functools.cached_property
    def _notes(self) -> Notes:
        return Notes(self._cache, "verdicts", MADE_BY.digest)

    def _key(self, ready: Ready, judged: Judge) -> str:
        """Return a name for a program, what it is asked and who judges; empty where it may answer otherwise later."""
        built = ready.built
        if not built.program.identity:
            return ""
        which = (judged.mode.value, judged.burn_backend)
        if which not in self._judges:
            self._judges[which] = digest_of(repr(judged))
        asked = _content(ready.reference)
        if not asked:
            return ""
        program = (built.program.identity, built.model.module, repr(built.target))
        return digest_of(*program, self._judges[which], repr(ready.prepared), *asked)


def _content(reference: Reference) -> tuple[str, ...]:
    """Return what the judge compares with: names of data sets, and digests of the files; empty where one is gone."""
    try:
        files = (path for path in (reference.path, reference.measures) if path is not None)
        return (*reference.data_sets, *map(sha256_of, files))
    except OSError:
        return ()


def _stored(answered: Answered) -> Outputs:
    """Return the answers to the values that are asked in every run."""
    prepared = answered.ready.prepared
    return {name: arrays for name, arrays in answered.outputs.items() if not prepared.is_varied(name)}


def _digest(outputs: Outputs) -> str:
    """Return a digest of every bit of outputs, their dtypes, shapes and names."""
    named = ((name, array) for name, arrays in outputs.items() for array in arrays)
    return digest_of(*(part for name, one in named for part in (name, one.dtype.name, str(one.shape), one.tobytes())))


def _note(compared: Compared) -> dict[str, Any]:
    """Return JSON values from which `_verdict` makes the verdict and its evidence again."""
    verdict, told = compared.verdict, compared.answered.evidence
    evidence = {name: what for name, what in compared.evidence.items() if name not in told or what != told[name]}
    return {
        "verdict": verdict.name.value,
        "reason": verdict.reason,
        "message": verdict.message,
        "difference": verdict.difference,
        "mismatch": None if verdict.mismatch is None else verdict.mismatch.value,
        "guilty": verdict.guilty.value,
        "metrics": plain([metrics_to_json(one) for one in verdict.metrics]),
        "evidence": plain(evidence),
    }


def _verdict(said: Mapping[str, Any]) -> tuple[Verdict, Mapping[str, Any]]:
    """Return a verdict that was noted, and its evidence."""
    verdict = Verdict(
        name=VerdictName(said["verdict"]),
        message=said["message"],
        reason=said["reason"],
        difference=said["difference"],
        mismatch=None if said["mismatch"] is None else Mismatch(said["mismatch"]),
        guilty=Guilty(said["guilty"]),
        metrics=tuple(map(metrics_from_json, said["metrics"])),
    )
    return verdict, said["evidence"]
