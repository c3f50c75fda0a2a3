"""A disk that is full or read-only is told from every other error, in our words and in those of other programs."""

import errno
import os

import pytest

from burn_verify.core.errors import LoadError
from burn_verify.system.storage import storage_fault, storage_fault_in


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EPERM])
def test_an_error_of_the_disk(number):
    fault = storage_fault(OSError(number, os.strerror(number), "/cache/reference/x"))
    assert fault.exit_code == 3
    assert str(fault).startswith(f"/cache/reference/x: {os.strerror(number)}: make room")
    assert "\n" not in str(fault)


def test_behind_another_error():
    error = LoadError("cannot be kept")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert "No space left" in str(storage_fault(error))


@pytest.mark.parametrize(
    "cause", [PermissionError(errno.EACCES, "x"), FileNotFoundError(errno.ENOENT, "x"), KeyError()]
)
def test_a_users_own_file_is_not_the_disk(cause):
    error = LoadError("cannot be read")
    error.__cause__ = cause
    assert storage_fault(error) is None
    assert storage_fault(ValueError("No space left on device")) is None


@pytest.mark.parametrize(
    ("words", "full"),
    [
        ('called `Result::unwrap()` on an `Err` value: Os { code: 28, message: "No space left on device" }', True),
        ("error: failed to write libg.rmeta: File too large (os error 27)", True),
        ("LLVM ERROR: IO failure on output stream: No space left on device", True),
        ("rust-lld: error: cannot open output file x: Read-only file system", True),
        ("unsupported operator: Foo", False),
        ("No such file or directory (os error 2)", False),
        ("the tensor File is too large", False),
    ],
)
def test_the_words_of_other_programs(words, full):
    assert (storage_fault_in(words) is not None) is full
