"""Build the probe of models, run it away from everything, damage it: the table of reports/probes.md.

usage: python tools/probing.py run --models NAMES --out FILE.jsonl [--platforms native,wasm32-wasip1]
       python tools/probing.py report FILE.jsonl --out reports/probes.md

Each model is verified here first. Then its probe is built and run in an empty folder with an empty environment, and
once more with one byte of the weights inside the program changed, and with one of an expected answer. `run` goes on
where FILE ends; what the probes printed is kept beside FILE, as a record for `burn-verify report`.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from tabulate import tabulate

from burn_verify.burn.wasm import PLATFORM, host
from burn_verify.cases.select import Selection
from burn_verify.core.options import settings_from
from burn_verify.core.target import WASM
from burn_verify.system.cache import Cache

_HERE: Final = "native"
_BPK: Final = re.compile(rb"NRUB..(.{4}).gtensors", re.DOTALL)
"""The first bytes of weights: a magic number, a version, the length of the header, the header."""
_ANSWERS: Final = b'"000/out/000"'
"""In the header of the stored answers."""
_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A model and its probe.

    Attributes:
        platform: for which the probe was built.
        here: the verdict of `burn-verify verify` here, or the stage that failed.
        there: the verdict in the probe's line; empty without a probe.
        why: the reason where there is no probe, or where it does not pass.
        code: the probe's exit code.
        size: of the probe, in bytes.
        building, running: seconds.
        damaged: what the probe says of changed weights and of a changed answer: exit code and reason.
    """

    model: str
    platform: str
    here: str
    there: str = ""
    why: str = ""
    code: int | None = None
    size: int | None = None
    building: float | None = None
    running: float | None = None
    damaged: tuple[tuple[int, str], ...] = ()

    @property
    def alike(self) -> bool:
        """Whether the probe says what the verification said, and both changes make it fail."""
        return self.here == self.there and all(code == 1 for code, _ in self.damaged) and len(self.damaged) == 2


def verified(model: str, folder: Path) -> tuple[str, str]:
    """Return the verdict here, and the reason where it does not pass."""
    record = folder / "run.jsonl"
    subprocess.run(
        ["burn-verify", "verify", model, "--burn-offline", "on", "--burn-record", str(record)],
        check=False,
        capture_output=True,
    )
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    line = next(line for line in lines if line["kind"] == "result")
    return line["verdict"] or line["stage"], line["reason"] or ""


def rows(model: str, platforms: Sequence[str], lines: Path) -> Iterator[Row]:
    """Yield the rows of a model; append what probes print to a file."""
    with tempfile.TemporaryDirectory(prefix="probes-") as place:
        here, why = verified(model, Path(place))
        for platform in platforms:
            own = Row(model=model, platform=platform, here=here, why=why)
            yield own if here not in ("agrees", "loose") else probed(own, Path(place), lines)


def probed(row: Row, folder: Path, lines: Path) -> Row:
    """Build and run a probe; return its row."""
    probe = folder / f"probe-{row.platform}"
    started = time.perf_counter()
    argv = ["burn-verify", "probe", row.model, "-o", str(probe), "--platform", row.platform, "--burn-offline", "on"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    building = time.perf_counter() - started
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()[-1]
        return Row(model=row.model, platform=row.platform, here=row.here, why=why, building=building)
    started = time.perf_counter()
    code, line = ran(probe, row.platform)
    running = time.perf_counter() - started
    with lines.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(line)}\n")
    return Row(
        model=row.model,
        platform=row.platform,
        here=row.here,
        there=line.get("verdict") or line.get("stage", ""),
        why="" if code == 0 else line.get("message", ""),
        code=code,
        size=probe.stat().st_size,
        building=building,
        running=running,
        damaged=tuple(_damaged(probe, row.platform)),
    )


