"""pytest: options in, cases out as tests, results back in reports.

`run.session` runs the cases, `run.recorder` records and renders. Nothing heavy is imported before cases are selected,
since every pytest start in the environment pays for it.
"""

import atexit
import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

from burn_verify.core.case import Case
from burn_verify.core.errors import STAGE_ERRORS, BurnVerifyError, ToolchainError, UsageError
from burn_verify.core.option_table import OPTIONS, SELECTIONS
from burn_verify.core.options import from_folder, lines_of, settings_from
from burn_verify.core.target import Target, Trial
from burn_verify.plugin import benchmark
from burn_verify.plugin.items import RESULT, parameters_of, trial_of

if TYPE_CHECKING:
    from burn_verify.run.seams import Seams
    from burn_verify.run.session import Session


@dataclass(frozen=True, slots=True)
class Run:
    """The state that the hooks share; `alone`: only cases are collected, no tests of the folder."""

    session: "Session"
    alone: bool


_RUN: Final = pytest.StashKey[Run]()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let other plugins say what a run is made of."""
    from burn_verify.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every option of the table, each also as an ini value."""
    group = parser.getgroup("burn-verify", "verify ONNX models through compiled Burn")
    for option in OPTIONS:
        group.addoption(option.flag, dest=f"burn_verify_{option.field}", **option.argument)
        parser.addini(option.ini, f"the same as {option.flag}", default="")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Open a run if the options select cases; in a worker of pytest-xdist join that of the controller."""
    try:
        run = _join(config) if hasattr(config, "workerinput") else _open(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    except (BurnVerifyError, OSError) as error:
        _exit(error)
    if run is not None:
        # After thousands of tests the last garbage collection would take half a second.
        atexit.register(gc.freeze)
        config.stash[_RUN] = run
        config.args = [] if run.alone else config.args


def _exit(error: BurnVerifyError | OSError) -> NoReturn:
    """End pytest with one line and the code of an error."""
    from burn_verify.system.storage import storage_fault

    told = error if isinstance(error, BurnVerifyError) else storage_fault(error)
    if told is None:
        raise error
    pytest.exit(f"burn-verify: {told}", told.exit_code)


def _open(config: pytest.Config) -> Run | None:
    typed = {option.field: lines_of(config.getoption(f"burn_verify_{option.field}")) for option in OPTIONS}
    ini_values = {option.field: config.getini(option.ini) for option in OPTIONS}
    folder = config.inipath.parent if config.inipath else config.rootpath
    settings = settings_from(typed, {field: from_folder(field, text, folder) for field, text in ini_values.items()})
    if not settings.selects:
        return None
    if settings.latency:
        benchmark.require(config)
    elif typed["compile_budget"]:
        # In an ini file it has no effect without --latency.
        message = "--compile-budget is about release builds, which --latency makes: say both"
        raise UsageError(message)
    # This is Hypothesis's own option; without it each run draws the same values.
    settings = replace(settings, ops_seed=int(config.getoption("hypothesis_seed", None) or 0))
    _end_as_ctrl_c(config)
    from burn_verify.plugin.controller import long_work
    from burn_verify.run.session import Session

    with long_work(config) as work:
        session = Session.open(settings, work.listen, seams=_seams(config))
    typed_here = any(str(word).startswith(SELECTIONS) for word in config.invocation_params.args)
    run = Run(session, alone=typed_here and config.args_source is not pytest.Config.ArgsSource.ARGS)
    if not config.option.collectonly:
        from burn_verify.plugin.controller import Controller
        from burn_verify.run.recorder import Recorder

        controller = Controller(session, Recorder(session), alone=run.alone)
        config.pluginmanager.register(controller, "burn-verify-controller")
    return run


def _seams(config: pytest.Config) -> "Seams":
    from burn_verify.run.seams import Seams

    return config.hook.pytest_burn_verify_seams() or Seams()


def _end_as_ctrl_c(config: pytest.Config) -> None:
    from burn_verify.system.signals import ending_as_ctrl_c

    until_the_end = ExitStack()
    until_the_end.enter_context(ending_as_ctrl_c())
    config.add_cleanup(until_the_end.close)


def _join(config: pytest.Config) -> Run | None:
    workerinput: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
    if "burn_verify" not in workerinput:
        return None
    _end_as_ctrl_c(config)
    from burn_verify.run.session import Session

    folder, alone = workerinput["burn_verify"]
    session = Session.join(Path(folder), _seams(config))
    config.add_cleanup(session.leave)
    return Run(session, alone)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keep the values of our options from moving the root folder.

    pytest determines its root before it loads plugins, and takes a path after an option and a space as an argument of
    its own: `.pytest_cache` would be written beside the user's models.
    """
    if early_config.inipath is None and not early_config.known_args_namespace.file_or_dir:
        early_config._rootpath = early_config.invocation_params.dir


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """End as after Ctrl-C where a signal comes while reports are written, which pytest does not catch there."""
    try:
        return (yield)
    except KeyboardInterrupt as interrupt:
        if session.config.stash.get(_RUN, None) is None:
            raise
        said = str(interrupt) or "interrupted"
        pytest.exit(f"burn-verify: {said} while reports were written", pytest.ExitCode.INTERRUPTED)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End every process."""
    if (run := config.stash.get(_RUN, None)) is not None:
        run.session.close()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Return the line about the selection."""
    if (run := config.stash.get(_RUN, None)) is None:
        return None
    only = "; tests of this folder are left out, name a path to run them too" if run.alone else ""
    selected = run.session.selected
    targets = f" on {', '.join(name for name in selected.names.values())}" if len(selected.targets) > 1 else ""
    return f"burn-verify: {len(selected.cases)} selected{targets}{only}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize every test function that takes ``burn_case`` with each case on each target."""
    if "burn_case" in metafunc.fixturenames:
        run = metafunc.config.stash.get(_RUN, None)
        names, values, ids = parameters_of(metafunc.fixturenames, run.session.selected if run else None)
        metafunc.parametrize(names, values, ids=ids)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the packaged test if no test of the folder takes cases, and mark expected failures."""
    if (run := config.stash.get(_RUN, None)) is None:
        return
    from burn_verify.expectations.match import xfail_reason
    from burn_verify.plugin.items import show_evidence
    from burn_verify.plugin.suite import test_models

    selected = run.session.selected
    if not any(trial_of(item, selected) for item in items):
        module = pytest.Module.from_parent(session, path=Path(test_models.__file__), nodeid="burn-verify")
        items += session.genitems(module)
    for item in items:
        if (trial := trial_of(item, selected)) is None:
            continue
        show_evidence(item, trial, selected)
        if selected.settings.latency:
            benchmark.prepare(item)
        if (expected := selected.expectation(trial)) and expected.stage:
            raises = tuple(STAGE_ERRORS[stage] for stage in expected.stages)
            # A rewriting may lift what is expected to fail as it is, and other values may be drawn.
            strict = not (trial.target.prepared or expected.drawn)
            item.add_marker(pytest.mark.xfail(raises=raises, strict=strict, reason=xfail_reason(expected)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let ``--durations`` and ``--junitxml`` show what a case took before its test, when all were prepared at once."""
    report = yield
    run = item.config.stash.get(_RUN, None)
    if run is not None and report.when == "setup" and (trial := trial_of(item, run.session.selected)):
        report.duration += run.session.prepared_seconds(trial)
    return report


