"""Preparation of models: what fails is rewritten until it agrees, and every step is proved.

Writes no file that the user sees, and prints nothing.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from burn_verify.core.case import Case
from burn_verify.core.errors import LoadError
from burn_verify.core.options import Settings
from burn_verify.core.prepared import Grade, Prepared, Proof, Status
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Target
from burn_verify.prepare.recipe import Memory, Rewritten, rewritten
from burn_verify.prepare.rewriting import Rewriting
from burn_verify.reference import oracle
from burn_verify.run.models import Model, Models
from burn_verify.run.prepare.proof import Outputs, proofs
from burn_verify.run.prepare.rules import rewritings_for
from burn_verify.run.prepare.search import Attempt, Recipe, searched, strategy
from burn_verify.run.prepare.tools import EngineTools
from burn_verify.run.results import result_of
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Ended, Referred
from burn_verify.system.cache import Cache

_TRIES: Final = 3
"""Searches for one model: after each, the rewritings that were declined are left out."""
_LARGE: Final = 16 << 20
"""Bytes of a model from which on the models between the steps are not kept: a dozen for each of dozens of sets."""


class Preparation:
    """Prepares many models in common batches.

    Arguments:
        models: open for as long as this is used.
        tools: for the rewritings and the proofs.
        rewritings_of: the rewritings that may concern a serialised model.
        thrifty: see `burn_verify.run.prepare.search.strategy`.

    Attributes:
        referred: the cases that were prepared, with their references, by id.
    """

    def __init__(
        self,
        models: Models,
        tools: EngineTools,
        rewritings_of: Callable[[bytes], Sequence[Rewriting]],
        listen: Listener = silent,
        *,
        thrifty: bool = False,
    ) -> None:
        self._models = models
        self._tools = tools
        self._rewritings_of = rewritings_of
        self._listen = listen
        self._thrifty = thrifty
        self._tried: dict[str, int] = {}
        self._memory = Memory()
        self.referred: dict[str, Referred] = {}

    def prepare(self, cases: Sequence[Case]) -> dict[str, Prepared]:
        """Return what became of each case, by id.

        Raises:
            ToolchainError: nothing could be built, for a reason outside the models.
        """
        referred = self._models.referred(cases)
        read = {name: _whole(step) for name, step in referred.items() if isinstance(step, Referred)}
        referred |= {name: one for name, one in read.items() if isinstance(one, Ended)}
        known = {name: step for name, step in referred.items() if isinstance(step, Referred)}
        self.referred |= known
        sources = {name: one for name, one in read.items() if isinstance(one, bytes)}
        before = self._as_is(known, sources)
        done = {name: _unknown(step) for name, step in referred.items() if isinstance(step, Ended)}
        done |= {
            name: Prepared(case_id=name, status=Status.AGREED, before=result)
            for name, result in before.items()
            if result.outcome is Outcome.PASSED
        }
        open_ones = {name: known[name] for name in known if name not in done}
        banned: dict[str, tuple[Proof, ...]] = {}
        for _ in range(_TRIES):
            found = self._search(open_ones, sources, banned)
            for name, attempt in found.items():
                made = self._concluded(open_ones[name], before[name], attempt, sources[name], banned.get(name, ()))
                fresh = [one for one in made.declined if one not in banned.get(name, ())]
                if not fresh:
                    done[name] = made
                banned[name] = made.declined
            open_ones = {name: step for name, step in open_ones.items() if name not in done}
            if not open_ones:
                break
        for name in open_ones:
            done[name] = Prepared(
                case_id=name, status=Status.STAYS, before=before[name], declined=banned[name], tried=self._tried[name]
            )
        return {case.id: done[case.id] for case in cases}

    def _as_is(self, known: Mapping[str, Referred], sources: Mapping[str, bytes]) -> dict[str, CaseResult]:
        built = self._models.build(Model(name=name, model=sources[name]) for name in known)
        return {name: self._models.answer(built[name], step).result for name, step in known.items()}

    def _search(
        self, known: Mapping[str, Referred], sources: Mapping[str, bytes], banned: Mapping[str, Sequence[Proof]]
    ) -> dict[str, Attempt | None]:
        strategies = {}
        for name in known:
            left_out = {proof.name for proof in banned.get(name, ())}
            kept = [one for one in self._rewritings_of(sources[name]) if one.name not in left_out]
            strategies[name] = strategy(kept, thrifty=self._thrifty)
        return searched(strategies, lambda asked: self._attempts(asked, known, sources))

    def _attempts(
        self, asked: Sequence[tuple[str, Recipe]], known: Mapping[str, Referred], sources: Mapping[str, bytes]
    ) -> list[Attempt]:
        """Rewrite, build in one batch, run and compare."""
        made = []
        for place, (name, recipe) in enumerate(asked):
            self._listen(Progress(phase="rewrite", done=place, total=len(asked), text=name))
            one = rewritten(sources[name], recipe, self._tools, memory=self._memory)
            made.append(one.light() if len(sources[name]) > _LARGE else one)
        results = self._results(list(zip((name for name, _ in asked), made, strict=True)), known)
        return [
            Attempt(recipe=recipe, rewritten=one, result=results.get(_key(name, one)))
            for (name, recipe), one in zip(asked, made, strict=True)
        ]

    def _results(
        self, made: Sequence[tuple[str, Rewritten]], known: Mapping[str, Referred]
    ) -> dict[tuple[str, str], CaseResult]:
        """Return how each rewritten model ends; equal ones are built once."""
        changed = {_key(name, one): (name, one) for name, one in made if one.steps or one.options}
        wanted = {f"{name}+{place}": key for place, (key, (name, _)) in enumerate(changed.items())}
        candidates = [
            Model(name=label, model=changed[key][1].model, options=changed[key][1].options)
            for label, key in wanted.items()
        ]
        built = self._models.build(candidates)
        results = {}
        for place, (label, key) in enumerate(wanted.items()):
            name = key[0]
            self._listen(Progress(phase="verify", done=place, total=len(wanted), text=name))
            results[key] = self._models.answer(built[label], known[name]).result
            self._tried[name] = self._tried.get(name, 0) + 1
        # Thousands of models would fill the disk.
        self._models.forget()
        return results

    def _concluded(
        self, step: Referred, before: CaseResult, attempt: Attempt | None, source: bytes, declined: tuple[Proof, ...]
    ) -> Prepared:
        name = step.case.id
        tried = self._tried.get(name, 0)
        if attempt is None or not attempt.agrees:
            return Prepared(
                case_id=name,
                status=Status.STAYS,
                before=before,
                after=None if attempt is None else attempt.result,
                declined=declined,
                broken={} if attempt is None else attempt.rewritten.broken,
                tried=tried,
            )
        made = self._proved(step, self._with_steps(attempt, source))
        against = tuple(proof for proof in made if proof.grade is Grade.DECLINED)
        return Prepared(
            case_id=name,
            status=Status.STAYS if against else Status.LIFTED,
            before=before,
            after=attempt.result,
            model=None if against else attempt.rewritten.model,
            options=attempt.rewritten.options,
            proofs=() if against else tuple(made),
            declined=(*declined, *against),
            tried=tried,
        )

    def _with_steps(self, attempt: Attempt, source: bytes) -> Rewritten:
        """Return what was made of a model with the models between the steps: those of large ones are made again."""
        if len(source) <= _LARGE:
            return attempt.rewritten
        return rewritten(source, attempt.recipe, self._tools, memory=self._memory)

    def _proved(self, step: Referred, made: Rewritten) -> list[Proof]:
        data = oracle.read(step.reference).data_sets
        stored = any(step.prepared.is_stored(name) for name in data)

        def judged(answers: Outputs) -> str:
            return self._models.judged(step, answers)

        return proofs(made.steps, data, stored, self._tools, judged)


def _key(name: str, made: Rewritten) -> tuple[str, str]:
    return name, f"{sorted(made.options.items())}{hash(made.model)}"


def _unknown(step: Ended) -> Prepared:
    return Prepared(case_id=step.case.id, status=Status.UNKNOWN, before=result_of(step))


def _whole(step: Referred) -> bytes | Ended:
    """Return a model as one file, its external data inside; the end of its case where it is too large for one."""
    import onnx
    from google.protobuf.message import EncodeError

    try:
        return onnx.load(step.prepared.model).SerializeToString()
    except (ValueError, EncodeError) as error:
        message = f"{step.prepared.model.name} is too large to be rewritten: {error}"
        return step.ended(LoadError(message, "too large to be rewritten"))


@contextmanager
def preparation(
    settings: Settings,
    target: Target = Target(),  # noqa: B008  (immutable)
    *,
    cache: Cache,
    listen: Listener = silent,
    seams: Seams = Seams(),  # noqa: B008  (immutable)
    thrifty: bool = False,
    rewritings: Callable[[bytes, Target], Sequence[Rewriting]] = rewritings_for,
) -> Iterator[Preparation]:
    """Open what a preparation needs: a pipeline for models in memory, and an engine for rewritings and proofs.

    Arguments:
        rewritings: those that are tried on a serialised model for a target.
    """
    engine = seams.engine(cache, settings.timeout, memory_limit=settings.memory_limit)
    with (
        tempfile.TemporaryDirectory(prefix="burn-verify-") as folder,
        closing(engine),
        Models(settings, target, cache=cache, listen=listen, seams=seams) as models,
    ):
        tools = EngineTools(engine, Path(folder))
        yield Preparation(models, tools, lambda model: rewritings(model, target), listen, thrifty=thrifty)
