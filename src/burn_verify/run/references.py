"""The references of many cases, computed by several engines at once where there are many."""

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import Stage
from burn_verify.reference.engine import Engine, Engines
from burn_verify.reference.measure import Measurer
from burn_verify.reference.oracle import Oracle
from burn_verify.run.stages import apply
from burn_verify.run.steps import Ended, Loaded, Referred
from burn_verify.system.cache import Cache
from burn_verify.system.signals import check

ENOUGH: Final = 50
"""Number of cases from which a further engine is worth its start, and the memory that it takes."""

_MOST: Final = 4


class References:
    """Computes references; its engines run until it is closed, which another thread may do.

    Arguments:
        count: number of cases.
        engine: creates an engine.
        listen: receives the progress events, from more than one thread.
        processors: number of them; no more engines run.
    """

    def __init__(
        self,
        count: int,
        settings: Settings,
        cache: Cache,
        engine: Engines,
        listen: Listener,
        processors: int = os.cpu_count() or 1,
    ) -> None:
        self._left: deque[tuple[int, Loaded]] = deque()
        self._settings = settings
        self._cache = cache
        self._listen = listen
        self._engines = [
            engine(cache, settings.timeout, memory_limit=settings.memory_limit)
            for _ in range(min(_MOST, processors, 1 + count // ENOUGH))
        ]

    def of(self, loaded: Sequence[Loaded]) -> dict[str, Referred | Ended]:
        """Compute the reference of each case, or the end of it; return them by id, in the order of the cases.

        Raises:
            ToolchainError, UsageError: the cause is outside the cases.
        """
        self._left = deque(enumerate(loaded))
        found: dict[str, Referred | Ended] = {}
        work = partial(self._work, len(loaded), found)
        with ThreadPoolExecutor(len(self._engines), "engines") as pool:
            working = [pool.submit(work, engine) for engine in self._engines[1:]]
            work(self._engines[0])
        for one in working:
            one.result()
        if loaded:
            self._listen(Progress(phase="reference", done=len(loaded), total=len(loaded)))
        return {one.case.id: found[one.case.id] for one in loaded if one.case.id in found}

    def _work(self, total: int, found: dict[str, Referred | Ended], engine: Engine) -> None:
        """Take one case after the other, until none is left."""
        oracle = Oracle(self._cache, engine, self._settings.memory_limit)
        measurer = Measurer(self._cache, engine, self._settings.judge_timeout)

        def refer(one: Loaded) -> Referred:
            return Referred(loaded=one, reference=measurer.measured(one.prepared, oracle.answer(one.prepared)))

        try:
            while True:
                try:
                    place, one = self._left.popleft()
                except IndexError:
                    return
                check()
                self._listen(Progress(phase="reference", done=place, total=total, text=one.case.id))
                found[one.case.id] = apply(Stage.REFERENCE, one, refer)
        except BaseException:
            # The others must not go on with what nobody waits for.
            self._left.clear()
            raise

    def close(self) -> None:
        """Terminate every engine for good: what is being computed ends, and nothing is started any more."""
        self._left.clear()
        for engine in self._engines:
            engine.close()
