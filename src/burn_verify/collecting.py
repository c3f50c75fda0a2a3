"""What the collectors share: `corpus` and `generating` write models, data and an index, in processes of their own.

Knows no case, and not where they come from.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burn_verify.cache import sha256_of
from burn_verify.errors import ToolchainError
from burn_verify.process import stream
from burn_verify.schema import burn_kind, dtype_name
from burn_verify.wire import Array, encode_named, placed

if TYPE_CHECKING:
    from burn_verify.graphs import Facts


def run_collector(
    module: str, arguments: Iterable[str], folder: Path, *, on_step: Callable[[str], None], failed: str
) -> None:
    """Run a module of this package as a program.

    Arguments:
        folder: an existing one, where it runs.
        on_step: told every line that it prints.
        failed: how the message begins where it fails; its last line on stderr follows.

    Raises:
        ToolchainError: it failed.
    """
    said: list[str] = []
    argv = [sys.executable, "-m", f"burn_verify.{module}", *arguments]
    code = stream(argv, cwd=folder, env=os.environ, on_stdout=on_step, on_stderr=said.append)
    if code != 0:
        message = f"{failed}: {next(iter(said[-1:]), f'exit code {code}')}"
        raise ToolchainError(message)


def index_entry(
    path: Path,
    facts: "Facts",
    data_sets: Mapping[str, tuple[Sequence[Any], Sequence[Any]]],
    unsupported: str | None = None,
) -> dict[str, Any]:
    """Return what every index says of a model; write its data beside it unless Burn has no value for some of them.

    Arguments:
        path: the model, already written.
        data_sets: inputs and outputs by name, of any dtype and shape; a word for what is no array.
        unsupported: a dtype without a value in Burn, where one is known already.
    """
    values = [value for pair in data_sets.values() for side in pair for value in side]
    unsupported = unsupported or without_burn_value(values)
    if unsupported is None:
        arrays: dict[str, Array] = {}
        for place, (given, expected) in enumerate(data_sets.values()):
            arrays |= {**placed(place, "in", given), **placed(place, "out", expected)}
        path.with_suffix(".safetensors").write_bytes(encode_named(arrays))
    return {
        "digest": sha256_of(path),
        "op_types": facts.op_types,
        "opset": facts.opset,
        "inputs": [asdict(spec) for spec in facts.inputs],
        "outputs": [asdict(spec) for spec in facts.outputs],
        "random": facts.random,
        "data_sets": list(data_sets),
        "unsupported": unsupported,
    }


def without_burn_value(values: Iterable[Array | str]) -> str | None:
    """Return the first dtype, or word for what is no array, that Burn has no value for; None where it has all."""
    words = (value if isinstance(value, str) else dtype_name(value.dtype) for value in values)
    return next((word for word in words if burn_kind(word) is None), None)
