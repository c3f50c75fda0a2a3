"""The table of supported versions of Burn, and its rows by name.

Holds data only. The Rust of each version is in ``rust/compat``; docs/adding-a-burn-version.md says how a row is added.
"""

from dataclasses import dataclass
from typing import Final

from burn_verify.core.errors import UsageError
from burn_verify.core.ways import BURNPACK, RECORDS

BACKENDS: Final = ("flex", "ndarray", "wgpu", "cuda")
"""Every backend that at least one version has, the default first."""

BURN_ONNX: Final = "burn-onnx"

DEPRECATED: Final = frozenset({"ndarray"})
"""Backends that Burn itself no longer recommends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnVersion:
    """A release of Burn and what is pinned with it.

    Attributes:
        burn, burn_onnx, onnx_ir: versions on crates.io.
        min_rustc: the oldest rustc that compiles it.
        backends: those that can be asked for, the default first.
        ways: whether a burnpack can be loaded otherwise than from a file, and stored as halves, and models be compiled
            to WebAssembly; records have ways of their own, see `targets.refusal`.
        importer: the crate that converts: burn-onnx, or its predecessor burn-import, which has no options `simplify`
            and `partition`; `burn_onnx` is its version then.
        records: how a file of weights is written, see `ways.RECORDS`; the default first.
    """

    burn: str
    burn_onnx: str
    onnx_ir: str
    min_rustc: tuple[int, int]
    backends: tuple[str, ...]
    ways: bool = True
    importer: str = BURN_ONNX
    records: tuple[str, ...] = (BURNPACK,)

    @property
    def is_release(self) -> bool:
        """Whether it is no preview."""
        return "-" not in self.burn


VERSIONS: Final = (
    # The converter is burn-import, weights are records, and there is no flex.
    BurnVersion(
        burn="0.19.1",
        burn_onnx="0.19.1",
        onnx_ir="0.19.1",
        min_rustc=(1, 85),
        backends=("ndarray",),
        ways=False,
        importer="burn-import",
        records=tuple(record for record in RECORDS if record != BURNPACK),
    ),
    # The converter is burn-import for the last time, and it writes burnpacks.
    BurnVersion(
        burn="0.20.1",
        burn_onnx="0.20.1",
        onnx_ir="0.20.1",
        min_rustc=(1, 89),
        backends=("ndarray",),
        ways=False,
        importer="burn-import",
    ),
    # The backend is a type: Tensor<B, D, K>, Model<B>.
    BurnVersion(
        burn="0.21.0",
        burn_onnx="0.21.0",
        onnx_ir="0.21.0",
        min_rustc=(1, 95),
        backends=("flex",),
        ways=False,
    ),
    # From here on the backend is chosen at run time.
    BurnVersion(
        burn="0.22.1",
        burn_onnx="0.22.0",
        onnx_ir="0.22.0",
        min_rustc=(1, 95),
        backends=BACKENDS,
    ),
    BurnVersion(
        burn="0.23.0-pre.1",
        burn_onnx="0.23.0-pre.1",
        onnx_ir="0.23.0-pre.1",
        min_rustc=(1, 95),
        backends=("flex", "wgpu", "cuda"),
    ),
)
"""From the oldest to the newest."""

DEFAULT: Final = next(version for version in VERSIONS if version.burn == "0.22.1")
LATEST: Final = [version for version in VERSIONS if version.is_release][-1]
"""The newest release; a preview has to be named."""


def resolve(text: str) -> BurnVersion:
    """Return the version of a number, or of ``latest``.

    Raises:
        UsageError: it is not supported.
    """
    if text == "latest":
        return LATEST
    for version in VERSIONS:
        if version.burn == text:
            return version
    known = ", ".join(version.burn for version in VERSIONS)
    message = f"Burn {text!r} is not supported; one of {known} is, and latest is {LATEST.burn}"
    raise UsageError(message)


def known(text: str) -> BurnVersion:
    """Return the version of a number, and the default one for any other text, such as that of an old record."""
    return next((version for version in VERSIONS if version.burn == text), DEFAULT)


def version_of_onnx(burn_onnx: str) -> BurnVersion:
    """Return the version of Burn that a burn-onnx was released with.

    Raises:
        UsageError: it is not supported.
    """
    for version in VERSIONS:
        if version.burn_onnx == burn_onnx:
            return version
    known = ", ".join(version.burn_onnx for version in VERSIONS)
    message = f"burn-onnx {burn_onnx!r} is not supported; one of {known} is"
    raise UsageError(message)


def built_with(burn_onnx: str) -> BurnVersion:
    """Return the version of Burn that sources of burn-onnx are built with, since a branch may raise their version.

    That is the one that this burn-onnx was released with, or else the newest of those with the same first two numbers.

    Raises:
        UsageError: there is none.
    """
    series = [version for version in VERSIONS if version.importer == BURN_ONNX]
    alike = [version for version in series if _two_numbers(version.burn_onnx) == _two_numbers(burn_onnx)]
    if found := [version for version in series if version.burn_onnx == burn_onnx] or alike:
        return found[-1]
    known = ", ".join(".".join(_two_numbers(version.burn_onnx)) for version in series)
    message = f"the checkout is burn-onnx {burn_onnx}, and only {known} are supported: choose another revision of it"
    raise UsageError(message)


def _two_numbers(version: str) -> list[str]:
    return version.split(".")[:2]