def ran(probe: Path, platform: str) -> tuple[int, dict[str, Any]]:
    """Return exit code and line of a probe, run in an empty folder with an empty environment."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        argv = [str(probe)] if platform == _HERE else [*host(WASM, Path(folder), 0), str(probe)]
        done = subprocess.run(argv, cwd=folder, env={}, capture_output=True, text=True, check=False, timeout=_SECONDS)
        left = list(Path(folder).iterdir())
    if left:
        message = f"the probe wrote {left}"
        raise ValueError(message)
    try:
        line: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        line = {"message": done.stderr.strip()[-200:]}
    return done.returncode, line


def _damaged(probe: Path, platform: str) -> Iterator[tuple[int, str]]:
    whole = probe.read_bytes()
    for number, place in enumerate((weight_in(whole), answer_in(whole))):
        # A host keeps what it compiled of a module by the module's name.
        other = probe.with_name(f"damaged-{number}-{probe.name}")
        other.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        other.chmod(0o755)
        code, line = ran(other, platform)
        yield code, line.get("message", "")


def weight_in(program: bytes) -> int:
    """Return the place of a byte of the weights in a program: the first behind their header that is not 0.

    Raises:
        ValueError: there are no weights.
    """
    found = _BPK.search(program)
    if found is None:
        message = "the probe holds no weights"
        raise ValueError(message)
    place = found.start() + 10 + int.from_bytes(found[1], "little")
    while not program[place]:
        place += 1
    return place


def answer_in(program: bytes) -> int:
    """Return the place of the highest byte of the greatest number of the first expected answer in a program.

    A small number may become another small one, which the bound of half precision allows.
    """
    start = program.rindex(b"{", 0, program.index(_ANSWERS))
    while int.from_bytes(program[start - 8 : start], "little") >= len(program):
        start = program.rindex(b"{", 0, start)
    length = int.from_bytes(program[start - 8 : start], "little")
    header = json.loads(program[start : start + length])
    one = header["000/out/000"]
    dtype = np.dtype({"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}.get(one["dtype"], "u1"))
    first, last = (start + length + int(offset) for offset in one["data_offsets"])
    values = np.frombuffer(program[first:last], dtype=dtype)
    greatest = int(np.argmax(np.abs(np.nan_to_num(values.astype(np.float64)))))
    return first + (greatest + 1) * dtype.itemsize - 1


def page(found: Sequence[Row], made: str) -> str:
    """Return the report of rows."""
    built = [row for row in found if row.there]
    counts = []
    for platform in dict.fromkeys(row.platform for row in found):
        own = [row for row in found if row.platform == platform]
        ran_ = [row for row in own if row.there]
        same = sum(row.here == row.there for row in ran_)
        red = sum(code == 1 for row in ran_ for code, _ in row.damaged)
        counts.append([platform, len(own), len(ran_), same, f"{red} of {sum(len(row.damaged) for row in ran_)}"])
    heads = ["platform", "models", "probes", "same verdict as here", "damaged probes that fail"]
    lines = ["# Probes", "", made, "", tabulate(counts, heads, tablefmt="github", disable_numparse=True), ""]
    body = [
        [
            row.model,
            row.platform,
            row.here,
            row.there,
            _text(row.size, 1e-6, "MB"),
            _text(row.building, 1, "s"),
            _text(row.running, 1, "s"),
        ]
        for row in built
    ]
    heads = ["model", "platform", "here", "probe", "size", "built in", "ran in"]
    lines += [tabulate(body, heads, tablefmt="github", disable_numparse=True), ""]
    if other := [row for row in found if not row.there]:
        lines += [
            "## Without a probe",
            "",
            *(f"- {row.model}, {row.platform}: {row.here}: {row.why}" for row in other),
            "",
        ]
    if wrong := [row for row in built if not row.alike]:
        lines += ["## Not as here", ""]
        lines += [f"- {row.model}, {row.platform}: {row.there}: {row.why or row.damaged}" for row in wrong] + [""]
    if built:
        reasons = dict.fromkeys(_plain(text) for row in built for _, text in row.damaged)
        lines += ["## What damaged probes say", "", *(f"- {text}" for text in reasons), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a message without the name of the output and without numbers, which differ from model to model."""
    said = text if " not those " in text else text.split(": ", 1)[-1].partition(" [")[0]
    return re.sub(r"\b[0-9a-f]{64}\b|-?\b\d[\d.]*(?:e-?\d+)?\b", "…", said)


def _text(value: float | None, factor: float, unit: str) -> str:
    return "" if value is None else f"{value * factor:.3g} {unit}"


def read(path: Path) -> list[Row]:
    """Return the rows of a file."""
    found = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [Row(**{**one, "damaged": tuple((code, why) for code, why in one["damaged"])}) for one in found]


def _run(arguments: argparse.Namespace) -> None:
    settings = settings_from({"models": arguments.models, "offline": "on"})
    choice = Selection(Cache(settings.cache_dir), mirror=settings.zoo_mirror, offline=True).choose(settings.models)
    known = {row.model for row in read(arguments.out)} if arguments.out.is_file() else set()
    for case in choice.cases:
        name = case.id.rpartition("/")[2]
        if name in known:
            continue
        made = list(rows(name, arguments.platforms.split(","), arguments.out.with_suffix(".probes.jsonl")))
        for row in made:
            sys.stderr.write(f"{row}\n")
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write("".join(f"{json.dumps(asdict(row))}\n" for row in made))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--models", required=True)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--platforms", default=f"{_HERE},{PLATFORM}")
    run.set_defaults(call=_run)
    report = commands.add_parser("report")
    report.add_argument("rows", type=Path)
    report.add_argument("--out", type=Path, required=True)
    report.add_argument("--note", default="", help="what is to be known of the machine")
    report.set_defaults(call=_report)
    arguments = parser.parse_args()
    arguments.call(arguments)


def _report(arguments: argparse.Namespace) -> None:
    made = f"By tools/probing.py on {datetime.now(UTC):%Y-%m-%d}. {arguments.note}".strip()
    arguments.out.write_text(page(read(arguments.rows), made), encoding="utf-8")


if __name__ == "__main__":
    main()
