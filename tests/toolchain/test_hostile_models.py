"""Models that mean harm, through the real pipeline: each ends as the table of docs/untrusted.md says, and harms nobody.

Some are files as anybody can write one. The others are what a model would do if its code came through the converter:
the generated Rust is replaced. One is a hook, which is code that runs in the converter.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn import disk
from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.checkouts import look
from burn_verify.burn.program import Builders
from burn_verify.burn.workspace import Workspace
from burn_verify.core.option_values import Sandbox
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Checkout, Target
from burn_verify.run.pipeline import Pipeline
from burn_verify.system import sandbox
from toolchain.helpers import FIXTURES, OwnCache, Spoil, Tiny, case, replacing, spoiling

pytestmark = pytest.mark.skipif(bool(sandbox.lacking()), reason=sandbox.lacking() or "it can")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "untrusted.md"
HOOK = ROOT / "examples" / "hooks" / "roi-align"
ADD = "let add1_out1 = x.add(constant1_out1);"
MARK = f"98765.{os.getpid()}"
"""Seconds that what a fork bomb leaves behind would sleep: nobody else sleeps just so long."""
SETTINGS = Settings(timeout=20.0, memory_limit=4096, sandbox=Sandbox.ON)
SMUGGLED = 'x"\n\n[package]\nbuild = "build.rs"\n\n[build-dependencies]\nevil = "1" #'


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def the_sum() -> onnx.ModelProto:
    return onnx.load(FIXTURES / "add.onnx")


def model_of(nodes: list[onnx.NodeProto], *constants: onnx.TensorProto) -> onnx.ModelProto:
    """Return a model of one float32 vector to another."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    graph = helper.make_graph(nodes, "g", [x], [y], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def elsewhere(location: str) -> onnx.ModelProto:
    model = the_sum()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


def claiming() -> onnx.ModelProto:
    model = the_sum()
    model.graph.initializer[0].dims[:] = [1 << 40]
    return model


def greedy() -> onnx.ModelProto:
    size = numpy_helper.from_array(np.array([1 << 38], np.int64), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["all"]),
        helper.make_node("ReduceMax", ["all"], ["most"], keepdims=0),
        helper.make_node("Add", ["x", "most"], ["y"]),
    ]
    return model_of(nodes, size)


def endless() -> onnx.ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["v", "v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [2]),
        ],
        [
            helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [2]),
        ],
    )
    count = numpy_helper.from_array(np.array(1 << 62, np.int64), "count")
    return model_of([helper.make_node("Loop", ["count", "", "x"], ["y"], body=body)], count)


def recursive() -> onnx.ModelProto:
    model = model_of([helper.make_node("Self", ["x"], ["y"], domain="mine")])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    inside = [helper.make_node("Self", ["a"], ["b"], domain="mine")]
    model.functions.append(helper.make_function("mine", "Self", ["a"], ["b"], inside, imports))
    model.opset_import.append(helper.make_opsetid("mine", 1))
    return model


def smuggling() -> onnx.ModelProto:
    """Return the sum, with a section of a manifest for every name."""
    model = the_sum()
    graph = model.graph
    graph.name = model.producer_name = model.domain = graph.node[0].name = SMUGGLED
    graph.input[0].name, graph.output[0].name, graph.initializer[0].name = SMUGGLED, f"{SMUGGLED}y", f"{SMUGGLED}c"
    graph.node[0].input[:] = [SMUGGLED, f"{SMUGGLED}c"]
    graph.node[0].output[:] = [f"{SMUGGLED}y"]
    return model


FILES: Mapping[str, Callable[[], onnx.ModelProto]] = {
    "reads-a-secret": lambda: elsewhere("../secret.bin"),
    "follows-a-link": lambda: elsewhere("link.bin"),
    "claims-a-terabyte": claiming,
    "fills-memory": greedy,
    "loops-for-ever": endless,
    "calls-itself": recursive,
    "smuggles-a-build-script": smuggling,
}


# ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def code(statements: str) -> Spoil:
    return replacing(ADD, f"{statements}\n        {ADD}")


def codes(port: int, bystander: int, home: Path) -> dict[str, Spoil]:
    """Return what generated code tries, by name: it panics with what it was answered."""
    return {
        "phones-home": code(f'panic!("{{:?}}", std::net::TcpStream::connect("127.0.0.1:{port}"));'),
        "writes-to-your-home": code(f'panic!("{{:?}}", std::fs::write("{home}/canary", b"sings"));'),
        "ends-other-processes": code(
            f'let s = std::process::Command::new("kill").args(["-9", "{bystander}"]).output().unwrap();\n'
            '        panic!("{}", String::from_utf8_lossy(&s.stderr));'
        ),
        "forks-without-end": code(
            f'for _ in 0..40 {{ let _ = std::process::Command::new("sleep").arg("{MARK}").spawn(); }}\n'
            "        loop { std::thread::yield_now(); }"
        ),
        "never-answers": code("loop { std::thread::park(); }"),
        "allocates-without-end": code(
            "let mut kept: Vec<Vec<u8>> = Vec::new();\n        loop { kept.push(vec![1u8; 1 << 26]); }"
        ),
    }


def asleep() -> list[psutil.Process]:
    """Return the processes of a fork bomb that stay: the kernel ends those of a namespace after its first one."""
    found = [one for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[:2] == ["sleep", MARK]]
    alive: list[psutil.Process] = psutil.wait_procs(found, timeout=30)[1]
    return alive


