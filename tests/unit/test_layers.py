"""Rooms import one way, and each kind of outside thing lives in one place.

Every import counts, also those under ``TYPE_CHECKING`` and inside functions: a lazy import hides a cycle, it does not
remove it.
"""

from collections.abc import Iterator
from pathlib import Path

from imports import imported_names

PACKAGE = "burn_verify"
ROOT = Path(__file__).parents[2] / "src" / PACKAGE

# A room, and the rooms that it may import; docs/architecture.md has a sentence on each.
ROOMS = {
    "core": "",
    "graph": "core",
    "forecast": "core graph",
    "judge": "core graph",
    "prepare": "core graph",
    "system": "core graph",
    "reference": "core graph judge system",
    "burn": "core graph system",
    "cases": "core graph system reference",
    "several": "core graph forecast system reference cases",
    "task": "core cases",
    "record": "core system burn",
    "expectations": "core",
    "report": "core graph forecast judge cases task record expectations",
    "run": "core graph forecast judge prepare system reference burn cases several task record expectations report",
    "ship": "core graph judge system reference burn cases record run",
    "plugin": "core expectations report run system",
    "cli": "core graph forecast system burn cases record expectations report run ship",
    "onnx_backend": "core graph run system",
}
# Third-party and standard modules that only these may import.
CONFINED = {
    "wasmtime": {"burn.wasm_host"},
    "subprocess": {"system.process", "system.resident", "system.service"},
    "ctypes": {"burn.drivers", "reference.worker", "system.confined"},
    "socket": {"system.download", "cli.serve"},
    "requests": {"system.download"},
    "pooch": {"system.download"},
    "onnxruntime": {"reference.bench", "reference.quantiser", "reference.worker"},
    "pytest": {"plugin"},
    "psutil": {"reference.bench", "run.evaluate.memory", "run.latency.crowd"},
    "rich": {"system.console", "report.views"},
    "tabulate": {"report.views", "cli"},
    "tomlkit": {"expectations.document"},
    "duckdb": {"record.parquet"},
    "submitit": {"run.sweep.fleet"},
    "jinja2": {"report.views"},
    "hotcoco": {"task.average_precision"},
    "junitparser": {"report.views"},
}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and file of every module but the faces: `backend`, an alias, and the package itself."""
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        if name not in {"__init__", "backend"}:
            yield name, path


def pairs(root: Path) -> set[tuple[str, str]]:
    """Return the pairs of rooms of which the first imports the second."""
    found = {
        (room_of(module), room_of(name.removeprefix(f"{PACKAGE}.")))
        for module, path in modules(root)
        for name in imported_names(path)
        if name.startswith(f"{PACKAGE}.") and name != f"{PACKAGE}.__version__"
    }
    return {(room, other) for room, other in found if room != other}


def allowed() -> set[tuple[str, str]]:
    return {(room, other) for room, others in ROOMS.items() for other in others.split()}


def strays(root: Path) -> list[str]:
    """Return what imports an outside thing that it must not import."""
    found = set()
    for module, path in modules(root):
        for name in imported_names(path):
            homes = CONFINED.get(name.partition(".")[0])
            if homes is not None and not any(module == home or module.startswith(f"{home}.") for home in homes):
                found.add(f"{module} imports {name.partition('.')[0]}")
    return sorted(found)


def test_every_module_is_in_a_room():
    assert {room_of(module) for module, _ in modules(ROOT)} == set(ROOMS)


def test_rooms_import_one_way():
    assert pairs(ROOT) - allowed() == set()


def test_every_allowed_pair_is_used():
    assert allowed() - pairs(ROOT) == set()


def test_the_order_of_the_table_is_the_order_of_the_imports():
    order = list(ROOMS)
    assert [pair for pair in allowed() if order.index(pair[1]) >= order.index(pair[0])] == []


def test_the_architecture_document_has_this_table():
    text = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]

    assert {name.strip("`"): imports for name, _, imports in rows} == {
        room: " ".join(sorted(others.split(), key=list(ROOMS).index)) or "nothing" for room, others in ROOMS.items()
    }
    assert [name.strip("`") for name, _, _ in rows] == list(ROOMS)
    assert all(sentence for _, sentence, _ in rows)


def test_each_outside_thing_has_one_home():
    assert strays(ROOT) == []


def test_the_check_sees_violations(tmp_path):
    (tmp_path / "judge.py").write_text(f"import subprocess\ndef f():\n    from {PACKAGE}.burn import runner\n")
    assert pairs(tmp_path) - allowed() == {("judge", "burn")}
    assert strays(tmp_path) == ["judge imports subprocess"]
