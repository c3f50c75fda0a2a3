"""Small facts in the cache, a JSON file each with a digest of its own: a damaged one is no fact.

What is noted is found again where it is missing, so that a note that cannot be written costs time and nothing else.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burn_verify.system.cache import Cache
from burn_verify.system.kept import noted, write_note


class Notes:
    """Notes of one kind, by key.

    Arguments:
        kind: the folder of the cache.
        state: digest of the code that decides about them, see `burn_verify.system.made_by.MadeBy`.
    """

    def __init__(self, cache: Cache, kind: str, state: str) -> None:
        self._folder = cache.generation(kind, state[:12])

    def read(self, key: str) -> Mapping[str, Any] | None:
        """Return what was noted; None where nothing was, or the file is not as it was written."""
        return noted(self._path(key))

    def write(self, key: str, said: Mapping[str, Any]) -> None:
        """Note values that JSON holds."""
        with contextlib.suppress(OSError):
            write_note(self._path(key), said)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"
