"""Errors of a full or read-only disk: failures of the machine, never of a model, in any of the processes."""

import errno
import os
import re
from typing import Final

from burn_verify.core.errors import ToolchainError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
# The formats of Rust's std::io::Error, and of errno in messages of LLVM, linkers and compilers.
_BY_NUMBER: Final = re.compile(r"\(os error (\d+)\)")
_BY_WORDS: Final = {os.strerror(number): number for number in _FULL - {errno.EFBIG}}


def storage_fault(error: BaseException) -> ToolchainError | None:
    """Return the error to report for a full or read-only disk; None for any other error.

    Follows the chain of causes. A missing permission counts only where it is the error itself, since an unreadable file
    of the user has its own error.
    """
    kinds = _FULL | _FORBIDDEN
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in kinds:
            return _fault(found.errno, found.filename)
        found, kinds = found.__cause__ or found.__context__, _FULL
    return None


def storage_fault_in(words: str) -> ToolchainError | None:
    """Return the error to report where another program's output indicates a full or read-only disk; else None."""
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
