"""pytest's controller: the one process that prepares, records and tells. No worker of pytest-xdist imports this."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import StringIO
from typing import Any, Final

import pytest

from burn_verify.console import LongWork
from burn_verify.errors import BurnVerifyError
from burn_verify.items import case_in, case_of, result_line
from burn_verify.recording import Closing, Recorder
from burn_verify.session import Session
from burn_verify.types import Case, Outcome

_CHOOSING: Final = ("lf", "stepwise")
"""Options of pytest's cache, which may be switched off."""


@contextmanager
def long_work(config: pytest.Config) -> Iterator[LongWork]:
    """Show the progress of long work where pytest shows its own."""
    capture = config.pluginmanager.getplugin("capturemanager")
    shown = capture.global_and_fixture_disabled() if capture else nullcontext()
    terminal = config.pluginmanager.getplugin("terminalreporter")
    with shown, LongWork(terminal._tw._file if terminal else StringIO()) as work:
        yield work


def _narrows(config: pytest.Config) -> bool:
    """Return whether tests were asked for that workers have to look for among those that they collect."""
    option = config.option
    asked = (option.keyword, option.markexpr, option.deselect, *(getattr(option, name, None) for name in _CHOOSING))
    return any(asked) or any("::" in argument for argument in config.args)


class Controller:
    """The hooks of the one process that prepares, records and tells."""

    def __init__(self, session: Session, recorder: Recorder, *, alone: bool) -> None:
        self._session = session
        self._alone = alone
        self._recorder = recorder
        self._by_id = {case.id: case for case in session.selected.cases}
        self._prepared: list[Case] | None = None
        self._collected = False
        self._closing: Closing | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Prepare all cases that are left, in one batch, before the first test."""
        config = session.config
        if session.testsfailed and not config.option.continue_on_collection_errors:
            return
        if not config.pluginmanager.hasplugin("dsession"):
            self._prepare(config, [case for item in session.items if (case := case_of(item))])
        elif not _narrows(config):
            # Workers are collecting meanwhile, and most likely nothing will be left out.
            self._prepare(config, list(self._session.selected.cases))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where the run is."""
        node.workerinput["burn_verify"] = [str(self._session.folder), self._alone]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Prepare what the first worker says is left, if that is not done yet; all wait for their tests until then."""
        if self._collected:
            return
        self._collected = True
        chosen = {case.id for node_id in ids if (case := case_in(node_id, self._by_id))}
        left = [case for case in self._session.selected.cases if case.id in chosen]
        if self._prepared is None:
            self._prepare(node.config, left)
        elif len(left) < len(self._prepared):
            self._prepared = left
            self._recorder.begin(left)

    def _prepare(self, config: pytest.Config, cases: list[Case]) -> None:
        self._prepared = cases
        self._recorder.begin(cases)
        if not cases:
            return
        with long_work(config) as work:
            try:
                self._session.prepare(cases, work.listen, share=config.pluginmanager.hasplugin("dsession"))
            except BurnVerifyError as error:
                pytest.exit(f"burn-verify: {error}", error.exit_code)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the result that a test handed over, or that it ended without one."""
        if line := result_line(report):
            self._recorder.add(line)
        elif (report.failed or report.skipped) and (case := case_in(report.nodeid, self._by_id)):
            outcome = Outcome.FAILED if report.failed else Outcome.SKIPPED
            # A skip carries where, which line and why.
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            self._recorder.note(case, outcome, why)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End the record; an expectation that fits nothing any more fails a full run."""
        if not self._prepared:
            return
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        self._closing = self._recorder.close(
            self._prepared,
            reporter._tw.fullwidth if reporter else 120,
            whole=len(self._prepared) == len(self._session.selected.cases),
            # Also by -x and --maxfail: what never ran did not fail.
            interrupted=exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
            or bool(session.shouldstop or session.shouldfail),
        )
        if self._closing.problems and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the table."""
        if self._closing is None:
            return
        terminalreporter.section("burn-verify")
        for line in self._closing.text.splitlines():
            terminalreporter.write_line(line)
        for line in self._closing.problems:
            terminalreporter.write_line(f"error: {line}", red=True)
        for line in self._closing.warnings:
            terminalreporter.write_line(f"warning: {line}", yellow=True)
