"""Everything of the machine and the installed versions that a result may depend on."""

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from burn_verify import __version__
from burn_verify.burn.cargo import rustc_version
from burn_verify.core.errors import CommandFailed
from burn_verify.core.target import Target
from burn_verify.record.targets import target_environment, target_to_json
from burn_verify.system.process import output_of

_PACKAGES: Final = ("onnx", "onnxruntime", "numpy", "ml_dtypes", "pytest")


def environment(targets: Sequence[Target]) -> dict[str, Any]:
    """Return everything of this machine and these versions that a result may depend on.

    The fields of the target are those of the first of several; ``targets`` lists all of them.
    """
    return {
        "burn_verify": __version__,
        **target_environment(targets[0]),
        **({"targets": [target_to_json(target) for target in targets]} if len(targets) > 1 else {}),
        "rustc": rustc_version(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "threads": os.cpu_count(),
        "commit": _commit(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _commit() -> str | None:
    """Return the commit of a checkout of this project; a user's own repository around an installation is not it."""
    package = Path(__file__).parents[1]
    try:
        output = output_of(["git", "-C", str(package), "rev-parse", "--show-toplevel", "HEAD"])
    except CommandFailed:
        # An installation is in no repository; other errors of git are in the log.
        return None
    top, _, commit = output.partition("\n")
    return commit if commit and Path(top, "src", package.name) == package else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
