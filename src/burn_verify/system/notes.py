"""Small facts in the cache, a JSON file each with a digest of its own: a damaged one is no fact.

What is noted is found again where it is missing, so that a note that cannot be written costs time and nothing else.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, read_json, write_if_changed

_OWN: Final = "digest"


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
        said = read_json(self._folder / f"{key}.json")
        if not isinstance(said, dict) or said.pop(_OWN, None) != _digest(said):
            return None
        return said

    def write(self, key: str, said: Mapping[str, Any]) -> None:
        """Note values that JSON holds."""
        with contextlib.suppress(OSError):
            write_if_changed(self._folder / f"{key}.json", json.dumps({**said, _OWN: _digest(said)}))


def _digest(said: Mapping[str, Any]) -> str:
    return digest_of(json.dumps(said, sort_keys=True))
