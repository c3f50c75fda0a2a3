"""The JSON schema of a description, and the first mistake that it finds, in one line.

The schema is the only list of keys and kinds of values; ``title`` is what a message says is allowed.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from burn_verify.core.text import shortened

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_FILE: Final = "model.schema.json"
_ROOM: Final = 60


class Wrong(Exception):
    """A mistake in a description.

    Attributes:
        place: such as ``inputs[0].low``; empty for the whole.
        text: one line: what is wrong, and what is allowed.
    """

    def __init__(self, *, place: str, text: str) -> None:
        super().__init__(place, text)
        self.place = place
        self.text = text


@functools.cache
def schema() -> Mapping[str, Any]:
    """Return the JSON schema of a description."""
    text = (files("burn_verify") / "data" / _FILE).read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


@functools.cache
def _validator() -> "Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


def check_schema(document: Mapping[str, Any]) -> None:
    """Check keys and kinds of values.

    Raises:
        Wrong: the first mistake, those of outer tables first.
    """
    errors = _validator().iter_errors(document)
    found: Any = min(errors, key=lambda error: (len(error.absolute_path), error.json_path), default=None)
    if found is None:
        return
    place, title = _placed(found.absolute_path), str(found.schema.get("title") or found.message)
    match found.validator:
        case "additionalProperties":
            key = next(key for key in found.instance if key not in found.schema["properties"])
            raise Wrong(place=joined(place, key), text=_no_such_key(key, list(found.schema["properties"])))
        case "required":
            key = next(key for key in found.validator_value if key not in found.instance)
            raise Wrong(place=place, text=f"the key {key!r} is missing: {title} is needed")
        case "anyOf" if isinstance(found.instance, dict) and "properties" in found.schema:
            keys = " or ".join(repr(one["required"][0]) for one in found.validator_value)
            raise Wrong(place=place, text=f"{keys} is missing: {title} is needed")
        case _:
            raise Wrong(place=place, text=f"{title} is needed, not {shortened(repr(found.instance), _ROOM)}")


def _no_such_key(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"no such key: {guess}allowed are {', '.join(known)}"


def _placed(path: Sequence[str | int]) -> str:
    place = ""
    for part in path:
        place = f"{place}[{part}]" if isinstance(part, int) else joined(place, part)
    return place


def joined(place: str, key: str) -> str:
    """Return the place of a key in a table."""
    return f"{place}.{key}" if place else key
