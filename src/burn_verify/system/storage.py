"""A disk that is full or read-only: the machine's fault, never a model's, whoever of the processes meets it."""

import errno
import os
import re
from typing import Final

from burn_verify.core.errors import ToolchainError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
# As Rust's std::io::Error prints itself, and as LLVM, linkers and compilers print errno.
_BY_NUMBER: Final = re.compile(r"\(os error (\d+)\)")
_BY_WORDS: Final = {os.strerror(number): number for number in _FULL - {errno.EFBIG}}


def storage_fault(error: BaseException) -> ToolchainError | None:
    """Return what to tell of an error that comes from a disk that is full or must not be written; None for any other.

    Looks through causes. A permission that is missing counts only where it is the error itself: a user's own file
    that cannot be read has an error of its own.
    """
    kinds = _FULL | _FORBIDDEN
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in kinds:
            return _fault(found.errno, found.filename)
        found, kinds = found.__cause__ or found.__context__, _FULL
    return None


def storage_fault_in(words: str) -> ToolchainError | None:
    """Return what to tell where another program says that the disk is full or read-only; None where it does not."""
    numbers = {int(number) for number in _BY_NUMBER.findall(words)}
    numbers |= {number for text, number in _BY_WORDS.items() if text in words}
    full = sorted(numbers & _FULL)
    return _fault(full[0]) if full else None


def _fault(number: int, place: object = None) -> ToolchainError:
    where = f"{os.fsdecode(place)}: " if isinstance(place, str | bytes | os.PathLike) else ""
    return ToolchainError(
        f"{where}{os.strerror(number)}: make room (burn-verify gc says what can go), or choose another cache with "
        "--burn-cache-dir DIR; what was finished is kept"
    )
