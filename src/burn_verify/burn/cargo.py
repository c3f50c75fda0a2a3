"""Check for cargo and rustc, and run one build and parse its output.

Does not depend on models: crates are only names here. `rustc_errors` finds the module of an error.
"""

import os
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from burn_verify.burn.rustc_errors import RustError, failed_crate, parse
from burn_verify.core.errors import CommandFailed, ToolchainError
from burn_verify.core.progress import Listener, Progress
from burn_verify.system.process import ending, in_one_line, output_of, stream
from burn_verify.system.storage import storage_fault_in

MIN_RUSTC: Final = (1, 95)

INSTALL_RUST: Final = "install Rust from https://rustup.rs, or run: rustup update stable"

_RUSTC_VERSION: Final = ("rustc", "-V")

# cargo's progress bar: `Building [====>   ] 133/340: burn-flex`
_BAR: Final = re.compile(r"Building \[[^\]]*\]\s+(\d+)/(\d+)(?:: (.*))?")


@dataclass(slots=True)
class CargoRun:
    """The parsed output of one build.

    Attributes:
        artifacts: compiled crates, of those that have a label.
        executables: path by crate.
        errors: crate and error, in the order in which rustc reports them.
        failed: crates that could not be compiled, with or without an error message.
        units: cargo's compilation units, identified by the hash in the names of cargo's files.
    """

    code: int = 0
    artifacts: set[str] = field(default_factory=set)
    executables: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, RustError]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)

    @property
    def gave_up(self) -> bool:
        """Whether cargo failed before it compiled or reused any unit: sources are missing or cannot be read."""
        return self.code > 0 and not (self.artifacts or self.units or self.errors or self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Builds of a Cargo workspace: its folder, its target folder, and the file with cargo's last output."""

    folder: Path
    target: Path
    log: Path

    def run(
        self,
        arguments: Sequence[str],
        *,
        phase: str,
        labels: Mapping[str, str],
        listen: Listener,
        env: Mapping[str, str] | None = None,
    ) -> CargoRun:
        """Run ``cargo build`` to its end and report every step.

        Arguments:
            phase: phase of the reported progress.
            labels: display names of crates.
            env: additional environment variables for cargo.

        Raises:
            ToolchainError: the disk is full or read-only.
        """
        argv = ["cargo", "build", "--message-format=json", *arguments]
        run = CargoRun()
        guard = threading.Lock()
        with self.log.open("w", encoding="utf-8") as log:

            def on_stderr(line: str) -> None:
                if bar := _BAR.search(line):
                    busy = ", ".join(labels.get(name.strip(), name.strip()) for name in (bar[3] or "").split(","))
                    listen(Progress(phase=phase, done=int(bar[1]), total=int(bar[2]), text=busy))
                elif line.strip():
                    with guard:
                        log.write(line + "\n")
                        run.failed.update(filter(None, [failed_crate(line)]))

            def on_stdout(line: str) -> None:
                message = parse(line)
                if message is None:
                    return
                if message.executable:
                    run.executables[message.crate] = message.executable
                run.units.update(message.units)
                if message.error is None:
                    run.artifacts.update({message.crate} & labels.keys())
                else:
                    run.errors.append((message.crate, message.error))
                    with guard:
                        log.write(message.error.rendered + "\n")

            run.code = stream(
                argv,
                cwd=self.folder,
                env={**_environment(self.target), **(env or {})},
                on_stdout=on_stdout,
                on_stderr=on_stderr,
            )
        if run.code != 0 and (fault := storage_fault_in(self.log.read_text(encoding="utf-8", errors="replace"))):
            raise fault
        return run

    def failure(self, what: str, code: int) -> ToolchainError:
        """Return the error of a build that failed for no known module: cargo's first error and the path of the log.

        Arguments:
            code: cargo's exit code. If a signal ended cargo, the message names the signal, since the log does not.
        """
        said = self.log.read_text(encoding="utf-8", errors="replace")
        first = f"cargo: {ending(code)}" if code < 0 else in_one_line(said) or "cargo said nothing"
        message = f"{what}: {first} (whole log: {self.log})"
        return ToolchainError(message)


def rustc_version() -> str:
    """Return the output of ``rustc -V``, empty where it fails; `require_rust` raises the error with the cause."""
    try:
        return output_of(_RUSTC_VERSION)
    except CommandFailed:
        return ""


def host() -> str:
    """Return the platform that this machine's rustc compiles for, in the format of cargo's ``--filter-platform``.

    Raises:
        CommandFailed: rustc failed.
    """
    return output_of(["rustc", "--print", "host-tuple"])


def is_new_enough(rustc: str, oldest: tuple[int, int] = MIN_RUSTC) -> bool | None:
    """Return whether a rustc is new enough for Burn, given the output of `rustc_version`; None without a version."""
    found = re.match(r"rustc (\d+)\.(\d+)", rustc)
    return None if found is None else (int(found[1]), int(found[2])) >= oldest


def require_rust(oldest: tuple[int, int] = MIN_RUSTC) -> None:
    """Check that cargo and a recent enough rustc are installed.

    Raises:
        ToolchainError: one of them is not; the message contains the command to run.
    """
    if shutil.which("cargo") is None:
        message = f"cargo was not found: {INSTALL_RUST}"
        raise ToolchainError(message)
    try:
        version = output_of(_RUSTC_VERSION)
    except CommandFailed as error:
        message = f"rustc does not answer: {error.summary}: {INSTALL_RUST}"
        raise ToolchainError(message) from error
    enough = is_new_enough(version, oldest)
    if enough is None:
        message = f"rustc says {version!r} instead of its version: {INSTALL_RUST}"
        raise ToolchainError(message)
    if not enough:
        wanted = ".".join(map(str, oldest))
        message = f"Burn needs rustc {wanted} or newer, this is {version}: {INSTALL_RUST}"
        raise ToolchainError(message)


def _environment(target: Path) -> dict[str, str]:
    """Return the environment of cargo, without the variables that would make the builds of two users differ."""
    drop = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER")
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    bar = {"CARGO_TERM_PROGRESS_WHEN": "always", "CARGO_TERM_PROGRESS_WIDTH": "200", "CARGO_TERM_COLOR": "never"}
    return {**kept, **bar, "CARGO_TARGET_DIR": str(target)}