@pytest.fixture
def burn_target(pytestconfig: pytest.Config) -> Target | None:
    """Return the only target; with several of them every test has its own."""
    run = pytestconfig.stash.get(_RUN, None)
    return run.session.selected.targets[0].target if run else None


@pytest.fixture
def burn_verify(request: pytest.FixtureRequest, burn_target: Target | None) -> Iterator[Callable[[Case], None]]:
    """Yield a function that verifies a case, and raises the error of its stage unless it agrees."""
    from burn_verify.run.results import error_of

    run = request.config.stash.get(_RUN, None)
    if run is None or burn_target is None:
        pytest.fail("burn_verify: nothing was selected; try pytest --models mnist", pytrace=False)
    session, properties = run.session, request.node.user_properties

    def verify(case: Case) -> None:
        __tracebackhide__ = True
        if why := session.failure(burn_target):
            pytest.skip(f"{burn_target.label} was not run: {why}")
        try:
            result = session.verify(Trial(case=case, target=burn_target))
        except (ToolchainError, OSError) as broken:
            # No other case could be verified either. A worker of pytest-xdist cannot end the run, so its tests fail.
            if hasattr(request.config, "workerinput"):
                raise
            _exit(broken)
        # One plain string: pytest-xdist refuses enum members and NumPy scalars, and ends the whole run.
        properties.append((RESULT, session.line(result, burn_target)))
        benchmark.hand_over(request, result)
        if (error := error_of(result)) is not None:
            raise error

    yield verify
    # The report of the call has it; the report of the teardown must not repeat it.
    properties[:] = (it for it in properties if it[0] != RESULT)