# ── what became of them ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the page: the stage where a model ends, none where it agrees, and the words that say what stopped it."""

    stage: str | None
    said: str


def rows() -> dict[str, Row]:
    text = PAGE.read_text(encoding="utf-8").partition("## Hostile models")[2]
    found = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (?:(\w+): )?`([^`]+)`", text, re.MULTILINE)
    return {name: Row(stage=stage.lower() or None, said=said) for name, stage, said in found}


def ended(cache: OwnCache, paths: Mapping[str, Path], target: Target, builder: Builders) -> dict[str, CaseResult]:
    """Take models through the pipeline; return the results by name."""
    pipeline = Pipeline(SETTINGS, cache, builder=builder)
    try:
        plan = pipeline.prepare([case(name, path) for name, path in paths.items()], target)
        return {name: pipeline.verify(plan.cases[f"file/{name}"]).result for name in paths}
    finally:
        pipeline.close()


@pytest.fixture(scope="module")
def ends(tiny: Tiny, cache: OwnCache, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CaseResult]:
    top = tmp_path_factory.mktemp("hostile")
    folder, home = top / "models", top / "home"
    folder.mkdir()
    home.mkdir()
    (top / "secret.bin").write_bytes(bytes(24))
    (folder / "link.bin").symlink_to(top / "secret.bin")
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        changes = codes(server.getsockname()[1], bystander.pid, home)
        paths = {}
        for name, make in FILES.items():
            # The name of a build script, for all that it is worth.
            path = folder / ("build.rs.onnx" if name == "smuggles-a-build-script" else f"{name}.onnx")
            path.write_bytes(make().SerializeToString())
            paths[name] = path
        for name in changes:
            model = the_sum()
            model.doc_string = name
            paths[name] = folder / f"{name}.onnx"
            paths[name].write_bytes(model.SerializeToString())
        before = sorted(top.rglob("*"))
        paths["add"] = FIXTURES / "add.onnx"
        by_id = {f"file/{name}": change for name, change in changes.items()}
        found = ended(cache, paths, Target(), spoiling(cache.folder("spoilt", "hostile"), by_id))
    assert bystander.poll() is None
    bystander.communicate(b"\n")
    assert sorted(top.rglob("*")) == before
    assert asleep() == []
    return found


NAMES = (*FILES, *codes(0, 0, Path()))


def test_the_page_tells_of_every_hostile_model():
    assert set(rows()) == {*NAMES, "forks-in-a-hook"}
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_as_the_page_says(ends: dict[str, CaseResult], name: str) -> None:
    row, result = rows()[name], ends[name]

    if row.stage is None:
        assert result.outcome is Outcome.PASSED, result
    else:
        assert (str(result.stage), result.outcome) == (row.stage, Outcome.FAILED), result
        assert row.said in f"{result.reason} {result.message}"


def test_a_model_beside_them_is_not_harmed(ends: dict[str, CaseResult]) -> None:
    assert ends["add"].outcome is Outcome.PASSED


def test_no_build_script_was_made(ends: dict[str, CaseResult], cache: OwnCache) -> None:
    manifests = [*cache.own.root.rglob("Cargo.toml"), *cache.root.glob("burn-*/*/crates/*/Cargo.toml")]

    assert not list(cache.own.root.rglob("build.rs"))
    assert [path for path in manifests if "evil" in path.read_text(encoding="utf-8")] == []


BOMB = f"""for _ in 0..40 {{ let _ = std::process::Command::new("sleep").arg("{MARK}").spawn(); }}
        loop {{ std::thread::yield_now(); }}
        #[allow(unreachable_code)]
        let Bins {{"""


@pytest.fixture
def hook(cache: OwnCache, tmp_path: Path) -> Iterator[Checkout]:
    """A copy of the example of hooks that starts processes where it should write code."""
    copy = tmp_path / "hook"
    shutil.copytree(HOOK, copy)
    source = copy / "src" / "lib.rs"
    text = source.read_text(encoding="utf-8")
    assert text.count("let Bins {") == 1
    source.write_text(text.replace("let Bins {", BOMB), encoding="utf-8")
    checkout = look(cache, "hooks", str(copy))
    yield checkout
    # The copy lies elsewhere in the next run, so nobody would ever use this again.
    local = Workspace.of(cache, silent, Target(hooks=checkout))
    for usage in disk.usages(cache) if local.ready else ():
        if usage.folder == local.converter().parent:
            disk.free(cache, usage)


def test_a_fork_bomb_in_a_hook_ends_with_its_model(cache: OwnCache, tmp_path: Path, hook: Checkout) -> None:
    kinds = {"x": (TensorProto.FLOAT, [1, 1, 4, 4]), "r": (TensorProto.FLOAT, [1, 4]), "b": (TensorProto.INT64, [1])}
    graph = helper.make_graph(
        [helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], output_height=2, output_width=2)],
        "g",
        [helper.make_tensor_value_info(name, *kind) for name, kind in kinds.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 2, 2])],
    )
    path = tmp_path / "hooked.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    paths = {"hooked": path, "add": FIXTURES / "add.onnx"}
    found = ended(cache, paths, Target(hooks=hook), CargoBuilder)
    row = rows()["forks-in-a-hook"]

    assert (str(found["hooked"].stage), row.said in found["hooked"].message) == (row.stage, True), found["hooked"]
    assert found["add"].outcome is Outcome.PASSED
    assert asleep() == []
