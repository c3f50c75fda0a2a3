"""What a model is run on: versions, backend, options of the conversion. Data only."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burn_verify.core.case import Case
from burn_verify.core.versions import BACKENDS, DEFAULT, known
from burn_verify.core.ways import BURNPACK, FILE, FULL

_UNKNOWN: Final = "of unknown version"

PROCESS: Final = "process"
"""The way to a compiled model without a way: a pipe to its process."""
HTTP_JSON: Final = "http-json"
HTTP_BINARY: Final = "http-binary"
WASM: Final = "wasm"
WASM_NODE: Final = "wasm-node"
WASMS: Final = (WASM, WASM_NODE)
"""The ways as WebAssembly, in wasmtime and in node."""
VIAS: Final = (PROCESS, HTTP_JSON, HTTP_BINARY, *WASMS)
"""The ways by which a run can ask a compiled model, the default first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Sources of Burn or of burn-onnx on this machine that are used instead of the registry's.

    Attributes:
        path: the folder with ``Cargo.toml``; of a workspace or of one crate.
        commit: hex; empty where the folder is in no git repository.
        dirty: whether the sources differ from that commit.
        digest: sha256 (hex) over the sources that are compiled.
        version: of its crates; empty where it is not known, as in a record.
    """

    path: Path
    commit: str = ""
    dirty: bool = False
    digest: str = ""
    version: str = ""

    @property
    def label(self) -> str:
        """The short commit, and the digest where the sources differ from it: ``1a2b3c4``, ``1a2b3c4~9f8e7d6``."""
        sources = f"~{self.digest[:7]}" if self.dirty or not self.commit else ""
        return self.commit[:7] + sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a model is run on: a result belongs to a case and a target.

    Attributes:
        burn, burn_onnx: versions, as in `burn_verify.core.versions`.
        backend: Burn's: ``flex``, ``ndarray``, ``wgpu`` or ``cuda``.
        simplify, partition: options of burn-onnx.
        prepared: whether models that fail are rewritten, see docs/prepare.md.
        burn_checkout, burn_onnx_checkout: sources that replace the registry's, of these versions.
        hooks: a crate with operators for burn-onnx, see docs/hooks.md.
        via: how the compiled model is asked: one of `VIAS`, or where a program of its own answered.
        load: how the program gets its weights: one of `LOADS`.
        weights: how they are stored: one of `WEIGHTS`.
        record: the kind of their file: one of `RECORDS`.
    """

    burn: str = DEFAULT.burn
    burn_onnx: str = DEFAULT.burn_onnx
    backend: str = BACKENDS[0]
    simplify: bool = True
    partition: bool = True
    prepared: bool = False
    burn_checkout: Checkout | None = None
    burn_onnx_checkout: Checkout | None = None
    hooks: Checkout | None = None
    via: str = PROCESS
    load: str = FILE
    weights: str = FULL
    record: str = BURNPACK

    @property
    def version(self) -> str:
        """Burn's version, and checkouts as build metadata: ``0.22.1``, ``0.22.1+burn-onnx@1a2b3c4``.

        A checkout of burn-onnx names its version where Burn is not the one that goes with it.
        """
        other = "" if self.burn_onnx == known(self.burn).burn_onnx else f"-{self.burn_onnx}"
        checkouts = {"burn": self.burn_checkout, f"burn-onnx{other}": self.burn_onnx_checkout, "hooks": self.hooks}
        marks = [f"{name}@{checkout.label}" for name, checkout in checkouts.items() if checkout]
        return "+".join([self.burn or _UNKNOWN, *marks])

    @property
    def name(self) -> str:
        """A column's heading: version, backend, and the options that are not the default: ``0.22.1 flex``."""
        options = {"no-simplify": self.simplify, "no-partition": self.partition, "prepared": not self.prepared}
        halves = [] if self.weights == FULL else [f"{self.weights} weights"]
        kept = [] if self.record == BURNPACK else [self.record]
        loaded = [] if self.load == FILE else [self.load]
        other = [*kept, *loaded, *halves, *([] if self.via == PROCESS else [self.via])]
        words = [self.version, self.backend, *(name for name, on in options.items() if not on), *other]
        return " ".join(filter(None, words))

    @property
    def label(self) -> str:
        """The target as part of a sentence: ``Burn 0.22.1 on flex``."""
        words = f"Burn {self.version}" + (f" on {self.backend}" if self.backend else "")
        options = {", not simplified": self.simplify, ", not partitioned": self.partition}
        options[", prepared"] = not self.prepared
        other = "" if self.record == BURNPACK else f", {self.record} record"
        other += "" if self.load == FILE else f", weights as {self.load}"
        other += "" if self.weights == FULL else f", {self.weights} weights"
        other += "" if self.via == PROCESS else f", via {self.via}"
        return words + "".join(name for name, on in options.items() if not on) + other

    @property
    def slug(self) -> str:
        """A name for a folder: ``burn-0.22.1-flex``."""
        return "-".join(["burn", *filter(None, re.split(r"[^0-9A-Za-z._]+", self.name))])

    @property
    def build_key(self) -> tuple[str, str, str, str, str]:
        """Equal for targets that share Burn, models and one binary.

        Models that are converted with other options are further modules of that binary.
        """
        sources = (self.burn_checkout, self.burn_onnx_checkout, self.hooks)
        digests = [checkout.digest if checkout else "" for checkout in sources]
        return (self.burn, self.burn_onnx, *digests)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A case on a target; it has one result."""

    case: Case
    target: Target
