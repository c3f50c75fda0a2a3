"""The host runs a module with the streams of its process, and ends it beyond its limits."""

import subprocess
import sys

import pytest

from burn_verify.burn import wasm_host

wasmtime = pytest.importorskip("wasmtime")

IMPORTS = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
EXITS = f'(module {IMPORTS} (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 7))))'
ENDS = '(module (memory (export "memory") 1) (func (export "_start")))'
LOOPS = '(module (memory (export "memory") 1) (func (export "_start") (loop $l (br $l))))'
TRAPS = '(module (memory (export "memory") 1) (func (export "_start") unreachable))'
LARGE = '(module (memory (export "memory") 64) (func (export "_start")))'


def run(tmp_path, text, memory=16, fuel=10**6):
    module = tmp_path / "m.wasm"
    module.write_bytes(wasmtime.wat2wasm(text))
    argv = [sys.executable, "-I", wasm_host.__file__, str(tmp_path), str(memory), str(fuel), str(module)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("text", "code"), [(EXITS, 7), (ENDS, 0)])
def test_the_exit_code_is_the_modules(tmp_path, text, code):
    assert run(tmp_path, text).returncode == code
    assert run(tmp_path, text).returncode == code
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(("text", "why"), [(LOOPS, "fuel"), (TRAPS, "unreachable")])
def test_a_trap_is_told(tmp_path, text, why):
    done = run(tmp_path, text)

    assert done.returncode == 134
    assert why in done.stderr


def test_more_memory_than_allowed_is_refused(tmp_path):
    done = run(tmp_path, LARGE, memory=1)

    assert done.returncode != 0
    assert "memory" in done.stderr
