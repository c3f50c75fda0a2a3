"""Tools and fixtures are in no package: what they import of this project has to exist all the same."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((*ROOT.glob("tools/**/*.py"), *ROOT.glob("fixtures/*.py")))


def imported(path):
    """Yield module and name of everything that a script imports from the package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "burn_verify":
            yield from ((node.module, alias.name) for alias in node.names)


def exists(module, name):
    try:
        return hasattr(importlib.import_module(module), name) or bool(importlib.import_module(f"{module}.{name}"))
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_script_imports_exists(path):
    assert [one for one in imported(path) if not exists(*one)] == []


def test_what_is_missing_would_be_seen():
    assert not exists("burn_verify.core.case", "Nothing")
    assert not exists("burn_verify.nothing", "Case")
