"""The first wrong node of each failure of a run, within a time budget."""

import time
from dataclasses import dataclass, field, replace

from burn_verify.core.errors import StageError, UsageError
from burn_verify.core.located import Located
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.result import CaseResult
from burn_verify.core.target import Trial
from burn_verify.report.views.located import located_line
from burn_verify.run.locate import locate
from burn_verify.run.seams import Seams
from burn_verify.run.search import Instruments, Search
from burn_verify.system.cache import Cache

LOCATED = "located"
"""The field of a record's details with the answer, or why there is none."""


@dataclass
class Locating:
    """Looks for wrong nodes until the budget of `Settings.locate_seconds` is used up."""

    settings: Settings
    cache: Cache
    seams: Seams
    spent: float = field(default=0.0, init=False)

    def with_node(self, trial: Trial, result: CaseResult, listen: Listener) -> CaseResult:
        """Return a failure with the answer in its details, as JSON values and in a line."""
        left = self.settings.locate_seconds - self.spent
        if left <= 0:
            return _with(result, {"line": "not looked for: --burn-locate-seconds is used up"})
        started = time.monotonic()
        search = Search(
            settings=self.settings,
            cache=self.cache,
            target=trial.target,
            listen=listen,
            seams=self.seams,
            deadline=started + left,
            instruments=_instruments(self.settings, trial.target.backend),
        )
        try:
            found = locate(trial.case, search)
        except (StageError, UsageError) as error:
            return _with(result, {"line": f"not found: {error}".partition("\n")[0]})
        finally:
            self.spent += time.monotonic() - started
        return _with(result, {"line": located_line(found), **_short(found)})


def _instruments(settings: Settings, backend: str) -> Instruments | None:
    """Return another backend of the run, which is compiled already; None where there is none."""
    other = next((name for name in settings.burn_backend if name != backend), None)
    return None if other is None else Instruments(backend=other)


def _short(found: Located) -> dict[str, object]:
    """Return an answer without what is the same as in the result, or long."""
    return {**replace(found, message="", growth=()).to_json(), "growth": len(found.growth)}


def _with(result: CaseResult, said: dict[str, object]) -> CaseResult:
    return replace(result, details={**result.details, LOCATED: said})
