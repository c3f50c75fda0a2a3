"""pytest: options in, cases out as tests, results back in reports.

Compares nothing, starts nothing and renders nothing: `session` runs, `recording` tells. Nothing heavy is imported until
a selection was made, since every pytest start in the environment pays for it.
"""

import re
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from burn_verify.errors import STAGE_ERRORS, BurnVerifyError, StageError, UsageError
from burn_verify.options import OPTIONS, SELECTIONS, settings_from
from burn_verify.types import Case, Outcome

if TYPE_CHECKING:
    from burn_verify.recording import Closing, Recorder
    from burn_verify.session import Session

RESULT: Final = "burn_result"
_PARAMETER: Final = re.compile(r"\[(.*)\]$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """What the hooks of every process share; `alone`: only cases are collected, no tests of the folder."""

    session: "Session"
    alone: bool


_RUN: Final = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every option of the table, each also as an ini value."""
    group = parser.getgroup("burn-verify", "verify ONNX models through compiled Burn")
    for option in OPTIONS:
        group.addoption(option.flag, dest=f"burn_verify_{option.field}", metavar=option.metavar, help=option.help)
        parser.addini(option.ini, f"the same as {option.flag}", default="")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Open a run where something was selected; join the controller's in a worker of pytest-xdist."""
    try:
        run = _join(config.workerinput) if hasattr(config, "workerinput") else _open(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    except BurnVerifyError as error:
        pytest.exit(f"burn-verify: {error}", error.exit_code)
    if run is not None:
        config.stash[_RUN] = run
        config.args = [] if run.alone else config.args


def _open(config: pytest.Config) -> Run | None:
    typed = {option.field: config.getoption(f"burn_verify_{option.field}") for option in OPTIONS}
    settings = settings_from(typed, {option.field: config.getini(option.ini) for option in OPTIONS})
    if not settings.models:
        return None
    from burn_verify.session import Session

    session = Session.open(settings)
    said = any(str(word).startswith(SELECTIONS) for word in config.invocation_params.args)
    run = Run(session, alone=said and config.args_source is not pytest.Config.ArgsSource.ARGS)
    if not config.option.collectonly:
        from burn_verify.recording import Recorder

        config.pluginmanager.register(Controller(run, Recorder(session)), "burn-verify-controller")
    return run


def _join(workerinput: dict[str, Any]) -> Run | None:
    if "burn_verify" not in workerinput:
        return None
    from burn_verify.session import Session

    folder, alone = workerinput["burn_verify"]
    return Run(Session.join(Path(folder)), alone)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keep the values of our options from moving the root folder.

    pytest looks for its root before it knows any plugin, and takes a path that follows an option and a space for a
    place to look at: `.pytest_cache` would be written beside somebody's models.
    """
    if early_config.inipath is None and not early_config.known_args_namespace.file_or_dir:
        early_config._rootpath = early_config.invocation_params.dir


def pytest_unconfigure(config: pytest.Config) -> None:
    """End every process."""
    if (run := config.stash.get(_RUN, None)) is not None:
        run.session.close()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is about to be verified."""
    if (run := config.stash.get(_RUN, None)) is None:
        return None
    only = "; tests of this folder are left out, name a path to run them too" if run.alone else ""
    return f"burn-verify: {len(run.session.selected.cases)} selected{only}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each case for every test function that takes ``burn_case``."""
    if "burn_case" in metafunc.fixturenames:
        run = metafunc.config.stash.get(_RUN, None)
        cases = run.session.selected.cases if run else ()
        metafunc.parametrize("burn_case", cases, ids=[case.id for case in cases])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the packaged test where no test of the folder takes cases, and mark expected failures."""
    if (run := config.stash.get(_RUN, None)) is None:
        return
    from burn_verify.expectations import match, xfail_reason
    from burn_verify.suite import test_models

    if not any(_case_of(item) for item in items):
        module = pytest.Module.from_parent(session, path=Path(test_models.__file__), nodeid="burn-verify")
        items += session.genitems(module)
    for item in items:
        case = _case_of(item)
        if case and (expected := match(case.id, run.session.selected.expected)):
            raises = STAGE_ERRORS[expected.stage]
            item.add_marker(pytest.mark.xfail(raises=raises, strict=True, reason=xfail_reason(expected)))


@pytest.fixture
def burn_verify(pytestconfig: pytest.Config, record_property: Callable[[str, object], None]) -> Callable[[Case], None]:
    """Return a function that verifies a case, and raises the error of its stage unless it agrees."""
    from burn_verify.pipeline import error_of

    run = pytestconfig.stash.get(_RUN, None)
    if run is None:
        pytest.fail("burn_verify: nothing was selected; try pytest --models mnist", pytrace=False)
    session = run.session

    def verify(case: Case) -> None:
        __tracebackhide__ = True
        result = session.verify(case)
        # One plain string: with an enum or a NumPy scalar inside, pytest-xdist refuses it and the whole run dies.
        record_property(RESULT, session.line(result))
        if (error := error_of(result)) is not None:
            raise error

    return verify


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed case by its evidence: a traceback through the plugin would say nothing about the model."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if report.failed and isinstance(error, StageError) and (case := _case_of(item)):
        from burn_verify.report.failure import failure_text

        report.longrepr = failure_text(case, error, item.config.stash[_RUN].session.selected.settings)
    return report


def _case_of(item: pytest.Item) -> Case | None:
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    case = parameters.get("burn_case")
    return case if isinstance(case, Case) else None


class Controller:
    """The hooks of the one process that prepares, records and tells."""

    def __init__(self, run: Run, recorder: "Recorder") -> None:
        self._session = run.session
        self._alone = run.alone
        self._recorder = recorder
        self._prepared: list[Case] | None = None
        self._closing: Closing | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Prepare all cases that are left, in one batch, before the first test."""
        broken = session.testsfailed and not session.config.option.continue_on_collection_errors
        if not broken and not session.config.pluginmanager.hasplugin("dsession"):
            self._prepare(session.config, [case for item in session.items if (case := _case_of(item))])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where the run is."""
        node.workerinput["burn_verify"] = [str(self._session.folder), self._alone]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Prepare as soon as the first worker tells what is left; all of them wait for their tests until then."""
        if self._prepared is None:
            chosen = {case.id for node_id in ids if (case := self._case_in(node_id))}
            self._prepare(node.config, [case for case in self._session.selected.cases if case.id in chosen])

    def _case_in(self, node_id: str) -> Case | None:
        """Return the case of a test that ran elsewhere; the longest id that fits, as one may begin like another."""
        found = _PARAMETER.search(node_id)
        # pytest escapes what is not ASCII.
        fitting = [
            case
            for case in self._session.selected.cases
            if found and case.id.encode("unicode_escape").decode("ascii") in found[1]
        ]
        return max(fitting, key=lambda case: len(case.id), default=None)

    def _prepare(self, config: pytest.Config, cases: list[Case]) -> None:
        from burn_verify.console import LongWork

        self._prepared = cases
        capture = config.pluginmanager.getplugin("capturemanager")
        shown = capture.global_and_fixture_disabled() if capture else nullcontext()
        with shown, LongWork(config.get_terminal_writer()._file) as work:
            try:
                self._session.prepare(cases, work.listen)
            except BurnVerifyError as error:
                pytest.exit(f"burn-verify: {error}", error.exit_code)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the result that a test handed over, or that it ended without one."""
        lines = [value for name, value in report.user_properties if name == RESULT and isinstance(value, str)]
        if report.when == "call" and lines:
            self._recorder.add(lines[-1])
        elif (report.failed or report.skipped) and (case := self._case_in(report.nodeid)):
            outcome = Outcome.FAILED if report.failed else Outcome.SKIPPED
            self._recorder.note(case, outcome, report.longreprtext or str(report.longrepr))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End the record; an expectation that fits nothing any more fails a full run."""
        if self._prepared is None:
            return
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        self._closing = self._recorder.close(
            self._prepared,
            reporter._tw.fullwidth if reporter else 120,
            whole=len(self._prepared) == len(self._session.selected.cases),
            interrupted=exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED),
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
