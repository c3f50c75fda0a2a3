"""Every error a user can meet, with its exit code; one subclass of `StageError` a stage.

Decides nothing about reporting: `plugin` and `cli` turn these into outcomes and exit codes.
"""

from collections.abc import Mapping
from typing import Any

from burn_verify.core.stage import FailureKind, Stage


class BurnVerifyError(Exception):
    """An error with a message fit for a user: one line what is wrong, and what to do next."""

    exit_code = 2


class UsageError(BurnVerifyError):
    """An option or a name that is not valid."""

    exit_code = 4


class ToolchainError(BurnVerifyError):
    """The machine lacks something (cargo, rustc, disk), or Burn itself could not be built. No case fails for it."""

    exit_code = 3


class RecordError(BurnVerifyError):
    """Records that say nothing about Burn, or that cannot be shown in one table."""


class StoreError(BurnVerifyError):
    """The record could not be written. The run goes on: callers turn this into a warning."""


class CommandFailed(BurnVerifyError):
    """A short command could not be started, took too long, or failed.

    Attributes:
        code: its exit code, negative for a signal; None where it was not started or did not end in time.
        words: the end of its output, else how it ended; never empty.
        summary: `words` in one line.
    """

    def __init__(self, command: str, words: str, summary: str, code: int | None = None) -> None:
        super().__init__(command, words, summary, code)
        self.command = command
        self.words = words
        self.summary = summary
        self.code = code

    def __str__(self) -> str:
        return f"{self.command} failed: {self.summary}"


class ProcessDied(BurnVerifyError):
    """A child process ended, hung or broke the protocol while a request was in flight.

    Attributes:
        kind: what ended it.
        log: the end of what the process wrote to stderr.
    """

    def __init__(self, message: str, kind: FailureKind = FailureKind.EXITED, log: str = "") -> None:
        super().__init__(message, kind, log)
        self.message = message
        self.kind = kind
        self.log = log

    def __str__(self) -> str:
        return self.message


class StageError(BurnVerifyError):
    """A case stopped at a stage; the subclass says which.

    Attributes:
        message: complete, in the words of the program that failed.
        reason: short and normalised, fit for grouping.
        details: further evidence for the record; JSON values only.
        kind: what ended the case.
    """

    stage: Stage

    def __init__(
        self,
        message: str,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
        kind: FailureKind = FailureKind.REFUSED,
    ) -> None:
        # Positional, so that the exception survives pickling: pickle calls the class with `args`.
        super().__init__(message, reason, dict(details or {}), kind)
        self.message = message
        self.reason = reason or message.partition("\n")[0]
        self.details = dict(details or {})
        self.kind = kind

    def __str__(self) -> str:
        return self.message


class LoadError(StageError):
    """The model could not be located, downloaded or read."""

    stage = Stage.LOAD


class ConvertError(StageError):
    """burn-onnx refused the model, panicked, died or hung."""

    stage = Stage.CONVERT


class CompileError(StageError):
    """rustc refused the generated module."""

    stage = Stage.COMPILE


class OracleError(StageError):
    """ONNX Runtime refused the model, died or hung: there is nothing to compare with."""

    stage = Stage.REFERENCE


class RunError(StageError):
    """The compiled model panicked, aborted, hung or broke the protocol."""

    stage = Stage.RUN


class CompareError(StageError):
    """Burn's answer is not the expected one."""

    stage = Stage.COMPARE


class InternalError(StageError):
    """This program failed while a case was at a stage. No expected failure of the model is one of these."""

    def __init__(self, message: str, reason: str, details: Mapping[str, Any], stage: Stage) -> None:
        super().__init__(message, reason, details, FailureKind.INTERNAL)
        self.args = (message, reason, self.details, stage)
        self.stage = stage


STAGE_ERRORS: Mapping[Stage, type[StageError]] = {
    error.stage: error for error in (LoadError, ConvertError, CompileError, OracleError, RunError, CompareError)
}
"""The exception class of each stage."""
