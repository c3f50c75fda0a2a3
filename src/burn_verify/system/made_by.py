"""The code and libraries that determine cached results: rooms (folders of this package) and installed distributions.

Every key of the cache for a result of this package's code contains the digest of a `MadeBy`, so that a change of a room
or of a library invalidates the result.
"""

import functools
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from burn_verify.system.files import digest_of, sha256_of

installed_version = functools.cache(version)
"""`importlib.metadata.version`, cached: a look-up takes longer than all other work for a cached case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """Everything that determines a cached result, apart from its inputs.

    Attributes:
        rooms: folders of this package, closed under import: modules of this package that they import lie in them.
        libraries: distributions by name.
    """

    rooms: tuple[str, ...]
    libraries: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Digest (hex) of the sources of the rooms and of the versions of the libraries.

        Raises:
            ValueError: a room does not exist.
            importlib.metadata.PackageNotFoundError: a library is not installed.
        """
        versions = (part for name in self.libraries for part in (name, installed_version(name)))
        return digest_of(source_digest(*self.rooms), *versions)


@functools.cache
def source_digest(*rooms: str) -> str:
    """Return a digest of every Python file of the rooms, including names: the key of the results of their code.

    Whole rooms are digested, including files without influence, so that no relevant file can be left out.

    Arguments:
        rooms: folders below the package, such as ``core`` or ``cases/seeded``.

    Raises:
        ValueError: a room does not exist.
    """
    package = Path(__file__).parents[1]
    parts = []
    for room in rooms:
        found = sorted((package / room).rglob("*.py"))
        if not found:
            msg = f"no room is called {room!r}"
            raise ValueError(msg)
        parts += [part for path in found for part in (path.relative_to(package).as_posix(), sha256_of(path))]
    return digest_of(*parts)
