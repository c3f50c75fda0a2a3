"""A program that proves a verified model where it will live: weights, inputs, answers and bounds in one file.

It is the crate of `crate` with a program in it, built with the Burn that is compiled already: for this machine, or as
WebAssembly.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from burn_verify.burn.cargo import Build
from burn_verify.burn.codegen import PROFILE, rust_string
from burn_verify.burn.wasm import PROFILE_OF_WASM, WasmBuilder, features_of_burn, settings_of_profile
from burn_verify.burn.workspace import Workspace
from burn_verify.core.errors import StoreError
from burn_verify.core.progress import Listener
from burn_verify.record.codec import result_to_line
from burn_verify.ship.crate import Contents, Load, files_of, filled
from burn_verify.ship.package import contents_of, write_files
from burn_verify.ship.proven import Proven
from burn_verify.system.cache import Cache
from burn_verify.system.files import copy_atomically

_NAME: Final = "probe"
_BURN: Final = re.compile(r"^burn = \{ (.*), features = \[.*\] \}$", re.MULTILINE)
_VERSION: Final = re.compile(r'^version = ".*"$', re.MULTILINE)
_ONLY_IN_THE_RUN: Final = ("evidence", "durations", "latency")


def contents_of_probe(proven: Proven) -> Contents:
    """Return what the crate of a probe is made of.

    Raises:
        ConvertError: the generated code cannot be called in the terms of the graph.
    """
    return contents_of(proven, _NAME, Load.EMBEDDED, pregenerated=True)


def probe_files(proven: Proven, contents: Contents, *, wasm: bool = False) -> dict[str, bytes]:
    """Return the files of the crate, by path.

    Arguments:
        wasm: for WebAssembly, with the features of Burn that are there.
    """
    files = {path: data for path, data in files_of(contents).items() if not path.startswith("examples/")}
    sets = ", ".join(rust_string(one.name) for one in contents.golden)
    files["src/main.rs"] = filled("probe.rs", crate=contents.library, sets=sets).encode()
    files["probe.json"] = line_of(proven).encode()
    manifest = files["Cargo.toml"].decode()
    files["Cargo.toml"] = (_for_wasm(manifest) if wasm else _with_program(manifest)).encode()
    return files


def _for_wasm(manifest: str) -> str:
    """Return a manifest with the features and the profile with which Burn is compiled for WebAssembly."""
    manifest = _VERSION.sub('version = "0.1.0"', manifest, count=1)
    head = manifest.partition("\n[dev-dependencies]\n")[0]
    head, changed = _BURN.subn(rf"burn = {{ \1, features = {json.dumps(features_of_burn())} }}", head)
    assert changed == 1
    profile = [f"[profile.{PROFILE_OF_WASM}]"]
    profile += [f"{name} = {json.dumps(value)}" for name, value in settings_of_profile().items()]
    return "\n".join([head.rstrip("\n"), 'serde_json = "1"', "", *profile, ""])


def _with_program(manifest: str) -> str:
    """Return a manifest whose crates for tests are those of the program: a build of it alone takes the same Burn.

    All probes have one version: each is built from new files, and takes the place of the last one in the cache.
    """
    manifest = _VERSION.sub('version = "0.1.0"', manifest, count=1)
    head, tests, rest = manifest.partition("[dev-dependencies]\n")
    own, blank, profiles = rest.partition("\n\n")
    names = head.partition("[dependencies]\n")[2]
    # Not what the example reads files with: it would bring features that Burn was compiled without.
    needed = [line for line in own.splitlines() if "=" in line and not line.startswith(("#", "zip"))]
    assert tests
    assert names
    added = "".join(f"{line}\n" for line in ['serde_json = "1"', *needed])
    return head.rstrip("\n") + "\n" + added + blank + profiles


def line_of(proven: Proven) -> str:
    """Return the line of the record that a probe repeats where it passes."""
    line = json.loads(result_to_line(proven.result, proven.ready.built.target))
    return json.dumps({key: value for key, value in line.items() if key not in _ONLY_IN_THE_RUN})


def build(
    files: Mapping[str, bytes], cache: Cache, proven: Proven, output: Path, listen: Listener, *, wasm: bool = False
) -> None:
    """Compile a probe and write it.

    Raises:
        ToolchainError: cargo failed.
        StoreError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as place:
        folder = write_files(Path(place, _NAME), files)
        if wasm:
            _copy(WasmBuilder(cache, listen, proven.ready.built.target).program(folder, _NAME), output)
            return
        workspace = Workspace.of(cache, listen, proven.ready.built.target)
        workspace.converter()
        own = Build(folder=folder, target=workspace.build.target, log=folder / "cargo.log")
        with cache.lock(workspace.lock, workspace.waiting):
            arguments = ["--profile", PROFILE, "--offline", "--bin", _NAME]
            run = own.run(arguments, phase="compile", labels={_NAME: _NAME}, listen=listen)
        if run.code != 0:
            what = "the probe could not be built"
            raise own.failure(what, run.code)
        _copy(Path(run.executables[_NAME]), output)


def _copy(program: Path, output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        copy_atomically(program, output)
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror or error}"
        raise StoreError(message) from error
