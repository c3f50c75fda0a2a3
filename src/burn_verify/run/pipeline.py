"""The order of the stages, which is defined only here.

Every case yields exactly one `CaseResult`; an error in one case does not affect the others.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.program import Builders
from burn_verify.cases import load
from burn_verify.cases.own.checked import unknown
from burn_verify.core.case import Case
from burn_verify.core.errors import ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.core.stage import Stage
from burn_verify.core.target import Target
from burn_verify.reference.engine import Engines
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.build import Builds, Made, TargetBuilder, Wanted
from burn_verify.run.references import References
from burn_verify.run.results import Verified
from burn_verify.run.samples import Watch, unwatched
from burn_verify.run.stages import apply, clocked, each, summed
from burn_verify.run.steps import (
    Built,
    Chosen,
    Ended,
    Loaded,
    Plan,
    Ready,
    Referred,
    joined,
)
from burn_verify.run.verify import Verifier
from burn_verify.system.cache import Cache
from burn_verify.system.signals import LOOK, check, held
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from burn_verify.run.examples import Drawn


class Pipeline:
    """Runs the stages on cases.

    Arguments:
        listen: receives the progress events, from more than one thread.
        engine: creates the engine that computes the reference.
        builder: creates the builder that converts and compiles models.
    """

    def __init__(
        self,
        settings: Settings,
        cache: Cache,
        listen: Listener = silent,
        *,
        engine: Engines = OnnxRuntime,
        builder: Builders = CargoBuilder,
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._listen = listen
        self._engine = engine
        self._targets = TargetBuilder(settings, cache, listen, builder)
        self._verifier = Verifier(settings, cache, engine)

    def prepare(
        self,
        cases: Sequence[Case],
        target: Target = Target(),  # noqa: B008  (immutable)
        *,
        doubtful: Collection[str] = (),
    ) -> Plan:
        """Prepare cases for one target; see `prepare_all`.

        Raises:
            ToolchainError: the target could not be built or started, for a reason outside the cases.
        """
        return self.prepare_all({target: cases}, doubtful=doubtful)[target]

    def prepare_all(self, wanted: Wanted, *, doubtful: Collection[str] = ()) -> dict[Target, Plan]:
        """Load all models, then convert and compile them in one batch per build while the reference is computed.

        A model is loaded and its reference computed once for all targets. It is converted once for every burn-onnx and
        its options, and compiled once for every Burn, for all backends.

        Arguments:
            doubtful: ids of cases that most likely do not compile, see `Builder.build`.

        Raises:
            ToolchainError: no target could be built and started, for a reason outside the cases.
        """
        (loaded, ended), loading = clocked("load", lambda: self._load(wanted))
        beside = ThreadPoolExecutor(1, "reference")
        references = self._references(len(loaded))
        try:
            asked = beside.submit(clocked, "reference", lambda: references.of(loaded))
            builds = self._targets.build_all(wanted, loaded, doubtful)
            while not wait([asked], LOOK).done:
                check()
            referred, referring = asked.result()
        finally:
            # Ctrl-C and a toolchain failure must not wait for the reference: its thread ends once the process has. A
            # second Ctrl-C must not leave the thread running, since Python aborts if one writes while it exits.
            with held():
                beside.shutdown(wait=False, cancel_futures=True)
                references.close()
                beside.shutdown()
        return _plans(wanted, ended, builds, referred, summed(loading, builds.phases, referring))

    def build(
        self,
        cases: Sequence[Case],
        target: Target = Target(),  # noqa: B008  (immutable)
    ) -> Made:
        """Load, convert and compile without a reference: the result can be run, but not verified.

        Raises:
            ToolchainError: the target could not be built or started, for a reason outside the cases.
        """
        return self.build_all({target: cases})

    def build_all(self, wanted: Wanted) -> Made:
        """The same for several targets that share a build; every case is of one target.

        Raises:
            ToolchainError: a target could not be built or started, for a reason outside the cases.
        """
        loaded, ended = self._load(wanted)
        builds = self._targets.build_all(wanted, loaded)
        found: dict[str, Built | Ended] = {}
        for target, cases in wanted.items():
            made = builds.made[target]
            if isinstance(made, str):
                raise ToolchainError(made)
            found |= {case.id: ended.get(case.id) or made[case.id] for case in cases}
        return found

    def referred(self, cases: Sequence[Case]) -> dict[str, Referred | Ended]:
        """Load cases and compute their references, without a build; return them by id."""
        loaded, ended = self._load({Target(): cases})
        return {**ended, **self._referred(loaded)}

    def refer(self, steps: Sequence[Built | Ended]) -> list[Ready | Ended]:
        """Compute the reference of built cases, so that they can be verified; those that ended stay as they are."""
        referred = self._referred([step.loaded for step in steps if isinstance(step, Built)])
        return [joined(step, referred[step.case.id]) if isinstance(step, Built) else step for step in steps]

    def verify(
        self,
        step: Ready | Ended,
        *,
        twin: Ready | Ended | None = None,
        shrink: bool = True,
        keep: bool = False,
        listen: Listener = silent,
        watch: Watch = unwatched,
    ) -> Verified:
        """Run one case and compare; see `Verifier.verify`."""
        return self._verifier.verify(step, twin=twin, shrink=shrink, keep=keep, listen=listen, watch=watch)

    def infer(self, step: Built | Ready | Ended, inputs: Sequence[Array]) -> list[Array]:
        """Run a built case on given inputs; see `Verifier.infer`."""
        return self._verifier.infer(step, inputs)

    def judged(self, step: Referred, answers: Mapping[str, Sequence[Array]], target: Target) -> str:
        """Judge answers from elsewhere; see `Verifier.judged`."""
        return self._verifier.judged(step, answers, target)

    def answers(self, step: Ready | Ended) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Run a prepared case on its own inputs; see `Verifier.answers`."""
        return self._verifier.answers(step)

    def draw(self, built: Built, *, shrink: bool) -> "Drawn":
        """Compare a generated graph on drawn values; see `Verifier.draw`."""
        return self._verifier.draw(built, shrink=shrink)

    def close(self) -> None:
        """Terminate every process."""
        self._verifier.close()

    def _load(self, wanted: Wanted) -> tuple[list[Loaded], dict[str, Ended]]:
        """Load every case once; return the loaded cases, and the ends of the others by id."""
        unique = {case.id: Chosen(case=case) for cases in wanted.values() for case in cases}

        def function(chosen: Chosen) -> Loaded:
            return Loaded(case=chosen.case, prepared=load.prepare(chosen.case, self._cache))

        steps = each(self._listen, "load", unique.values(), lambda one: apply(Stage.LOAD, one, function))
        loaded = [step for step in steps if isinstance(step, Loaded)]
        if loaded and (wrong := next(unknown(self._settings.hints, [one.prepared for one in loaded]), "")):
            raise UsageError(wrong)
        return loaded, {step.case.id: step for step in steps if isinstance(step, Ended)}

    def _references(self, count: int) -> References:
        return References(count, self._settings, self._cache, self._engine, self._listen)

    def _referred(self, loaded: Sequence[Loaded]) -> dict[str, Referred | Ended]:
        references = self._references(len(loaded))
        try:
            return references.of(loaded)
        finally:
            references.close()


def _plans(
    wanted: Wanted,
    ended: Mapping[str, Ended],
    builds: Builds,
    referred: Mapping[str, Referred | Ended],
    phases: Mapping[str, float],
) -> dict[Target, Plan]:
    """Return the plan of each target, from the outcomes of its cases."""
    plans = {}
    for target, cases in wanted.items():
        made = builds.made[target]
        if isinstance(made, str):
            plans[target] = Plan(cases={}, phases=phases, failure=made)
            continue
        own = {case.id: ended.get(case.id) or joined(made[case.id], referred[case.id]) for case in cases}
        plans[target] = Plan(cases=own, phases=phases)
    return plans
