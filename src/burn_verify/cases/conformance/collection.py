"""ONNX's own test cases, collected once for a version of onnx and kept as files.

The collector is a child process (`collector`), since collecting takes hundreds of megabytes and makes NumPy warn.
Runs no model.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from burn_verify.cases.index import MADE_BY, Index, cases_of, read_index, run_collector
from burn_verify.core.case import Case
from burn_verify.core.errors import ToolchainError
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.system.cache import Cache
from burn_verify.system.made_by import installed_version

_PHASE: Final = "collect"


class Corpus:
    """The collected cases of the installed onnx.

    Arguments:
        listen: gets the progress of a collection.
    """

    def __init__(self, cache: Cache, listen: Listener = silent) -> None:
        self._cache = cache
        self._listen = listen

    def cases(self, suite: str) -> tuple[Case, ...]:
        """Return the cases of a suite, by name; collect them the first time.

        Arguments:
            suite: one of `burn_verify.cases.conformance.suites.COLLECTED`.

        Raises:
            ToolchainError: they could not be collected.
        """
        folder = self._cache.generation("conformance", key()) / suite
        index = read_index(folder)
        if index is None:
            with self._cache.lock(f"conformance-{suite}", self._waiting):
                index = read_index(folder) or self._collect(suite, folder)
        return cases_of(index, suite, folder)

    def _collect(self, suite: str, folder: Path) -> Index:
        scratch = folder.with_name(f".{suite}.{os.getpid()}")
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=f"{suite} cases of onnx {installed_version('onnx')}"))
        try:
            scratch.mkdir(parents=True)
            failed = "the cases of onnx could not be collected"
            run_collector(
                "cases.conformance.collector", [suite, str(scratch)], scratch, on_step=self._on_step, failed=failed
            )
            index = read_index(scratch)
            if index is None:
                message = f"{failed}: the collector left no index"
                raise ToolchainError(message)
            shutil.rmtree(folder, ignore_errors=True)
            scratch.replace(folder)
            return index
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _on_step(self, line: str) -> None:
        done, total, text = line.split(" ", 2)
        self._listen(Progress(phase=_PHASE, done=int(done), total=int(total), text=text))

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=text, whole=True))


def key() -> str:
    """Return the name of the folder of what is collected by the installed onnx and this code."""
    return f"onnx-{installed_version('onnx')}-{MADE_BY.digest[:12]}"
