"""A run with a fault inside it: ``python -m injection.child FAULT… -- verify|pytest ARGUMENTS``.

``signal PHASE NAME`` sends the signal to this process where the run first gets to a phase: during the second case,
where a phase is one case after the other. ``spoil CASE`` makes the compiled model of a case ask for 6 GiB.
"""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from burn_verify.burn.builder import CargoBuilder
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.run.seams import Seams

FIRST: Final[Mapping[str, tuple[str, str, int]]] = {
    "load": ("cases/load.py", "prepare", 1),
    "reference": ("reference/oracle.py", "answer", 1),
    "convert": ("burn/convert.py", "_ask", 1),
    "compile": ("burn/cargo.py", "on_stderr", 1),
    "run": ("run/verify.py", "_run", 2),
    "compare": ("run/verify.py", "_compare", 2),
    "report": ("report/views/terminal.py", "render_table", 1),
}
"""By phase, the end of a module's path, a function in it, and the call at which the signal comes."""

_TAKEN: Final = "let mut taken = vec![1u8; 6 << 30]; std::hint::black_box(&mut taken);"


class Sender:
    """Sends a signal at a call of a function, on whatever thread it is."""

    def __init__(self, phase: str, name: str) -> None:
        self._module, self._function, self._calls = FIRST[phase]
        self._signal = signal.Signals[name]

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take a call of Python's profiler."""
        code = frame.f_code
        if event == "call" and code.co_name == self._function and code.co_filename.endswith(self._module):
            self._calls -= 1
            if self._calls == 0:
                os.kill(os.getpid(), self._signal)


def spoiling(case: str) -> type[CargoBuilder]:
    """Return a builder that has the compiled model of a case ask for 6 GiB."""

    class Spoiling(CargoBuilder):
        def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
            model = super().convert(prepared, target)
            return greedy(model, Path.cwd()) if prepared.case.id == case else model

    return Spoiling


def greedy(model: ConvertedModel, folder: Path) -> ConvertedModel:
    """Return a copy of a model whose forward pass asks for 6 GiB.

    Raises:
        ValueError: the generated text has no forward pass.
    """
    text = model.rust.read_text(encoding="utf-8")
    start = text.find("{", text.find(") -> ", text.index("pub fn forward(")))
    if start < 0:
        message = f"{model.rust} has no forward pass"
        raise ValueError(message)
    rust = folder / f"greedy_{model.module}" / "model.rs"
    rust.parent.mkdir(exist_ok=True)
    rust.write_text(f"{text[: start + 1]} {_TAKEN} {text[start + 1 :]}", encoding="utf-8")
    return replace(model, module=f"greedy_{model.module}", rust=rust)


def main() -> None:
    """Start the run."""
    place = sys.argv.index("--")
    fault, (command, *arguments) = sys.argv[1:place], sys.argv[place + 1 :]
    seams = Seams()
    match fault:
        case ["signal", phase, name]:
            # A shell that starts the tool in the background makes it, and what it starts, ignore the signal.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sender = Sender(phase, name)
            threading.setprofile(sender)
            sys.setprofile(sender)
        case ["spoil", case]:
            seams = replace(seams, builder=spoiling(case))
    if command == "pytest":
        import pytest

        sys.exit(pytest.main(arguments))
    from burn_verify.cli.main import main

    main([command, *arguments], seams=seams)


if __name__ == "__main__":
    main()
