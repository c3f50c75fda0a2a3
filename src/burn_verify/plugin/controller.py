"""pytest's controller: the one process that prepares, records and prints. No worker of pytest-xdist imports this."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from io import StringIO
from typing import Any, Final

import pytest

from burn_verify.core.errors import BurnVerifyError, ToolchainError, UsageError
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Trial
from burn_verify.core.text import harmless
from burn_verify.plugin.items import result_line, trial_in, trial_of
from burn_verify.run.recorder import Closing, Recorder
from burn_verify.run.session import Session
from burn_verify.system.console import LongWork
from burn_verify.system.signals import Terminated

_CHOOSING: Final = ("lf", "stepwise")
"""Options of pytest's cache plugin, which may be disabled."""


@contextmanager
def long_work(config: pytest.Config) -> Iterator[LongWork]:
    """Show the progress of long work on pytest's terminal."""
    capture = config.pluginmanager.getplugin("capturemanager")
    shown = capture.global_and_fixture_disabled() if capture else nullcontext()
    terminal = config.pluginmanager.getplugin("terminalreporter")
    with shown, LongWork(terminal._tw._file if terminal else StringIO()) as work:
        yield work


def _narrows(config: pytest.Config) -> bool:
    """Return whether an option such as -k deselects tests that only the workers' collection shows."""
    option = config.option
    asked = (option.keyword, option.markexpr, option.deselect, *(getattr(option, name, None) for name in _CHOOSING))
    return any(asked) or any("::" in argument for argument in config.args)


class Controller:
    """The hooks of the one process that prepares, records and prints."""

    def __init__(self, session: Session, recorder: Recorder, *, alone: bool) -> None:
        self._session = session
        self._alone = alone
        self._recorder = recorder
        first = session.selected.targets[0].target
        # A test that takes no target belongs to the first target.
        plain = {case.id: Trial(case=case, target=first) for case in session.selected.cases}
        self._by_id = plain | session.selected.by_test_id
        self._prepared: list[Trial] | None = None
        self._collected = False
        self._closing: Closing | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Prepare all selected cases, in one batch, before the first test."""
        config = session.config
        if session.testsfailed and not config.option.continue_on_collection_errors:
            return
        if not config.pluginmanager.hasplugin("dsession"):
            selected = self._session.selected
            found = (trial_of(item, selected) for item in session.items)
            self._prepare(config, list(dict.fromkeys(trial for trial in found if trial)))
        elif not _narrows(config):
            # Workers collect meanwhile, and without such options they deselect nothing.
            self._prepare(config, list(self._session.selected.trials))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass the folder of the run to a worker of pytest-xdist."""
        node.workerinput["burn_verify"] = [str(self._session.folder), self._alone]

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Interrupt the workers as well: a signal may have reached this process alone.

        pytest-xdist would wait for the tests that they run. Its own kind of interrupt, that of -x, is not a signal's.
        """
        if excinfo.type in (KeyboardInterrupt, Terminated):
            for pid in self._session.workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Prepare the tests that the first worker reports, if that is not done yet; all workers wait until then."""
        if self._collected:
            return
        self._collected = True
        chosen = {trial for node_id in ids if (trial := trial_in(node_id, self._by_id))}
        left = [trial for trial in self._session.selected.trials if trial in chosen]
        if self._prepared is None:
            self._prepare(node.config, left)
        elif len(left) < len(self._prepared):
            self._prepared = left
            self._recorder.begin(left)

    def _prepare(self, config: pytest.Config, trials: list[Trial]) -> None:
        self._prepared = trials
        self._recorder.begin(trials)
        if not trials:
            return
        with long_work(config) as work:
            try:
                self._session.prepare(trials, work.listen, share=config.pluginmanager.hasplugin("dsession"))
                self._recorder.prepared()
            except BurnVerifyError as error:
                self._recorder.prepared(error)
                pytest.exit(f"burn-verify: {error}", error.exit_code)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the result of a test, or that it ended without one."""
        if line := result_line(report):
            self._recorder.add(line)
        elif (report.failed or report.skipped) and (trial := trial_in(report.nodeid, self._by_id)):
            outcome = Outcome.FAILED if report.failed else Outcome.SKIPPED
            # The report of a skip is a tuple of file, line and reason.
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            self._recorder.note(trial, outcome, why)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End the record; an expectation that matches no case fails a full run."""
        if not self._prepared:
            return
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        self._closing = self._recorder.close(
            self._prepared,
            reporter._tw.fullwidth if reporter else 120,
            whole=len(self._prepared) == len(self._session.selected.trials),
            # Also by -x and --maxfail: a case that did not run did not fail.
            interrupted=exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
            or bool(session.shouldstop or session.shouldfail),
        )
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and self._closing.not_run:
            # The exit code of a target that could not be used wins over that of failed cases.
            session.exitstatus = ToolchainError.exit_code
        elif exitstatus == pytest.ExitCode.TESTS_FAILED and self._closing.misused:
            session.exitstatus = UsageError.exit_code
        elif self._closing.problems and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the table."""
        if self._closing is None:
            return
        terminalreporter.section("burn-verify")
        for line in self._closing.text.splitlines():
            terminalreporter.write_line(line)
        for line in (*self._closing.not_run, *self._closing.problems):
            terminalreporter.write_line(harmless(f"error: {line}"), red=True)
        for line in self._closing.warnings:
            terminalreporter.write_line(harmless(f"warning: {line}"), yellow=True)
