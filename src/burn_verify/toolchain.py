"""What a target needs compiled: one workspace for the models, and one for the converter where that is another.

Compiles nothing itself: see `workshop`.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from burn_verify.cache import Cache
from burn_verify.cargo import CargoRun
from burn_verify.checkouts import patches_of
from burn_verify.codegen import PROFILE
from burn_verify.progress import Listener
from burn_verify.recipe import recipes
from burn_verify.types import Target
from burn_verify.workshop import Workshop


class Toolchain:
    """Burn and burn-onnx of a target.

    Arguments:
        listen: told of every step.
        backends: those of other targets with the same `Target.build_key`, which the one binary shall serve as well.

    Raises:
        UsageError: the version has not these backends, or a checkout does not fit it.
    """

    def __init__(self, cache: Cache, listen: Listener, target: Target, backends: Collection[str] = ()) -> None:
        self.target = target
        running, converting = recipes(target, backends, patches_of(target))
        self._running = Workshop(cache, listen, running)
        self._converting = self._running if converting == running else Workshop(cache, listen, converting)
        self.folder, self.lock, self.workspace = self._running.folder, self._running.lock, self._running.workspace

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that are compiled in."""
        return self._running.recipe.backends

    @property
    def fingerprint(self) -> str:
        """Whatever decides what the runner does."""
        return self._running.fingerprint

    @property
    def converter_fingerprint(self) -> str:
        """Whatever decides what the converter makes of a model, version of burn-onnx included."""
        return self._converting.converter_fingerprint

    @property
    def ready(self) -> Mapping[str, Any] | None:
        """The note left by the build of the models' workspace, None where something is not built yet."""
        return self._running.ready if self._converting.ready else None

    def converter(self) -> Path:
        """Return the compiled converter; build it, and what models are compiled with, if this was never done.

        Raises:
            ToolchainError: cargo is missing, too old, or failed.
        """
        self._running.tool("converter")
        return self._converting.tool("converter")

    def probe(self) -> Path:
        """Return a runner without models, which says which backends start here: `burn_verify.runner.Runner.start`.

        Raises:
            ToolchainError: cargo is missing, too old, or failed.
        """
        return self._running.tool("probe")

    def write(self, generated: Mapping[str, str], crates: Sequence[str]) -> None:
        """Write the models' workspace, see `Workshop.write`."""
        self._running.write(generated, crates)

    def cargo(
        self,
        package: str,
        labels: Mapping[str, str],
        *,
        profile: str = PROFILE,
        env: Mapping[str, str] | None = None,
    ) -> CargoRun:
        """Build a generated package, see `Workshop.cargo`."""
        return self._running.cargo(package, labels, profile=profile, env=env)

    def dependencies(self) -> None:
        """Build what a runner in the profile `LATENCY` needs, see `Workshop.dependencies`."""
        self._running.dependencies()

    def waiting(self, text: str) -> None:
        """Tell that another run holds the lock."""
        self._running.waiting(text)
