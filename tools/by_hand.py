"""Models built for timing, and the Cargo project that times three of them with Criterion and nothing of ours.

usage: python tools/by_hand.py FOLDER

Lays the project out in a folder, with the generated modules, weights and inputs of the three models in it, and says
what to type there. What it takes from elsewhere is the Cargo.lock and the features (`compat`) of the cache's workspace.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from burn_verify.burn.codegen import LATENCY
from burn_verify.burn.workspace import Workspace
from burn_verify.cases.select import Selection
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.reference import oracle
from burn_verify.run import steps
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

PROJECT = Path(__file__).parent / "criterion"
NAMES = ("mnist", "squeezenet", "mobilenetv2")
_CARGO = ("cargo", "bench", "--profile", LATENCY, "--bench", "models")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A model that can be timed."""

    name: str
    step: steps.Ready
    inputs: Sequence[Array]


def ready(settings: Settings, cache: Cache, names: Sequence[str]) -> list[Ready]:
    """Return the models, converted, compiled and with inputs."""
    selection = Selection(cache, mirror=settings.zoo_mirror, offline=True)
    cases = {name: selection.choose([name]).cases[0] for name in names}
    plan = Pipeline(settings, cache).prepare(list(cases.values()))
    made = []
    for name, case in cases.items():
        step = plan.cases[case.id]
        if isinstance(step, steps.Ended):
            sys.exit(f"{case.id}: {step.error}")
        data = next(iter(oracle.read(step.reference).data_sets.values()))
        made.append(Ready(name=name, step=step, inputs=data.inputs))
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project by hand, in a scratch folder.

    Attributes:
        env: of cargo and the program.
    """

    folder: Path
    env: Mapping[str, str]

    def in_profile(self, label: str, settings: Mapping[str, str]) -> "Project":
        """Return the project in another profile than cargo's release; settings as cargo's environment names them."""
        said = {f"CARGO_PROFILE_{LATENCY.upper()}_{name}": value for name, value in settings.items()}
        # What nobody asks for again does not stay in the cache.
        target = {"CARGO_TARGET_DIR": str(self.folder / "target")} if settings else {}
        return replace(self, env={**self.env, **said, **target, "CRITERION_HOME": str(self._results / label)})

    def rebuild(self) -> float:
        """Return the seconds of compiling the three models once more, where everything was compiled before."""
        (self.folder / "benches" / "models.rs").touch()
        started = time.monotonic()
        self.build()
        return time.monotonic() - started

    @contextmanager
    def turns(self, name: str, calls: int) -> Iterator[Callable[[], bool]]:
        """Time one model, so many calls, in turns with somebody else.

        Yields what gives the project its turn and returns when that is over; False once there are no more calls.
        """
        wanted = ("--", "--noplot", "--sample-size", str(calls), f"^models/{name}$")
        process = subprocess.Popen(
            [*_CARGO, *wanted],
            cwd=self.folder,
            env={**self.env, "TAKE_TURNS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        said: list[str] = []

        def waits() -> bool:
            for line in process.stdout or ():
                if line.strip() == "turn":
                    return True
                said.append(line)
            if process.wait():
                sys.exit("".join(said))
            return False

        def turn() -> bool:
            print(file=process.stdin, flush=True)
            return waits()

        try:
            if not waits():
                sys.exit(f"{name} was not timed:\n{''.join(said)}")
            yield turn
        finally:
            process.kill()
            process.communicate()

    def estimate(self, name: str) -> tuple[float, float, float]:
        """Return low end, median and high end (seconds) of a model that was timed last."""
        path = Path(self.env["CRITERION_HOME"]) / "models" / name / "new" / "estimates.json"
        said = json.loads(path.read_text())["median"]
        ends = said["confidence_interval"]
        return ends["lower_bound"] / 1e9, said["point_estimate"] / 1e9, ends["upper_bound"] / 1e9

    def build(self) -> None:
        """Compile what is not compiled yet, dependencies included."""
        command = [*_CARGO, "--no-run"]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)

    @property
    def _results(self) -> Path:
        return self.folder / "results"


def lay_out(folder: Path, toolchain: Workspace, models: Sequence[Ready]) -> None:
    """Copy the project to a folder, with these models in it."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    manifest = folder / "Cargo.toml"
    compat = toolchain.build.folder / "compat"
    manifest.write_text(manifest.read_text().replace('"COMPAT"', json.dumps(str(compat))))
    shutil.copy(toolchain.build.folder / "Cargo.lock", folder / "Cargo.lock")
    (folder / "models").mkdir(exist_ok=True)
    for model in models:
        converted = model.step.built.model
        shutil.copy(converted.rust, folder / "models" / f"{model.name}.rs")
        shutil.copy(converted.weights, folder / "models" / f"{model.name}.bpk")
        (values,) = model.inputs
        (folder / "models" / f"{model.name}.f32").write_bytes(values.astype("<f4").tobytes())
        (folder / "models" / f"{model.name}.shape").write_text(" ".join(map(str, values.shape)))


def pin(threads: int) -> None:
    """Keep this process, and what it starts from now on, to as many processors as threads (Linux).

    Waking a thread on another processor takes as long as a convolution of mnist, and sometimes not.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


@contextmanager
def project(cache: Cache, models: Sequence[Ready], threads: int) -> Iterator[Project]:
    """Yield the project with these models in it, in a scratch folder."""
    toolchain = Workspace.of(cache, silent, Target())
    with tempfile.TemporaryDirectory(prefix="by-hand-") as name:
        folder = Path(name)
        lay_out(folder, toolchain, models)
        kept = {name: value for name, value in os.environ.items() if "RUSTFLAGS" not in name}
        places = {"CARGO_TARGET_DIR": str(toolchain.build.target), "RAYON_NUM_THREADS": str(threads)}
        yield Project(folder=folder, env={**kept, **places}).in_profile("release", {})


def main() -> None:
    """Lay the project out and say how to run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder.absolute()
    settings = settings_from({"latency": "on"})
    cache = Cache(settings.cache_dir)
    toolchain = Workspace.of(cache, silent, Target())
    lay_out(folder, toolchain, ready(settings, cache, NAMES))
    print(f"cd {folder}")
    print(f"CARGO_TARGET_DIR={toolchain.build.target} RAYON_NUM_THREADS=1 cargo bench --profile {LATENCY}")
    print("Without CARGO_TARGET_DIR Burn is compiled there once more, some ten minutes.")


if __name__ == "__main__":
    main()
