"""Graphs of several operators, made once for a seed and kept as files.

`collector` makes them, in child processes. Reads no model.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from burn_verify.cases.collecting import collect
from burn_verify.cases.generated.corpus import SEVERAL
from burn_verify.cases.index import MADE_BY as COLLECTED_BY
from burn_verify.cases.index import cases_of, has_index, read_index
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.core.target import Target
from burn_verify.forecast.evidence import digest_of_packaged
from burn_verify.several.corpus import BLOCK
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
from burn_verify.system.made_by import MadeBy

MADE_BY: Final = MadeBy(rooms=(*COLLECTED_BY.rooms, "forecast", "several"), libraries=COLLECTED_BY.libraries)
"""What decides what the collector writes, beside the packaged evidence."""

_PHASE: Final = "generate"
_ID: Final = re.compile(rf"{SEVERAL}/(?P<seed>\d+)/(?P<place>\d{{5,}})(-|$)")


def cases(cache: Cache, count: int, seed: int, listen: Listener = silent) -> tuple[Case, ...]:
    """Return the first graphs of a seed; make them the first time.

    Raises:
        ToolchainError: they could not be made.
    """
    found = _of_blocks(cache, range(-(-count // BLOCK)), seed, listen)
    return tuple(case for case in found if _place(case) < count)


def _of_blocks(cache: Cache, blocks: Iterable[int], seed: int, listen: Listener) -> Iterator[Case]:
    """Yield the graphs of some blocks of a seed; make the blocks that are missing."""
    names = [f"{block:04d}" for block in blocks]
    root = cache.generation("several", key()) / str(seed)
    if not all(has_index(root / name) for name in names):
        root.mkdir(parents=True, exist_ok=True)

        def waiting(text: str) -> None:
            listen(Progress(phase=_PHASE, done=0, total=0, text=text, whole=True))

        with cache.lock(f"several-{seed}", waiting):
            missing = [name for name in names if not has_index(root / name)]
            what = f"{len(missing) * BLOCK} graphs of several operators"
            collect("several.collector", str(seed), missing, root, cache, phase=_PHASE, what=what, listen=listen)
    indexes = ((root / name, read_index(root / name)) for name in names)
    yield from (case for folder, index in indexes if index for case in cases_of(index, SEVERAL, folder))


def named(cache: Cache, case_id: str, listen: Listener = silent) -> Case:
    """Return the graph of an id, or of its beginning up to the number.

    Raises:
        UsageError: there is none.
        ToolchainError: it could not be made.
    """
    found = _ID.match(case_id)
    if found is not None:
        seed, place = int(found["seed"]), int(found["place"])
        block = _of_blocks(cache, [place // BLOCK], seed, listen)
        case = next((case for case in block if _place(case) == place), None)
        if case is not None and case.id.startswith(case_id):
            return case
    message = (
        f"--ops: no graph of several operators is called {case_id!r}: {SEVERAL}/SEED/NUMBER, such as {SEVERAL}/0/00042"
    )
    raise UsageError(message)


def key() -> str:
    """Return the name of the folder of what the libraries, this code and the packaged evidence make."""
    return digest_of(MADE_BY.digest, digest_of_packaged(Target()))[:16]


def _place(case: Case) -> int:
    return int(case.id.split("/")[2].partition("-")[0])
