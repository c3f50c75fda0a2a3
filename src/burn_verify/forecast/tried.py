"""What is packaged of the cases that `prepare` was tried on, by target: which agree after it, and by what.

Reads packaged files only. ``tools/pack_tried.py`` makes them from ``reports/prepare.json``.
"""

import functools
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from burn_verify.core.target import Target

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What `prepare` made of a case that does not agree.

    Attributes:
        agrees: whether it agrees after the rewritings.
        rewritings: their names; empty where none helps.
        in_the_way: what it ends at then; empty where it agrees.
    """

    agrees: bool
    rewritings: tuple[str, ...] = ()
    in_the_way: str = ""


NOTHING: Final[Mapping[str, Tried]] = MappingProxyType({})


def packaged(target: Target) -> Mapping[str, Tried]:
    """Return the cases that were tried on a target with the default options of the conversion, by id."""
    plain = _plain(target)
    return NOTHING if plain is None else _packaged(plain)


def digest_of_packaged(target: Target) -> str:
    """Return a digest (hex) of what is packaged of a target; empty where nothing is."""
    plain = _plain(target)
    return "" if plain is None else _digest(plain)


def file_name(target: Target) -> str:
    """Return the name of the packaged file of a target."""
    return f"{target.burn}-{target.backend}-burn-onnx-{target.burn_onnx}-prepared.json.gz"


@functools.cache
def _packaged(target: Target) -> Mapping[str, Tried]:
    content = _content(target)
    return NOTHING if content is None else decoded(content)


@functools.cache
def _digest(target: Target) -> str:
    content = _content(target)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _plain(target: Target) -> Target | None:
    """Return a target with the default options of the conversion; None for one with others."""
    plain = Target(burn=target.burn, burn_onnx=target.burn_onnx, backend=target.backend)
    return plain if replace(target, prepared=False) == plain else None


def _content(target: Target) -> bytes | None:
    """Return the packaged file of a target; None where there is none."""
    found = resources.files("burn_verify") / "data" / "evidence" / file_name(target)
    return found.read_bytes() if found.is_file() else None


def encoded(cases: Mapping[str, Tried]) -> bytes:
    """Return the file of cases that were tried; equal for equal cases."""
    names = sorted({name for case in cases.values() for name in case.rewritings})
    place = {name: number for number, name in enumerate(names)}
    rows = {
        case_id: [int(case.agrees), [place[name] for name in case.rewritings], case.in_the_way]
        for case_id, case in sorted(cases.items())
    }
    text = json.dumps({"schema": _SCHEMA, "rewritings": names, "cases": rows}, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def decoded(content: bytes) -> dict[str, Tried]:
    """Read a file.

    Raises:
        ValueError: it is no such file, or of another version.
    """
    try:
        data: dict[str, Any] = json.loads(gzip.decompress(content))
        if data["schema"] != _SCHEMA:
            message = f"tried cases of another version: {data['schema']}"
            raise ValueError(message)
        names = data["rewritings"]
        return {
            case_id: Tried(
                agrees=bool(agrees), rewritings=tuple(names[place] for place in places), in_the_way=in_the_way
            )
            for case_id, (agrees, places, in_the_way) in data["cases"].items()
        }
    except (OSError, EOFError, KeyError, TypeError, IndexError, AttributeError) as error:
        message = f"no file of tried cases: {error!r}"
        raise ValueError(message) from error
