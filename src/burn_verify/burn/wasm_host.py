"""A program, run in a process of its own: an instance of a WebAssembly module in wasmtime, with limits.

Standard input and output are the module's. It sees one folder, and ends with a trap beyond its memory or its fuel.

    python wasm_host.py FOLDER MEMORY_MIB FUEL MODULE
"""

import os
import sys
import threading
from pathlib import Path
from typing import Final

_STACK: Final = 16 << 20
_STACK_OF_MODULE: Final = 2 << 20
"""Bytes of the machine's own stack; wasmtime allows no more. The stack of Rust is in the memory of the module."""


def main() -> int:
    """Run the module to its end; return its exit code, 134 for a trap."""
    import wasmtime

    folder, memory, fuel, module = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    config = wasmtime.Config()
    config.consume_fuel = True
    config.max_wasm_stack = _STACK_OF_MODULE
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    store.set_fuel(fuel)
    if memory:
        store.set_limits(memory_size=memory << 20)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["runner"]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir(folder, folder)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate(store, compiled(engine, module))
    start = instance.exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return int(ended.code)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
        sys.stderr.write(f"{trap}\n")
        return 134
    return 0


def compiled(engine: "wasmtime.Engine", module: Path) -> "wasmtime.Module":  # type: ignore[name-defined] # noqa: F821
    """Return a compiled module, from the file beside it where this wasmtime made it before."""
    import wasmtime

    beside = module.with_suffix(f".{wasmtime.__name__}")
    try:
        return wasmtime.Module.deserialize_file(engine, str(beside))
    except wasmtime.WasmtimeError:
        found = wasmtime.Module.from_file(engine, str(module))
    part = beside.with_name(f"{beside.name}.{os.getpid()}")
    part.write_bytes(found.serialize())
    part.replace(beside)
    return found


if __name__ == "__main__":
    threading.stack_size(_STACK)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main()))
    thread.start()
    thread.join()
    sys.stdout.flush()
    sys.exit(codes[0] if codes else 1)
