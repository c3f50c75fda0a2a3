"""Package models, prove the crates, then change one thing in each: every change has to make `cargo test` fail.

usage: python tools/package_tampering.py run MODEL… --out FILE.jsonl [--target DIR] [--profile NAME] [--styles STYLES]
       python tools/package_tampering.py report FILE.jsonl… --out reports/package.md

Each model is packaged twice into a fresh folder, with a `build.rs` and with `--pregenerated`, and tested by `cargo test
--offline`. Then each of these is changed alone, tested, and put back: one byte of the weights, one digit of an expected
answer, one line of the generated code (where `build.rs` has burn-onnx write the code, `build.rs` adds that line to it),
and there also one byte of the ONNX file. `--target` is the target folder of all crates, so that
Burn is compiled once; without it the first crate has one of its own, and its time is that of a machine without any.
With `--profile correctness` and the target folder of burn-verify's cache, Burn is compiled already.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import load, save
from tabulate import tabulate

_STYLES: Final[Mapping[str, Sequence[str]]] = {"build.rs": (), "pregenerated": ("--pregenerated",)}
_RESULT: Final = re.compile(r"^test (\S+) \.\.\. (ok|FAILED)$", re.MULTILINE)
_WEIGHTS: Final = Path("weights", "model.bpk").as_posix()
_GOLDEN: Final = Path("tests", "golden.safetensors").as_posix()
_GENERATED: Final = Path("src", "generated.rs").as_posix()
_LETS: Final = re.compile(r"^ {8}let \w+ = \S+\.(?:forward|matmul|add|mul)\(.*;$", re.MULTILINE)
"""Lines of a forward pass whose value is a tensor, in all likelihood."""

_ADDED: Final = """\
    let path = std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("model/model.rs");
    let code = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, code + "const CHANGED: bool = true;\\n").unwrap();
"""

Change = tuple[str, str, Callable[[bytes], bytes]]
"""What is changed, in which file, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One `cargo test` of one crate.

    Attributes:
        style: a key of `_STYLES`.
        change: what was changed; empty for the crate as it was written.
        green: whether cargo ended with 0.
        failed: names of tests that failed; none where the crate did not compile.
        said: the first message of a test, or of the compiler.
        seconds: of `cargo test`, the compilation included.
        packaging: seconds of `burn-verify package`; of the crate as it was written only.
    """

    model: str
    style: str
    change: str
    green: bool
    failed: tuple[str, ...]
    said: str
    seconds: float
    packaging: float | None = None

    @property
    def expected(self) -> bool:
        """Whether the outcome is the right one: green as it was written, else red."""
        return self.green == (not self.change)


def changes(style: str) -> Iterator[Change]:
    """Yield what is changed in a crate of a style."""
    yield "one byte of the weights", _WEIGHTS, other_byte
    yield "one digit of an expected answer", _GOLDEN, other_digit
    if style == "pregenerated":
        yield "one line of generated code", _GENERATED, other_line
    else:
        yield "one line of generated code", "build.rs", other_script
        yield "one byte of the model", "model/model.onnx", other_byte


def other_byte(content: bytes) -> bytes:
    """Return the content with one bit of the byte in its middle turned."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def other_digit(content: bytes) -> bytes:
    """Return stored answers in which the first digit of the first number of the first answer is another one."""
    stored = load(content)
    name = min(name for name in stored if name.split("/")[1] == "out")
    answer = stored[name].copy()
    flat = answer.reshape(-1)
    text = f"{float(flat[0]):.17e}"
    first = text.index(next(letter for letter in text if letter.isdigit()))
    digit = int(text[first]) % 9 + 1
    flat[0] = np.asarray(float(f"{text[:first]}{digit}{text[first + 1 :]}")).astype(answer.dtype)
    return save({**stored, name: answer})


