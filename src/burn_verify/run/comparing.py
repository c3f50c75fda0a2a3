"""One comparison of two sides, with the engine and the judge that settings ask for."""

from functools import partial
from pathlib import Path

from burn_verify.core.comparison import Comparison
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.run.asked import opened
from burn_verify.run.seams import Seams
from burn_verify.run.versus import Versus


def compare(
    sides: tuple[Path, Path],
    settings: Settings,
    *,
    answers: str,
    listen: Listener = silent,
    seams: Seams = Seams(),  # noqa: B008  (immutable)
) -> Comparison:
    """Compare two sides; see `Versus`.

    Raises:
        UsageError: a side cannot be read or answered, or the two have nothing in common.
    """
    cache = seams.cache(settings.cache_dir)
    engine = seams.engine(cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        open_model = partial(opened, engine=engine, cache=cache, settings=settings)
        judged = Judge(mode=settings.judge, overrides=packaged())
        return Versus(open_model, judged, answers=answers, listen=listen).compare(*sides)
    finally:
        engine.close()
