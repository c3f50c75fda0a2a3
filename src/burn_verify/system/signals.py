"""SIGTERM and SIGHUP end a run as Ctrl-C does: what is done is told, and no child is left."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

_ASKED_TO_END: Final = (signal.SIGTERM, signal.SIGHUP)


_held = 0
_waiting: list[KeyboardInterrupt] = []


class Terminated(KeyboardInterrupt):
    """A signal asked this process to end; whatever handles Ctrl-C handles it.

    Attributes:
        signal: which one.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(f"ended by {self.signal.name}")

    @property
    def exit_code(self) -> int:
        """What a shell reports of a process that a signal ended: 128 and the number of the signal."""
        return 128 + self.signal


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Keep the signals of `ending_as_ctrl_c` waiting until the end of the block.

    A process that is being started could be ended by nobody: it is not known yet.
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


@contextlib.contextmanager
def ending_as_ctrl_c() -> Iterator[None]:
    """Raise `Terminated` in the main thread on SIGTERM and SIGHUP.

    Once: after the first of them, and after Ctrl-C, they are ignored, so that nothing interrupts what ends the run. A
    second Ctrl-C does. A signal that is ignored, as under ``nohup``, or that somebody else handles, is left alone.
    Handlers exist in the main thread only; elsewhere this does nothing.
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
        if not _held:
            raise interrupt
        _waiting.append(interrupt)

    try:
        for number in taken:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
