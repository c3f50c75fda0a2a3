"""Every module, path and link that a text of the repository names exists."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "src" / "burn_verify"
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
TEXTS = ("docs/**/*.md", "*.md", ".github/**/*.yml", "tools/**/*", "Makefile", "tox.ini", "src/burn_verify/rust/**/*")
SUFFIXES = ("", ".md", ".py", ".rs", ".sh", ".toml", ".yml", ".ini")
BASES = (ROOT, PACKAGE, PACKAGE / "rust")

DOTTED = re.compile(rf"`(?:burn_verify\.)?((?:{'|'.join(ROOMS)})(?:\.\w+)+)`")
IMPORTED = re.compile(r"\bburn_verify((?:\.\w+)+)")
PATH = re.compile(
    r"(?<![\w./<-])((?:src|tests|tools|docs|fixtures|reports|rust|report|cases|plugin)/[\w./-]*\w)(?![\w/{$*<-])"
)
BARE = re.compile(r"`(\w+\.py)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]*)?\)")


def texts() -> Iterator[Path]:
    for pattern in TEXTS:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.suffix in SUFFIXES and "target" not in path.relative_to(ROOT).parts:
                yield path


def members(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return what a module or class defines, by name."""
    found: dict[str, ast.stmt] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = statement
        elif isinstance(statement, ast.Assign):
            found |= {target.id: statement for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.ImportFrom):
            found |= {alias.asname or alias.name: statement for alias in statement.names}
    return found


@cache
def exists(dotted: str) -> bool:
    """Say whether a name below the package is a folder, a module, or something that a module defines."""
    place, names = PACKAGE, dotted.strip(".").split(".")
    while names and (place / names[0]).is_dir():
        place /= names.pop(0)
    if names and (place / f"{names[0]}.py").exists():
        place /= f"{names.pop(0)}.py"
    elif (place / "__init__.py").exists():
        place /= "__init__.py"
    inside = members(ast.parse(place.read_text(encoding="utf-8")).body)
    for name in names:
        if name not in inside:
            return False
        inside = members(getattr(inside[name], "body", []))
    return True


def wrong_names(path: Path) -> list[str]:
    """Return what a text names that is not there."""
    text = path.read_text(encoding="utf-8")
    dotted = {*DOTTED.findall(text), *IMPORTED.findall(text)}
    wrong = {name for name in dotted if not name.endswith((".json", ".jsonl", ".md", ".toml")) and not exists(name)}
    wrong |= {name for name in PATH.findall(text) if not any((base / name).exists() for base in (*BASES, path.parent))}
    if path.suffix == ".md":
        # A text below the package may name its own file by name alone.
        wrong |= {f"{name} without its folder" for name in BARE.findall(text) if not any(PACKAGE.rglob(name))}
        wrong |= {name for name in LINK.findall(text) if not (path.parent / name).exists()}
    return sorted(wrong)


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in texts()])
def test_what_a_text_names_exists(path):
    assert wrong_names(path) == []


def test_the_entry_points_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [*project["scripts"].values(), *project["entry-points"]["pytest11"].values()]

    assert [name for name in names if not exists(name.replace(":", ".").removeprefix("burn_verify."))] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("`core.case.Case` and `burn.runner.Runner.start`", []),
        ("`core.cases`", ["core.cases"]),
        ("`burn.runner.Runner.stop_it`", ["burn.runner.Runner.stop_it"]),
        ("from burn_verify.types import Case", [".types"]),
        ("see src/burn_verify/types.py", ["src/burn_verify/types.py"]),
        ("`types.py`", ["types.py without its folder"]),
        ("[there](there.md)", ["there.md"]),
    ],
)
def test_the_check_sees_wrong_names(tmp_path, line, wrong):
    text = tmp_path / "text.md"
    text.write_text(line, encoding="utf-8")

    assert wrong_names(text) == wrong
