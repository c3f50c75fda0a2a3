"""The catalogue of known models, by name.

Reads the package's own ``data/zoo.toml`` and nothing else; `cases.select` checks which models are on this machine.
"""

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Final

from burn_verify.core.case import Download, Hints, InputHint
from burn_verify.core.errors import UsageError

CORPUS: Final = "zoo"
"""The corpus, and the first part of the ids of its cases."""

_SHOWN = 8
"""The greatest number of names in an error message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooEntry:
    """One model file.

    Attributes
    ----------
    name:
        unique in the catalogue; part of the case id.
    family:
        the model's name in messages; files of one family differ in opset.
    opset:
        version of the default domain, 0 where the model does not import it.
    sha256, size:
        of the ``.onnx`` file: hex digest and bytes.
    file:
        the model, relative to a mirror of the zoo; stored data sets lie beside it.
    hub_path, hub_test_data, hub_test_data_sha256:
        the same on the hub, below `Zoo.base_url`; the data sets are one archive.
    origin:
        ``owner/repository:path`` of a model that is not on the hub but in a public repository.
    dims, inputs:
        hints for the inputs: see `hints`.
    """

    name: str
    family: str
    opset: int
    sha256: str
    size: int
    file: str
    hub_path: str | None = None
    hub_test_data: str | None = None
    hub_test_data_sha256: str | None = None
    origin: str | None = None
    licence: str | None = None
    note: str | None = None
    dims: tuple[tuple[str, int], ...] = ()
    inputs: tuple[InputHint, ...] = ()

    @property
    def hints(self) -> Hints:
        """How to fill the inputs of the model."""
        return Hints(dims=self.dims, inputs=self.inputs)

    @property
    def download(self) -> Download | None:
        """The file on the hub, or None for a model that only a mirror holds."""
        if self.hub_path is None:
            return None
        return Download(
            path=self.hub_path,
            sha256=self.sha256,
            size=self.size,
            test_data=self.hub_test_data,
            test_data_sha256=self.hub_test_data_sha256,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoo:
    """Every known model, by name.

    Attributes
    ----------
    base_url:
        the base of the hub paths of the entries; ends with a slash.
    entries:
        by name.
    aliases:
        short names, each with the names of its entries, the best first.
    seeded:
        aliases whose architecture can be built with random weights.
    """

    base_url: str
    entries: Mapping[str, ZooEntry]
    aliases: Mapping[str, tuple[str, ...]]
    seeded: Mapping[str, str]

    def resolve(self, name: str) -> tuple[ZooEntry, ...]:
        """Return the models of a name, in the order in which they should be tried.

        The name is an alias, the name of an entry, or a beginning that fits one alias only, or no alias and one entry
        only. Case does not matter, nor whether words are joined by ``_`` or ``-``.

        Raises
        ------
        UsageError
            if the name fits no model, or the beginnings of several names; one line that lists similar names.
        """
        return tuple(self.entries[member] for member in self._members(self._full_name(name)))

    def knows(self, name: str) -> bool:
        """Return whether a name is exactly an alias or an entry."""
        return self._exact(name) is not None

    def seeded_architecture(self, name: str) -> str | None:
        """Return the architecture to build in place of the model, or None where there is none.

        The name is anything that `resolve` takes; an entry has the architecture of the alias that it belongs to.
        """
        try:
            found = self._full_name(name)
        except UsageError:
            return None
        if found in self.seeded:
            return self.seeded[found]
        return next((made for alias, made in self.seeded.items() if found in self.aliases[alias]), None)

    def _members(self, full_name: str) -> tuple[str, ...]:
        """Return the entries of an alias or of an entry's own name; an alias comes first."""
        return self.aliases.get(full_name, (full_name,))

    def _exact(self, name: str) -> str | None:
        """Return the alias, else the entry, that equals a name up to case, ``_`` and ``-``."""
        return next((known for known in (*self.aliases, *self.entries) if _fold(known) == _fold(name)), None)

    def _full_name(self, name: str) -> str:
        """Return the alias or entry that equals a name, or the only one that begins with it."""
        exact = self._exact(name)
        if exact is not None:
            return exact
        wanted = _fold(name)
        for names in (self.aliases, self.entries):
            longer = [candidate for candidate in names if wanted and _fold(candidate).startswith(wanted)]
            if len(longer) == 1:
                return longer[0]
            if longer:
                message = f"{name!r} fits several zoo models: {_listed(longer)}"
                raise UsageError(message)
        raise UsageError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        """Return the message for an unknown name."""
        wanted = _fold(name)
        known = {_fold(candidate): candidate for candidate in (*self.entries, *self.aliases)}
        near = get_close_matches(wanted, known, n=_SHOWN, cutoff=0.6)
        near += [candidate for candidate in known if len(wanted) > 1 and wanted in candidate and candidate not in near]
        if not near:
            return f"no zoo model is called {name!r}: try {_listed(self.aliases)}"
        return f"no zoo model is called {name!r}: did you mean {_listed(known[candidate] for candidate in near)}?"


@functools.cache
def load() -> Zoo:
    """Return the catalogue that comes with the package."""
    table = tomllib.loads((files("burn_verify") / "data" / "zoo.toml").read_text(encoding="utf-8"))
    found = (_entry(fields) for fields in table["entries"])
    return Zoo(
        base_url=table["base_url"],
        entries={entry.name: entry for entry in found},
        aliases={alias: tuple(names) for alias, names in table["aliases"].items()},
        seeded=table["seeded"],
    )


def _entry(fields: Mapping[str, Any]) -> ZooEntry:
    values = dict(fields)
    values["dims"] = tuple(values.get("dims", {}).items())
    values["inputs"] = tuple(_input_hint(hint) for hint in values.get("inputs", ()))
    return ZooEntry(**values)


def _input_hint(fields: Mapping[str, Any]) -> InputHint:
    values = dict(fields)
    if "shape" in values:
        values["shape"] = tuple(values["shape"])
    return InputHint(**values)


def _fold(name: str) -> str:
    """Return the form in which names are compared."""
    return name.casefold().replace("_", "-")


def _listed(names: Iterable[str]) -> str:
    """Join names for a message: the first few and the number of the others."""
    found = list(names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
