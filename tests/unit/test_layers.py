"""Imports go one way, and each kind of outside thing lives in one module.

Every import counts, also those under ``TYPE_CHECKING`` and inside functions: a lazy import hides a cycle, it does not
remove it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "burn_verify"
ROOT = Path(__file__).parents[2] / "src" / PACKAGE

# Lowest layer first. A name stands for a module or for a whole subpackage.
LAYERS = [
    "types timings errors",  # vocabulary
    # pure: values in, values out
    "words options schema operators inputs judge wire codec codegen diagnostics blame expectations entries revision "
    "declared reasons progress cases graphs shards report lone_node widen wide_ops stepwise samples race cuts "
    "rustc_clock versions recipe drivers option_values targets expected_files exchange",
    # effects: one outside thing each
    "process cache cargo workshop checkouts toolchain load collecting corpus generation generating selection reference "
    "runtime ortbench measure convert build release runner neighbours stopwatch devices store history disk",
    "plan",  # a case on its way
    "comparison drawing twins differences",  # answers beside what is known; drawn values; the same in another way
    "making",  # targets: converted, compiled, started
    "latency",  # a release build is judged, then timed
    "pipeline",  # the order of the stages
    "backend",  # ONNX's own test backend
    "session",  # one run: selection and plan
    "recording doctor",  # the end of a run: record and table; the state of the machine
    "console",  # what a person sees
    "suite items benchmarked",  # the packaged test; tests and cases
    "controller",  # the process that prepares and records
    "commands",  # what the commands share
    "plugin cli cli_blame cli_gc cli_expectations cli_latency cli_numbers cli_ops cli_profile cli_report",  # shells
]
# The only imports allowed inside one layer, as (importer, imported).
SIBLINGS = {
    ("errors", "types"),
    ("types", "timings"),
    ("race", "samples"),
    ("runtime", "ortbench"),
    ("release", "cache"),
    ("release", "cargo"),
    ("release", "toolchain"),
    ("stopwatch", "cache"),
    ("stopwatch", "neighbours"),
    ("stopwatch", "reference"),
    ("stopwatch", "release"),
    ("stopwatch", "runner"),
    ("cli", "cli_latency"),
    ("cli", "cli_profile"),
    ("options", "option_values"),
    ("option_values", "versions"),
    ("targets", "options"),
    ("targets", "versions"),
    ("expected_files", "expectations"),
    ("report", "option_values"),
    ("report", "targets"),
    ("report", "versions"),
    ("operators", "schema"),
    ("graphs", "operators"),
    ("cases", "operators"),
    ("cases", "schema"),
    ("cases", "inputs"),
    ("cases", "options"),
    ("graphs", "schema"),
    ("inputs", "schema"),
    ("judge", "schema"),
    ("wire", "schema"),
    ("lone_node", "graphs"),
    ("lone_node", "judge"),
    ("lone_node", "schema"),
    ("widen", "graphs"),
    ("stepwise", "graphs"),
    ("stepwise", "schema"),
    ("stepwise", "wide_ops"),
    ("report", "codec"),
    ("report", "options"),
    ("report", "cases"),
    ("report", "expectations"),
    ("entries", "expectations"),
    ("revision", "entries"),
    ("revision", "expectations"),
    ("cli", "cli_expectations"),
    ("cli", "cli_blame"),
    ("cli", "cli_gc"),
    ("exchange", "option_values"),
    ("exchange", "versions"),
    ("cli", "cli_report"),
    ("history", "store"),
    ("history", "cache"),
    ("cli", "cli_numbers"),
    ("cli", "cli_ops"),
    ("report", "judge"),
    ("report", "declared"),
    ("report", "operators"),
    ("shards", "codec"),
    ("report", "shards"),
    ("blame", "codegen"),
    ("blame", "diagnostics"),
    ("blame", "reasons"),
    ("reasons", "words"),
    ("report", "words"),
    ("load", "cache"),
    ("corpus", "load"),
    ("corpus", "collecting"),
    ("collecting", "cache"),
    ("collecting", "process"),
    ("selection", "cache"),
    ("selection", "load"),
    ("selection", "corpus"),
    ("selection", "generation"),
    ("generation", "cache"),
    ("generation", "collecting"),
    ("generating", "cache"),
    ("generating", "collecting"),
    ("generating", "reference"),
    ("corpus", "cache"),
    ("reference", "process"),
    ("reference", "cache"),
    ("measure", "reference"),
    ("measure", "cache"),
    ("convert", "process"),
    ("convert", "cache"),
    ("cargo", "process"),
    ("toolchain", "cargo"),
    ("toolchain", "cache"),
    ("toolchain", "checkouts"),
    ("toolchain", "workshop"),
    ("disk", "cache"),
    ("devices", "cache"),
    ("devices", "process"),
    ("devices", "runner"),
    ("devices", "workshop"),
    ("workshop", "cargo"),
    ("workshop", "cache"),
    ("checkouts", "cache"),
    ("checkouts", "process"),
    ("checkouts", "workshop"),
    ("recipe", "versions"),
    ("build", "cargo"),
    ("build", "toolchain"),
    ("build", "cache"),
    ("runner", "process"),
    ("runner", "cache"),
}
# Third-party and standard modules that only these units may import.
CONFINED = {
    "subprocess": {"process"},
    "ctypes": {"drivers", "runtime"},
    "socket": {"cache"},
    "requests": {"cache"},
    "pooch": {"cache"},
    "onnxruntime": {"ortbench", "runtime"},
    "pytest": {"benchmarked", "items", "controller", "plugin"},
    "rich": {"console"},
    "tabulate": {"report", "cli", "cli_blame", "cli_gc", "cli_ops", "cli_profile", "cli_report"},
    "jinja2": {"report"},
    "junitparser": {"report"},
}
RANK = {unit: rank for rank, units in enumerate(LAYERS) for unit in units.split()}


def imported_names(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything the file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(root: Path) -> list[str]:
    found = set()
    for path in root.rglob("*.py"):
        unit = path.relative_to(root).parts[0].removesuffix(".py")
        if unit in {"__init__", "__main__"}:
            continue
        if unit not in RANK:
            found.add(f"{unit} is in no layer")
            continue
        for name in imported_names(path):
            top, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if unit not in CONFINED.get(top, {unit}):
                found.add(f"{unit} imports {top}")
            if top != PACKAGE or other not in RANK or other == unit:
                continue
            if RANK[other] >= RANK[unit] and (unit, other) not in SIBLINGS:
                found.add(f"{unit} imports {other}")
    return sorted(found)


def test_imports_go_one_way():
    assert violations(ROOT) == []


def test_every_allowed_sibling_is_used():
    used = {
        (path.relative_to(ROOT).parts[0].removesuffix(".py"), name.split(".")[1])
        for path in ROOT.rglob("*.py")
        for name in imported_names(path)
        if name.startswith(f"{PACKAGE}.")
    }
    assert used >= SIBLINGS


def test_the_check_sees_violations(tmp_path):
    (tmp_path / "judge.py").write_text(f"import subprocess\ndef f():\n    from {PACKAGE} import runner\n")
    (tmp_path / "misc.py").write_text("")
    assert violations(tmp_path) == ["judge imports runner", "judge imports subprocess", "misc is in no layer"]
