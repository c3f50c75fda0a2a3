"""The unit tests mirror the package: each module has a test file of its name, and each test file its module."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

UNIT = Path(__file__).parent
ROOT = UNIT.parents[1] / "src" / "burn_verify"
# Folders of tests that are about no room, and the files beside the rooms.
NO_ROOM = ("docs", "tools")
# A pattern of modules that need no test file of their own, and the reason.
UNTESTED = {
    "backend": "another name of onnx_backend",
    "cases/generated/families/*": "tables of axes and calls; cases/generated/test_profiles checks all of them",
    "plugin/suite/test_models": "it is a test",
}
# Modules whose test file is still to be written.
MISSING = """
burn/batch burn/builder burn/cargo burn/convert burn/drivers burn/release burn/rustc_clock
cases/conformance/collector cases/conformance/suites cases/generated/build
cases/generated/corpus cases/generated/covering cases/generated/operator_spec cases/generated/registry
cases/generated/search cases/generated/snippet cases/generated/twins cases/generated/values cases/reproduce
cases/seeded/built cases/seeded/draw cases/seeded/light cli/blame cli/common cli/expectations
cli/explain_number cli/gc cli/latency cli/main cli/ops cli/profile cli/report core/case core/latency
core/option_values core/progress core/stage core/target core/text expectations/packaged
graph/facts judge/bound_table judge/counts judge/counts_elementwise judge/evidence judge/facts judge/magnitude
judge/metrics judge/numbers judge/overrides judge/roundoff judge/structure judge/task_metrics judge/tolerance
judge/weigh judge/yardstick onnx_backend plugin/controller plugin/hooks plugin/items record/costs
record/environment record/history reference/lone_node reference/worker report/files report/summary/ends
report/summary/error_lines report/summary/findings report/summary/operator_rows report/summary/sayings
report/views/changes_text report/views/junit report/views/numbers report/views/page_data
report/views/plots run/examples run/recorder run/session run/timing run/verify
system/resident
"""
# Test files that are about several modules or about data, and the reason.
EXTRA = {
    "cases/zoo_table": "the table of the zoo, data/zoo.toml",
}


def modules() -> Iterator[str]:
    """Yield every module with code, as a path in the package."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.name != "__init__.py":
            yield path.relative_to(ROOT).with_suffix("").as_posix()


def names_of_tests() -> Iterator[str]:
    """Yield every test file in the folder of a room, as a path without `test_`."""
    for path in sorted(UNIT.glob("*/**/test_*.py")):
        name = path.relative_to(UNIT)
        if name.parts[0] not in NO_ROOM:
            yield name.with_name(path.stem.removeprefix("test_")).as_posix()


def untested(names: set[str], covered: set[str]) -> list[str]:
    return sorted(name for name in names - covered if not any(fnmatch(name, pattern) for pattern in UNTESTED))


def test_every_module_has_a_test_of_its_name():
    assert untested(set(modules()), set(names_of_tests())) == sorted(MISSING.split())


def test_every_exception_is_needed():
    spared = set(modules()) - set(names_of_tests())

    assert [pattern for pattern in UNTESTED if not any(fnmatch(name, pattern) for name in spared)] == []
    assert set(EXTRA) <= set(names_of_tests())


def test_every_test_has_a_module_of_its_name():
    assert sorted(set(names_of_tests()) - set(modules()) - set(EXTRA)) == []
