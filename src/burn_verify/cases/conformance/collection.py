"""ONNX's own test cases, collected once for a version of onnx and kept as files.

`Corpus` is this side; run as a module, this file is the collector, in a process of its own: collecting takes hundreds
of megabytes and makes NumPy warn. Runs no model.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from burn_verify.cases.conformance.collector import _PHASE
from burn_verify.cases.index import MADE_BY, case_from_json, run_collector
from burn_verify.core.case import Case
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.system.cache import Cache
from burn_verify.system.files import read_json
from burn_verify.system.made_by import installed_version


class Corpus:
    """The collected cases of the installed onnx.

    Arguments:
        listen: told of every step of a collection.
    """

    def __init__(self, cache: Cache, listen: Listener = silent) -> None:
        self._cache = cache
        self._listen = listen

    def cases(self, suite: str) -> tuple[Case, ...]:
        """Return the cases of a suite, by name; collect them where that was never done.

        Arguments:
            suite: one of `burn_verify.cases.conformance.suites.COLLECTED`.

        Raises:
            ToolchainError: they could not be collected.
        """
        folder = self._cache.folder("conformance") / key() / suite
        index = read_json(folder / "index.json")
        if index is None:
            with self._cache.lock(f"conformance-{suite}", self._waiting):
                index = read_json(folder / "index.json") or self._collect(suite, folder)
        return tuple(case_from_json(entry, suite, folder) for entry in index)

    def _collect(self, suite: str, folder: Path) -> Any:
        scratch = folder.with_name(f".{suite}.{os.getpid()}")
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=f"{suite} cases of onnx {installed_version('onnx')}"))
        try:
            scratch.mkdir(parents=True)
            failed = "the cases of onnx could not be collected"
            run_collector(
                "cases.conformance.collector", [suite, str(scratch)], scratch, on_step=self._on_step, failed=failed
            )
            shutil.rmtree(folder, ignore_errors=True)
            scratch.replace(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return read_json(folder / "index.json")

    def _on_step(self, line: str) -> None:
        done, total, text = line.split(" ", 2)
        self._listen(Progress(phase=_PHASE, done=int(done), total=int(total), text=text))

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=text))


def key() -> str:
    """Return the name of the folder of what is collected by the installed onnx and this code."""
    return f"onnx-{installed_version('onnx')}-{MADE_BY.digest[:12]}"
