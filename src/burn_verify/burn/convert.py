"""Run the converter process: an ``.onnx`` file in, Rust code and weights out, or the error message of burn-onnx.

Compiles nothing and parses no Rust.
"""

import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from burn_verify.burn.hooks import handed_over
from burn_verify.burn.reasons import location, refusal
from burn_verify.burn.runner import rust_environment
from burn_verify.core.errors import ConvertError, ProcessDied
from burn_verify.core.option_values import Sandbox
from burn_verify.core.result import RefusalKind
from burn_verify.core.stage import ConvertedModel, FailureKind, PreparedCase
from burn_verify.core.ways import BURNPACK
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
from burn_verify.system.kept import seal, sealed
from burn_verify.system.resident import Resident
from burn_verify.system.sandbox import prefix
from burn_verify.system.storage import storage_fault_in

_RUST: Final = "model.rs"
_REFUSED: Final = "refused.json"
_MODEL: Final = "{model}"
"""Stands for the model's file name in a kept refusal: another file of the same content has another name."""
_OF_THE_SYSTEM: Final = re.compile(r"\(os error \d+\)")
"""The form of an error of the operating system in Rust: it says nothing of the model."""


class Converter:
    """Sends requests to a resident converter and caches its results by content.

    A refusal is cached too, where burn-onnx gave it about the model: the same program refuses the same model again.
    Where the converter died, hung or met an error of the operating system it is asked again on every run.

    Arguments:
        binary: the compiled converter.
        fingerprint: what else determines the result: versions of burn-onnx and of the converter.
        embeds: whether the code is to embed the weights; burn-onnx needs a binary of its own for that.
        record: the kind of the file of weights; any but burnpack is for burn-import.
        halves: whether burn-import stores half weights.
        handed: operators whose nodes are handed to hooks.
        sandbox: whether it is confined to its folder of the cache.
        timeout: seconds one conversion may take.
        memory_limit: MiB, 0 for none.
    """

    def __init__(
        self,
        cache: Cache,
        binary: Path,
        fingerprint: str,
        *,
        simplify: bool,
        partition: bool,
        handed: tuple[str, ...] = (),
        timeout: float,
        memory_limit: int,
        embeds: bool = False,
        record: str = BURNPACK,
        halves: bool = False,
        sandbox: Sandbox = Sandbox.OFF,
    ) -> None:
        self._cache = cache
        self._fingerprint = fingerprint
        self._handed = handed
        self._rooms = cache.folder("converted")
        # Rust that embeds weights names the folder that they are in.
        place = {"embedded": str(self._rooms)} if embeds else {}
        self._options: dict[str, bool | str] = {"simplify": simplify, "partition": partition, **place}
        if record != BURNPACK:
            self._options = {"record": record, "embed": embeds, "half": halves, **place}
        self._made = (_RUST, f"model.{record}")
        self._timeout = timeout
        self._log = cache.folder("logs") / f"converter-{os.getpid()}.log"
        self._process = Resident(
            [*prefix(sandbox, [self._rooms]), str(binary)],
            role="converter",
            log=self._log,
            memory_limit_mib=memory_limit,
            env=rust_environment(),
        )

    def convert(self, prepared: PreparedCase) -> ConvertedModel:
        """Convert one model.

        Raises:
            ConvertError: burn-onnx refused the model, panicked, died or hung; the message is that of burn-onnx.
            ToolchainError: the disk is full or read-only.
        """
        key = key_of(prepared, self._fingerprint, self._options)
        folder = self._rooms / key
        if sealed(folder / "done.json"):
            # No lock is needed: a finished conversion does not change, and a thousand locks take noticeable time.
            return self._converted(prepared, folder, key, 0.0)
        if said := sealed(folder / _REFUSED):
            raise _refusal(prepared, said)
        with self._cache.lock(f"convert-{key[:3]}"):
            if sealed(folder / "done.json"):
                return self._converted(prepared, folder, key, 0.0)
            started = time.monotonic()
            self._ask(prepared, folder)
            seconds = time.monotonic() - started
            made = [folder / name for name in self._made]
            seal(folder / "done.json", made, model=prepared.case.id, seconds=seconds)
            return self._converted(prepared, folder, key, seconds)

    def close(self) -> None:
        """Terminate the converter."""
        self._process.close()

    def _ask(self, prepared: PreparedCase, folder: Path) -> None:
        if not _is_text(prepared.model):
            message = f"{str(prepared.model)!a} is no UTF-8: the converter takes no such file name"
            raise ConvertError(message, "file name is no UTF-8")
        shutil.rmtree(folder, ignore_errors=True)
        # Another run that waits for the lock may have created the folder again.
        folder.mkdir(parents=True, exist_ok=True)
        model = self._given(prepared, folder)
        header = {"model": str(model), "out_dir": str(folder), **self._options}
        try:
            answer, _ = self._process.request(header, timeout=self._timeout)
        except ProcessDied as death:
            message = f"the converter did not survive this model: {death.message}"
            how = death.kind.how
            log = location(death.log, prepared.model.parent, folder.parent)
            died = {"how": how, "kind": RefusalKind.DIED.value, "log": log}
            raise ConvertError(message, f"converter: {how}", died, death.kind) from death
        if not answer["ok"]:
            if (fault := storage_fault_in(answer["message"])) is not None:
                raise fault
            # The record is read on other machines: the file name identifies the model, the folder is specific to this
            # machine.
            said = {
                "message": answer["message"].replace(str(model), _MODEL),
                "location": location(answer.get("location") or ""),
            }
            if not _OF_THE_SYSTEM.search(answer["message"]):
                seal(folder / _REFUSED, [], **said)
            raise _refusal(prepared, said)
        if missing := next((name for name in self._made if not (folder / name).is_file()), None):
            message = f"the converter says that it succeeded, but there is no {missing}"
            kind = FailureKind.PROTOCOL
            raise ConvertError(message, f"converter: {kind.how}", {"how": kind.how}, kind)

    def _converted(self, prepared: PreparedCase, folder: Path, key: str, seconds: float) -> ConvertedModel:
        rust, weights = self._made
        return ConvertedModel(
            label=prepared.case.id,
            module=f"m_{key}",
            rust=folder / rust,
            weights=folder / weights,
            seconds=seconds,
            inputs=len(prepared.inputs),
            outputs=len(prepared.outputs),
        )

    def _given(self, prepared: PreparedCase, folder: Path) -> Path:
        """Return the model as the converter reads it."""
        if not self._handed:
            return prepared.model
        from google.protobuf.message import DecodeError

        try:
            return handed_over(prepared.model, self._handed, folder / "handed")
        except (OSError, ValueError, DecodeError) as error:
            message = f"no node of {prepared.model.name} could be handed to hooks: {error}"
            raise ConvertError(message, "not handed to hooks") from error


def _refusal(prepared: PreparedCase, said: Mapping[str, Any]) -> ConvertError:
    """Return the error of a refusal, from what the converter said."""
    message = said["message"].replace(_MODEL, prepared.model.name)
    where = said["location"] or None
    read = refusal(message, where)
    # burn-onnx panics on every model that it refuses.
    details = {"how": FailureKind.PANIC.how, "kind": read.kind.value, "location": where, **read.named}
    return ConvertError(message, read.reason, details)


def key_of(prepared: PreparedCase, fingerprint: str, options: Mapping[str, bool | str]) -> str:
    """Return the cache key of a conversion: the content of the request and the identity of the converter.

    Arguments:
        fingerprint: see `Converter`.
        options: options of the converter, by name.
    """
    return digest_of(prepared.digest, fingerprint, repr(sorted(options.items())))[:24]


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
