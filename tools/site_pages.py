"""Build the documentation site from docs/, the reports and what they link to; every link and anchor is checked.

    pip install -e '.[docs]'
    python tools/site_pages.py                # into build/site; exit code 1 where a link leads nowhere

A page stands where its file does, so the links of the repository hold. A folder that is linked gets a page that lists
it. The README of the reports gives way to their page, which has the same address: it is ``about.md`` there.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
BEGIN: Final = ("README.md", "CHANGELOG.md", "docs/**/*", "reports/**/*.md", "reports/index.html")
_LINK: Final = re.compile(r"(?P<before>\]\()(?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
_CODE: Final = re.compile(r"^(```|~~~).*?^\1$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_REPORTS: Final = "reports/"
_MOVED: Final = {f"{_REPORTS}README.md": f"{_REPORTS}about.md"}


def main(argv: Sequence[str] | None = None) -> int:
    """Put the pages together and build the site; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages-only", action="store_true", help="do not run mkdocs")
    arguments = parser.parse_args(argv)
    pages = ROOT / "build" / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    gather(ROOT, pages)
    if arguments.pages_only:
        return 0
    return subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict"], cwd=ROOT, check=False).returncode


def gather(root: Path, pages: Path) -> None:
    """Write all pages, and the files that they link to, into a folder."""
    todo = [path for pattern in BEGIN for path in sorted(root.glob(pattern)) if path.is_file()]
    done: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in done:
            continue
        done.add(path)
        to = pages / _place(path, root)
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".md":
            shutil.copyfile(path, to)
            continue
        text = path.read_text(encoding="utf-8")
        for target in linked(text, path):
            if target.is_dir():
                _list(target, pages / target.relative_to(root))
                todo += sorted(one for one in target.glob("*.md"))
            elif target.is_file() and target.is_relative_to(root):
                todo.append(target)
        to.write_text(_rewritten(text, path, root), encoding="utf-8")


def linked(text: str, path: Path) -> Iterator[Path]:
    """Yield the files and folders that a page links to, whether they exist or not."""
    for match in _LINK.finditer(_CODE.sub("", text)):
        yield (path.parent / match["target"]).resolve()


def _place(path: Path, root: Path) -> str:
    place = path.relative_to(root).as_posix()
    return _MOVED.get(place, place)


def _rewritten(text: str, path: Path, root: Path) -> str:
    """Return a page whose links to folders lead to the pages that list them."""

    def link(match: re.Match[str]) -> str:
        target = (path.parent / match["target"]).resolve()
        told = match["target"]
        if target.is_dir():
            told = f"{told.rstrip('/')}/index.md"
        elif target.is_relative_to(root) and (moved := _MOVED.get(target.relative_to(root).as_posix())):
            told = f"{told.rpartition('/')[0]}/{Path(moved).name}".lstrip("/")
        return f"]({told}{match['anchor'] or ''})"

    return _LINK.sub(link, text)


def _list(folder: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    lines = [f"- [{_title(path)}]({path.name})" for path in sorted(folder.glob("*.md"))]
    title = folder.name.replace("-", " ").capitalize()
    (to / "index.md").write_text("\n".join([f"# {title}", "", *lines, ""]), encoding="utf-8")


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ") if first.startswith("# ") else path.stem


if __name__ == "__main__":
    sys.exit(main())
