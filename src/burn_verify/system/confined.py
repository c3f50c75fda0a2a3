"""Run a command in Linux namespaces: no network, nothing writable but some folders, no sight of other processes.

Run as a script, by its path, with the standard library alone: ``confined.py PROCESSES [FOLDER ...] -- COMMAND ...``.
PROCESSES is the most processes and threads, 0 for no limit. It ends as the command ends, by the same signal too; with
code 125 and one line on stderr where the system has no such namespaces.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

NOT_HERE: Final = 125
"""Exit code where nothing was started."""

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_BIND, _REC, _PRIVATE, _NOSUID, _NODEV, _NOEXEC = 4096, 16384, 1 << 18, 2, 4, 8
_MOUNT_SETATTR: Final = 442
"""Number of the system call, the same on every architecture (Linux 5.12)."""
_AT_FDCWD, _AT_RECURSIVE, _RDONLY = -100, 0x8000, 1
_PDEATHSIG, _CAPBSET_DROP, _NO_NEW_PRIVS, _SECUREBITS = 1, 24, 38, 28
_NO_ROOT: Final = 0b101111
"""Secure bits: root is no special user, and no bit may be changed."""
_SIGNALS: Final = 128

_libc = ctypes.CDLL(None, use_errno=True)


def main(words: Sequence[str]) -> NoReturn:
    """Confine this process, run a command, and end as it does."""
    split = words.index("--")
    processes, *folders = words[:split]
    try:
        _namespaces()
    except OSError as error:
        _refuse(error)
    first = os.fork()
    if first:
        _end_as(os.waitpid(first, 0)[1])
    # From here on this process is the first of its namespace: whatever it leaves behind ends with it.
    _checked(_libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    try:
        _mounts(folders)
        _drop(int(processes))
    except OSError as error:
        _refuse(error)
    second = os.fork()
    if not second:
        try:
            os.execvp(words[split + 1], list(words[split + 1 :]))
        except OSError as error:
            _refuse(error)
    os._exit(_waited(second))


def _namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    _checked(_libc.unshare(_NEWUSER | _NEWNS | _NEWIPC | _NEWNET | _NEWPID))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123  (no further import at every start)
            file.write(text)


def _mounts(folders: Sequence[str]) -> None:
    """Make everything read-only but some folders."""
    _mount(b"none", b"/", None, _REC | _PRIVATE)
    for folder in folders:
        _mount(os.fsencode(folder), os.fsencode(folder), None, _BIND | _REC)
    # A container that hides parts of /proc forbids it: the old one stays, and is read-only.
    with contextlib.suppress(OSError):
        _mount(b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC)
    _attributes(b"/", _RDONLY, 0)
    for folder in folders:
        _attributes(os.fsencode(folder), 0, _RDONLY)


def _drop(processes: int) -> None:
    """Give up every privilege of the namespace for good."""
    if processes:
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _checked(_libc.prctl(_SECUREBITS, _NO_ROOT, 0, 0, 0))
    capability = 0
    while _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    _checked(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    header, nothing = struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", *(0,) * 6)
    _checked(_libc.capset(header, nothing))


def _waited(child: int) -> int:
    """Wait for a child, and for orphans meanwhile; return its exit code, or 128 and the number of its signal."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return _SIGNALS + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _end_as(status: int) -> NoReturn:
    """End as the first process of the namespace says that its child ended: the first cannot end by most signals."""
    code = os.WTERMSIG(status) + _SIGNALS if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    if _SIGNALS < code <= _SIGNALS + signal.NSIG:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = code - _SIGNALS
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(code)


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int) -> None:
    _checked(_libc.mount(source, target, kind, ctypes.c_ulong(flags), None))


def _attributes(place: bytes, set_: int, clear: int) -> None:
    wanted = struct.pack("=QQQQ", set_, clear, 0, 0)
    call = (_MOUNT_SETATTR, _AT_FDCWD, place, _AT_RECURSIVE, wanted, ctypes.c_size_t(len(wanted)))
    _checked(_libc.syscall(*call))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _refuse(error: OSError) -> NoReturn:
    os.write(2, f"not confined: {error.strerror}\n".encode())
    os._exit(NOT_HERE)


if __name__ == "__main__":
    main(sys.argv[1:])
