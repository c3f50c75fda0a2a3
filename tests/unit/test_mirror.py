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
    "cases/conformance/collector": "a child process; cases/conformance/test_collection runs it",
    "cases/generated/corpus": "one constant",
    "several/corpus": "constants",
    "several/woven": "data; several/test_weave and test_sketch make it",
    "cases/generated/families/*": "tables of axes and calls; cases/generated/test_profiles checks all of them",
    "plugin/suite/test_models": "it is a test",
    "prepare/lift": "a child process; run/prepare/test_tools runs it",
    "prepare/rewriting": "data, and a function that does nothing; prepare/test_recipe uses both",
    "reference/quantiser": "a child process; run/quantise/test_quantising runs it",
    "system/confined": "a child process; system/test_sandbox runs it",
    "reference/worker": "a child process; reference/test_ort, test_bench and test_measure run it",
}
# Test files that are about several modules or about data, and the reason.
EXTRA = {
    "cases/zoo_table": "the table of the zoo, data/zoo.toml",
    "run/planted": "faults that one draw at one size does not show: the rules, reference/feeding and run/compare",
    "run/evidence": "what a comparison proves: run/compare, reference and judge with the real ONNX Runtime",
}


def modules() -> Iterator[str]:
    """Yield every module with code, as a path in the package."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.name != "__init__.py":
            yield path.relative_to(ROOT).with_suffix("").as_posix()


def names_of_tests() -> Iterator[str]:
    """Yield every test file of a module, as a path without `test_`; others may lie beside the folders."""
    beside = {name for name in modules() if "/" not in name}
    for path in sorted(UNIT.rglob("test_*.py")):
        name = path.relative_to(UNIT).with_name(path.stem.removeprefix("test_"))
        if name.parts[0] not in NO_ROOM and (len(name.parts) > 1 or name.as_posix() in beside):
            yield name.as_posix()


def untested(names: set[str], covered: set[str]) -> list[str]:
    return sorted(name for name in names - covered if not any(fnmatch(name, pattern) for pattern in UNTESTED))


def test_every_module_has_a_test_of_its_name():
    assert untested(set(modules()), set(names_of_tests())) == []


def test_every_exception_is_needed():
    spared = set(modules()) - set(names_of_tests())

    assert [pattern for pattern in UNTESTED if not any(fnmatch(name, pattern) for name in spared)] == []
    assert set(EXTRA) <= set(names_of_tests())


def test_every_test_has_a_module_of_its_name():
    assert sorted(set(names_of_tests()) - set(modules()) - set(EXTRA)) == []
