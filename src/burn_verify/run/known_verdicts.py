"""Which further values a program answered rightly before: the same code, values and judge need not be asked again.

The stored values are asked and judged in every run. What failed, or was doubted, is asked again too.
"""

import functools
from dataclasses import replace
from typing import Final

from burn_verify.judge.policy import Judge
from burn_verify.run.steps import Answered, Compared, Ended, Ready, Varied
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
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
    """Reads and writes which further values agree."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._judges: dict[tuple[str, str], str] = {}

    def recalled(self, answered: Answered, judged: Judge) -> Answered:
        """Return a step with what is known of further values; unchanged where they have to be asked."""
        key = self._key(answered.ready, judged)
        said = self._notes.read(key) if key else None
        if said is None:
            return answered
        silent = {name: tuple(outputs) for name, outputs in said["silent"].items()}
        return replace(answered, recalled=Varied(agree=tuple(said["agree"]), silent=silent))

    def keep(self, compared: Compared | Ended, judged: Judge) -> None:
        """Note that a case agrees on all further values that it was asked."""
        if isinstance(compared, Ended) or compared.varied is None or compared.answered.recalled is not None:
            return
        found = compared.varied
        key = self._key(compared.answered.ready, judged)
        if key and found.agree and not found.doubts and found.failed is None:
            silent = {name: list(outputs) for name, outputs in found.silent.items()}
            self._notes.write(key, {"agree": list(found.agree), "silent": silent})

    @functools.cached_property
    def _notes(self) -> Notes:
        return Notes(self._cache, "verdicts", MADE_BY.digest)

    def _key(self, ready: Ready, judged: Judge) -> str:
        """Return a name for a program, what it is asked and who judges; empty where it may answer otherwise later."""
        built = ready.built
        if ready.prepared.varied is None or not built.program.identity:
            return ""
        which = (judged.mode.value, judged.burn_backend)
        if which not in self._judges:
            self._judges[which] = digest_of(repr(judged))
        asked = (ready.reference.path.stem, *ready.reference.data_sets)
        return digest_of(built.program.identity, built.model.module, repr(built.target), self._judges[which], *asked)
