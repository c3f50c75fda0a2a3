"""Verify one model on the command line, with the fakes, and print which modules it passed, as JSON.

usage: python modules_of_a_run.py MODEL CACHE

``main`` and ``beside`` hold modules of the package by thread, in the order in which a function of each is called first.
Importing a module is no call, nor is declaring a command that nobody typed.
"""

import json
import sys
import threading
from types import FrameType
from typing import Any

from burn_verify.cli import main
from fakes import seams

PACKAGE = "burn_verify."
THREADS = {"MainThread": "main", "reference": "beside"}
found: dict[str, dict[str, None]] = {"main": {}, "beside": {}}


def note(frame: FrameType, event: str, arg: Any) -> None:
    """Note the module of a function that is called."""
    name = str(frame.f_globals.get("__name__"))
    code = frame.f_code
    thread = THREADS.get(threading.current_thread().name.partition("_")[0])
    # A method that dataclasses wrote is called wherever its class is used.
    written = name.startswith(PACKAGE) and code.co_filename != "<string>" and code.co_name not in ("<module>", "add_to")
    if event == "call" and thread and written:
        found[thread].setdefault(name.removeprefix(PACKAGE))


def run() -> None:
    """Run and print."""
    model, cache = sys.argv[1:]
    output, sys.stdout = sys.stdout, sys.stderr
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        main(["verify", model, "--burn-cache-dir", cache, "--burn-offline=on"], seams())
    except SystemExit as ended:
        sys.setprofile(None)
        threading.setprofile(None)
        sys.stdout = output
        print(json.dumps({thread: list(names) for thread, names in found.items()} | {"code": ended.code}))


if __name__ == "__main__":
    run()
