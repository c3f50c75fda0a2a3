"""Progress of long work: bars on a terminal, elsewhere a line every few seconds.

Independent of stages and cases; shows `core.progress.Progress` events.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from burn_verify.core.progress import Progress
from burn_verify.core.text import one_line, shortened

_WORDS: Final = {
    "disk": "looking at the disk",
    "collect": "collecting ONNX's own cases, only once",
    "load": "reading models",
    "reference": "asking ONNX Runtime",
    "toolchain": "compiling Burn, only once",
    "server": "compiling the server, only once",
    "convert": "converting with burn-onnx",
    "compile": "compiling with cargo",
    "toolchain latency": "compiling Burn as a release build, only once",
    "release": "building each model as a release build",
    "compile latency": "compiling with cargo",
    "verify": "running and comparing",
    "samples": "running samples",
    "evaluate": "evaluating samples",
    "sweep": "models of the shard",
    "shards": "running shards",
    "pack": "packing",
    "unpack": "unpacking",
}
_EVERY: Final = 15.0
"""Seconds between lines where there is no terminal."""
_ROOM: Final = 48
CLOCK: Final = "progress"
"""Name of the thread that prints the progress at intervals."""


class LongWork:
    """Shows progress between ``with`` and the end of the block.

    Arguments:
        stream: the output; bars on a terminal, else a plain line every few seconds.
        now: returns the time in seconds.
    """

    def __init__(self, stream: IO[str], now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._stream = stream
        self._bars = Bars(
            TextColumn("{task.description:26}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}", markup=False),
            # Explicit, since FORCE_COLOR makes rich treat a file as a terminal.
            console=Console(file=stream, force_terminal=stream.isatty()),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._latest: dict[str, Progress] = {}
        self._started: dict[str, float] = {}
        self._said = 0.0
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._clock = threading.Thread(target=self._run, daemon=True, name=CLOCK)

    def __enter__(self) -> "LongWork":
        if self._live:
            self._bars.start()
        else:
            self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._live:
            self._bars.stop()
        else:
            self._clock.join()

    def listen(self, event: Progress) -> None:
        """Show an event; may be called from any thread."""
        with self._guard:
            fresh = event.phase not in self._started
            if fresh:
                self._started[event.phase] = self._now()
            self._latest[event.phase] = event
            if event.whole:
                self._tell(event.text)
            if self._live:
                self._draw(event)
            elif fresh and not event.whole:
                self._say(event)

    @property
    def _live(self) -> bool:
        return self._bars.console.is_terminal

    def _draw(self, event: Progress) -> None:
        if event.phase not in self._tasks:
            words = _WORDS.get(event.phase, event.phase)
            self._tasks[event.phase] = self._bars.add_task(words, total=None, what="")
        total = event.total or None
        self._bars.update(self._tasks[event.phase], completed=event.done, total=total, what=_what(event))

    def _tell(self, text: str) -> None:
        """Print a text that must not be truncated, such as the lock that a run waits for."""
        if self._live:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._said = self._now()
            self._stream.write(f"burn-verify: {text}\n")
            self._stream.flush()

    def tick(self) -> None:
        """Print the current progress, if nothing was printed for a while."""
        with self._guard:
            running = [event for event in self._latest.values() if event.total == 0 or event.done < event.total]
            if running and self._now() - self._said >= _EVERY:
                self._say(running[-1])

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            self.tick()

    def _say(self, event: Progress) -> None:
        self._said = self._now()
        seconds = int(self._said - self._started[event.phase])
        words = _WORDS.get(event.phase, event.phase)
        count = f" {event.done}/{event.total}" if event.total else ""
        elapsed = f" [{seconds // 60}:{seconds % 60:02d}]" if seconds else ""
        self._stream.write(f"burn-verify: {words}{count}{elapsed} {_what(event)}".rstrip() + "\n")
        self._stream.flush()


def _what(event: Progress) -> str:
    return shortened(one_line(event.text), _ROOM)
