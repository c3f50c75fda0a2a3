"""What the modules of a package import, read from their sources."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported_names(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a file imports, also under ``TYPE_CHECKING`` and inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
