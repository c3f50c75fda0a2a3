"""Write the table of options between the markers of ``README.md``, from the package's own table.

Usage, from the root of the repository::

    python tools/readme_options.py           # write the table
    python tools/readme_options.py --check   # exit 1 if it is stale

Changes nothing outside the markers.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from burn_verify.core.option import Option
from burn_verify.core.option_table import OPTIONS

README = Path(__file__).resolve().parents[1] / "README.md"
START = "<!-- options -->"
END = "<!-- /options -->"


def table(options: Iterable[Option] = OPTIONS) -> str:
    """Return the options as a Markdown table, one row each, ending in a newline."""
    lines = ["| option | ini value, environment variable | meaning |", "|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in _cells(option))} |" for option in options]
    return "\n".join(lines) + "\n"


def with_table(readme: str) -> str:
    """Return the text with the table between the markers replaced.

    Raises:
        SystemExit: the markers are not there, once each and in order.
    """
    before, start, rest = readme.partition(f"{START}\n")
    _, end, after = rest.partition(END)
    if not start or not end or START in rest or END in before + after:
        message = f"the README needs one {START} and, after it, one {END}"
        raise SystemExit(message)
    return f"{before}{START}\n{table()}{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--readme", type=Path, default=README, help="the file (default: the repository's)")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the table is stale")
    options = parser.parse_args(arguments)
    text = options.readme.read_text(encoding="utf-8")
    fresh = with_table(text)
    if text == fresh:
        return 0
    if options.check:
        print(f"{options.readme} is stale: run tools/readme_options.py without --check", file=sys.stderr)
        return 1
    options.readme.write_text(fresh, encoding="utf-8")
    return 0


def _cells(option: Option) -> tuple[str, str, str]:
    places = [option.ini, *([f"${option.env}"] if option.env else [])]
    flags = ", ".join(f"`{flag} {option.metavar}`" for flag in (option.flag, option.word) if flag)
    return flags, ", ".join(f"`{place}`" for place in places), option.help


if __name__ == "__main__":
    sys.exit(main())