def other_line(content: bytes) -> bytes:
    """Return generated code in which a value in the middle of a forward pass is doubled: one line, which compiles."""
    text = content.decode()
    found = list(_LETS.finditer(text, text.index("pub fn forward(")))
    if not found:
        message = "the generated code has no line with a value of its own"
        raise ValueError(message)
    line = found[len(found) // 2]
    before = line[0].removesuffix(";").partition(" = ")
    changed = f"{before[0]} = {{ let it = {before[2]}; it.clone() + it }};"
    return f"{text[: line.start()]}{changed}{text[line.end() :]}".encode()


def other_script(content: bytes) -> bytes:
    """Return a build script that adds a line to the code that burn-onnx has written."""
    before, end, after = content.decode().rpartition("}")
    if not end:
        message = "the build script has no end"
        raise ValueError(message)
    return f"{before}{_ADDED}{end}{after}".encode()


@contextmanager
def changed(path: Path, how: Callable[[bytes], bytes]) -> Iterator[None]:
    """Change a file for a while."""
    whole = path.read_bytes()
    other = how(whole)
    if other == whole:
        message = f"{path.name} is not changed"
        raise ValueError(message)
    path.write_bytes(other)
    try:
        yield
    finally:
        path.write_bytes(whole)


def tested(folder: Path, target: Path, profile: str) -> dict[str, Any]:
    """Return what `cargo test --offline` says in a folder."""
    argv = ["cargo", "test", "--offline", "--no-fail-fast", "--profile", profile]
    env = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    started = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    return {"green": done.returncode == 0, "seconds": seconds, **outcome(done.stdout, done.stderr)}


def outcome(out: str, err: str) -> dict[str, Any]:
    """Return the tests that failed and the first message, of what cargo printed."""
    failed = tuple(name for name, result in _RESULT.findall(out) if result == "FAILED")
    if failed:
        lines = iter(out.splitlines())
        said = next((next(lines, "") for line in lines if " panicked at " in line), "")
    else:
        said = next((line for line in err.splitlines() if line.startswith("error")), "")
    return {"failed": failed, "said": said.strip()}


def rows(model: str, target: Path, styles: Sequence[str], profile: str) -> Iterator[Row]:
    """Yield the rows of a model."""
    for style in styles:
        with tempfile.TemporaryDirectory(prefix="package-") as place:
            folder = Path(place, Path(model).stem)
            started = time.perf_counter()
            subprocess.run(["burn-verify", "package", model, "-o", str(folder), *_STYLES[style]], check=True)
            own: dict[str, Any] = {"model": model, "style": style}
            packaging = time.perf_counter() - started
            yield Row(**own, change="", **tested(folder, target, profile), packaging=packaging)
            for what, path, how in changes(style):
                with changed(folder / path, how):
                    yield Row(**own, change=what, **tested(folder, target, profile))
            yield Row(**own, change="", **tested(folder, target, profile))


def page(found: Sequence[Row], made: str) -> str:
    """Return the report of rows."""
    wrong = [row for row in found if not row.expected]
    greens, reds = ([row for row in found if bool(row.change) == red] for red in (False, True))
    counts = (
        f"{sum(row.green for row in greens)} of {len(greens)} runs of crates as they were written are green, "
        f"{sum(not row.green for row in reds)} of {len(reds)} runs after a change are red."
    )
    body = [
        [
            row.model,
            row.style,
            row.change or "none",
            "green" if row.green else "red",
            ", ".join(row.failed).replace("_", " "),
            _short(row.said),
            f"{row.seconds:.0f} s",
            "" if row.packaging is None else f"{row.packaging:.0f} s",
        ]
        for row in found
    ]
    heads = ["model", "code", "changed", "cargo test", "tests that failed", "first message", "test", "package"]
    lines = ["# Packaged crates, and what was changed in them", "", made, "", counts, ""]
    lines += [tabulate(body, heads, tablefmt="github", disable_numparse=True), ""]
    if wrong:
        lines += ["Wrong: " + "; ".join(f"{row.model}, {row.style}: {row.change or 'as written'}" for row in wrong), ""]
    return "\n".join(lines)


def _short(text: str) -> str:
    return (text if len(text) <= 110 else f"{text[:109]}…").replace("|", r"\|")


def read(path: Path) -> list[Row]:
    """Return the rows of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Row(**{**json.loads(line), "failed": tuple(json.loads(line)["failed"])}) for line in lines if line]


def _run(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="package-target-") as own:
        target = arguments.target or Path(own)
        fine = True
        for model in arguments.models:
            for row in rows(model, target, arguments.styles.split(","), arguments.profile):
                fine = fine and row.expected
                sys.stderr.write(
                    f"{model} {row.style}: {row.change or 'as written'}: {row.green}, {row.seconds:.0f} s\n"
                )
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(asdict(row))}\n")
    return 0 if fine else 1


def _report(arguments: argparse.Namespace) -> int:
    made = f"By tools/package_tampering.py on {datetime.now(UTC):%Y-%m-%d}. {arguments.note}".strip()
    arguments.out.write_text(page([row for path in arguments.rows for row in read(path)], made), encoding="utf-8")
    return 0


def main() -> None:
    """Run the command line; ends with 1 where an outcome is not the right one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("models", nargs="+")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--target", type=Path)
    run.add_argument("--profile", default="dev", help="cargo's (default: dev)")
    run.add_argument("--styles", default=",".join(_STYLES), help="of the code (default: both)")
    run.set_defaults(call=_run)
    report = commands.add_parser("report")
    report.add_argument("rows", type=Path, nargs="+")
    report.add_argument("--out", type=Path, required=True)
    report.add_argument("--note", default="", help="what is to be known of the machine")
    report.set_defaults(call=_report)
    arguments = parser.parse_args()
    sys.exit(arguments.call(arguments))


if __name__ == "__main__":
    main()
