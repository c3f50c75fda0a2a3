"""What decides what is kept: the rooms whose code makes it, and the installed libraries that answer.

Every key of the cache for something that our code makes holds the digest of a `MadeBy`, so that a change of a room or
of a library leaves nothing stale.
"""

import functools
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from burn_verify.system.files import digest_of, sha256_of

installed_version = functools.cache(version)
"""`importlib.metadata.version`, asked once: a look-up takes longer than everything else for a case that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """Whatever decides what is kept, apart from what it is made of.

    Attributes:
        rooms: folders of this package, closed under import: what one of them imports of ours lies in another.
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
    """Return a digest of every Python file of the rooms, names included: the key of what their code makes.

    A room holds more than what decides, so that nothing which decides can be left out.

    Arguments:
        rooms: folders below the package, such as ``core`` or ``cases/seeded``.

    Raises:
        ValueError: there is no such room.
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
