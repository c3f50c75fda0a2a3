"""SIGTERM and SIGHUP end a run as Ctrl-C does: finished results are reported, and no child process is left."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

_ASKED_TO_END: Final = (signal.SIGTERM, signal.SIGHUP)


_held = 0
_waiting: list[KeyboardInterrupt] = []
_came: list[KeyboardInterrupt] = []

LOOK: Final = 1.0
"""Seconds after which a wait of the main thread is interrupted to call `check`."""


class Terminated(KeyboardInterrupt):
    """A termination signal for this process; handlers of Ctrl-C handle it as well.

    Attributes:
        signal: the signal.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(f"ended by {self.signal.name}")

    @property
    def exit_code(self) -> int:
        """The shell's exit code of a process that a signal ended: 128 plus the number of the signal."""
        return 128 + self.signal


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Defer the signals of `ending_as_ctrl_c` until the end of the block.

    During the start of a process its handle is not stored yet, so an interrupted start would leave it running.
    """
    global _held
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _waiting and not _held:
            interrupt = _waiting[0]
            _waiting.clear()
            raise interrupt


def check() -> None:
    """Raise the interrupt again that came to `ending_as_ctrl_c` in the main thread; without one do nothing.

    An exception that a handler of a signal raises can be lost: Python drops it in a finalizer, another exception of a
    ``finally`` block replaces it, and a signal between two bytecodes does not wake the system call that follows. Loops
    over cases and long waits therefore look whether one came.
    """
    if _came and not _held and threading.current_thread() is threading.main_thread():
        raise _came[0]


@contextlib.contextmanager
def ending_as_ctrl_c() -> Iterator[None]:
    """Raise `Terminated` in the main thread on SIGTERM and SIGHUP.

    After the first of them, and after Ctrl-C, both are ignored, so that the end of the run is not interrupted. A second
    Ctrl-C still interrupts it. A signal that is ignored, as under ``nohup``, or that has another handler, is left
    unchanged. Handlers can be set in the main thread only; in other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {signal.SIGINT: signal.default_int_handler} | dict.fromkeys(_ASKED_TO_END, signal.SIG_DFL)
    taken = {number: handler for number, handler in usual.items() if signal.getsignal(number) is handler}

    def end(number: int, frame: FrameType | None) -> None:
        for one in taken.keys() - {signal.SIGINT}:
            signal.signal(one, signal.SIG_IGN)
        interrupt = KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)
        _came.append(interrupt)
        if not _held:
            raise interrupt
        _waiting.append(interrupt)

    try:
        for number in taken:
            signal.signal(number, end)
        yield
    finally:
        _came.clear()
        for number, handler in taken.items():
            signal.signal(number, handler)
