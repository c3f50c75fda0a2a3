"""Commands that run what a model made us compile: without network, and with nothing writable but what they need.

Decides whether this system can; `confined` does it. Elsewhere than on Linux there is no such thing, and it is said.
"""

import functools
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from burn_verify.core.errors import CommandFailed, ToolchainError
from burn_verify.core.option_values import Sandbox
from burn_verify.system import process

SCRIPT: Final = Path(__file__).with_name("confined.py")
PROCESSES: Final = 4096
"""The most processes and threads of one user within the walls; the kernel does not count those of root."""


def prefix(sandbox: Sandbox, writable: Iterable[Path] = ()) -> tuple[str, ...]:
    """Return the words before a command that confine it; none where it is not to be confined.

    Arguments:
        writable: folders in which it may write; they have to exist.

    Raises:
        ToolchainError: it has to be confined, and this system cannot.
    """
    if sandbox is Sandbox.OFF:
        return ()
    if why := lacking():
        if sandbox is Sandbox.ON:
            message = f"--burn-sandbox on: {why}; --burn-sandbox off runs models that you trust without it"
            raise ToolchainError(message)
        return ()
    return _words(writable)


@functools.lru_cache(maxsize=1)
def lacking() -> str:
    """Return in one line why this system cannot confine a command; empty where it can."""
    if sys.platform != "linux":
        return f"there are no namespaces on {sys.platform}"
    try:
        process.output_of([*_words(()), sys.executable, "-I", "-S", "-c", ""])
    except CommandFailed as error:
        return f"this system gives no namespaces: {error.summary}"
    return ""


def _words(writable: Iterable[Path]) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(SCRIPT), str(PROCESSES), *map(str, writable), "--")
