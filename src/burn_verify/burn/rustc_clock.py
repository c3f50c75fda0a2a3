"""Run rustc for cargo, as ``RUSTC_WRAPPER``, and record its time and memory.

Started as a script, so it imports nothing of the package and starts fast. `release` imports it for its path and `LOG`.
"""

import itertools
import json
import os
import sys
import time

LOG = "BURN_VERIFY_RUSTC_LOG"


def main(argv: list[str]) -> int:
    """Run a command; append its crate, seconds and peak memory (bytes) to the file that `LOG` names."""
    started = time.monotonic()
    # rustc uses cargo's jobserver, so it must inherit the file descriptors of this process.
    pid = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, usage = os.wait4(pid, 0)
    crate = next((name for flag, name in itertools.pairwise(argv) if flag == "--crate-name"), "")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    note = {"crate": crate, "seconds": time.monotonic() - started, "peak": peak}
    with open(os.environ[LOG], "a", encoding="utf-8") as log:  # noqa: PTH123 - pathlib would cost as much as all else
        log.write(json.dumps(note) + "\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.exit(code if code >= 0 else 128 - code)
