"""Tests replace parts by the seams, not from behind: no module is patched by its path, nothing private is read.

Where a test still replaces a function of a module, it is listed here with what is replaced.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests", "fixtures")
# What is replaced, and why there is no seam for it.
PATCHED = {
    ("tests/unit/cli/test_expectations.py", "packaged_module.PACKAGED"): "a folder of the package",
    ("tests/unit/cli/test_expectations.py", "common.write_if_changed"): "a disk that refuses, also to root",
    ("tests/unit/cli/test_gc.py", "command.disk.usages"): "a disk",
    ("tests/unit/cli/test_gc.py", "command.disk.free"): "a disk",
    ("tests/unit/burn/test_export.py", "export.Build.run"): "a compilation",
    ("tests/unit/burn/test_export.py", "export.Runner"): "a program in Rust",
    ("tests/unit/burn/test_devices.py", "devices.output_of"): "a driver that ends the process",
    ("tests/unit/burn/test_devices.py", "drivers.ctypes.CDLL"): "a library that is missing",
    ("tests/unit/burn/test_devices.py", "drivers.DRIVERS"): "a driver",
    ("tests/unit/burn/test_drivers.py", "drivers.DRIVERS"): "a driver",
    ("tests/unit/cases/test_load.py", "load.sha256_of"): "a disk that refuses, also to root",
    ("tests/unit/cases/test_load.py", "architectures.build"): "counts",
    ("tests/unit/cases/test_select.py", "zoo.load"): "a catalogue",
    ("tests/unit/cli/test_doctor.py", "devices.found"): "the devices of a machine",
    ("tests/unit/expectations/test_match.py", "packaged.PACKAGED"): "a folder of the package",
    ("tests/unit/expectations/test_packaged.py", "packaged.PACKAGED"): "a folder of the package",
    ("tests/unit/plugin/test_benchmark.py", "benchmark.find_spec"): "a library that is missing",
    ("tests/unit/reference/test_noise_walk.py", "noise_walk.time.monotonic"): "a clock",
    ("tests/unit/run/test_verify.py", "stored_half.deviations"): "a measurement, which is counted",
    ("tests/unit/system/test_download.py", "download.NETWORK_TIMEOUT"): "a time",
}
# Private by name only.
PUBLIC = {"os._exit"}


def files() -> Iterator[tuple[str, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Return the names that a file imports from the package."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if f"{getattr(node, 'module', None) or alias.name}".startswith("burn_verify")
    }


def patches(tree: ast.Module) -> Iterator[str]:
    """Yield what of the package is replaced, as it is written; a path in a string with its quotes."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr") and node.args:
            target = node.args[0]
            if isinstance(target, ast.Constant):
                yield ast.unparse(target)
            elif ast.unparse(target).partition(".")[0] in names and len(node.args) > 1:
                yield f"{ast.unparse(target)}.{ast.literal_eval(node.args[1])}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and ast.unparse(target).partition(".")[0] in names:
                    yield ast.unparse(target)


def private(tree: ast.Module) -> Iterator[str]:
    """Yield private attributes of other objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls", "super()") and f"{owner}.{node.attr}" not in PUBLIC:
                yield f"{owner}.{node.attr}"


def test_what_is_replaced_is_listed():
    assert {(name, what) for name, tree in files() for what in patches(tree)} == PATCHED.keys()


def test_nothing_private_of_another_object_is_read():
    assert [(name, what) for name, tree in files() for what in private(tree)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("monkeypatch.setattr('burn_verify.run.build.Converter', 1)", ["'burn_verify.run.build.Converter'"]),
        ("from burn_verify.run import build\nbuild.Converter = 1", ["build.Converter"]),
        ("from burn_verify.run import build\nsetattr(build, 'Converter', 1)", ["build.Converter"]),
        ("import os\nmonkeypatch.setattr(os, 'write', 1)", []),
    ],
)
def test_the_check_sees_patches(text, found):
    assert list(patches(ast.parse(text))) == found


def test_the_check_sees_private_attributes():
    assert list(private(ast.parse("one._process.pid\nself._own\none.__class__\nos._exit(1)"))) == ["one._process"]
