"""Batches of models cut or changed for a search: run, and forgotten. Decides nothing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.core.target import Target
from burn_verify.run.models import Model, models
from burn_verify.run.results import Verified
from burn_verify.run.seams import Seams
from burn_verify.system.cache import Cache, scratch


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How to run the models of a search.

    Attributes:
        deadline: in seconds of `time.monotonic`, after which no batch is begun; None for none.
    """

    settings: Settings
    cache: Cache
    target: Target = field(default_factory=Target)
    listen: Listener = silent
    seams: Seams = field(default_factory=Seams)
    deadline: float | None = None

    def run(self, wanted: Sequence[Model]) -> dict[str, Verified]:
        """Verify models in one batch; their inputs and answers are in temporary storage until it is done.

        Raises:
            ToolchainError: nothing could be built, for a reason outside the models.
        """
        if not wanted:
            return {}
        settings = replace(self.settings, latency=False, ops_examples=0)
        with scratch(self.cache, "reference", "measured") as cache:
            return models(wanted, settings, self.target, cache=cache, listen=self.listen, seams=self.seams)

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another batch."""
        return self.deadline is not None and time.monotonic() > self.deadline
