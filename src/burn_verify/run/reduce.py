"""Make a model small that fails as another does: first fewer nodes, then fewer of everything else, in batches.

`graph.pieces`, `graph.cut` and `graph.shrink` say what is tried, `run.signature` what is the same failure. Nothing is
claimed that was not run: the result is verified once more, alone.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from burn_verify.cases import load
from burn_verify.core.case import Case
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.reduced import Reduced, Reduction
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph import control
from burn_verify.graph.cut import cut, neutral
from burn_verify.graph.shrink import Change, Draft, changes, elements, op_types, together, typed
from burn_verify.judge.metrics import is_float
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.oracle import Oracle, read
from burn_verify.run.models import Model
from burn_verify.run.parts import Part, as_it_is, parts_of, unfed
from burn_verify.run.search import Batch, Search
from burn_verify.run.signature import fails_alike
from burn_verify.run.values import Values
from burn_verify.run.waves import ANSWERED, Wanted, every_piece, in_turn, models_of, waves
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto

_WHOLE: Final = "the whole model"
_ALONE: Final = "the reduced model"
_ROUNDS: Final = 6
_CANDIDATES: Final = 40
_CHUNKS: Final = 4
_STEPS: Final = 6


def reduce(case: Case, search: Search) -> tuple[Reduced, Draft | None]:
    """Return a model that fails as a case does, and what it has in common with it; None where there is none.

    Raises:
        LoadError: the model cannot be read.
        ToolchainError: nothing could be built.
    """
    import onnx

    prepared = load.prepare(case, search.cache)
    model = control.named(onnx.load(prepared.model))
    settings = search.settings
    engine = search.seams.engine(search.cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        try:
            known = read(Oracle(search.cache, engine, settings.memory_limit).answer(prepared)).data_sets
            sets = {name: data.inputs for name, data in known.items()}
            name, _ = search.failing(model, sets)
            inputs: Sequence[Array] | None = sets[name]
        except (OracleError, RunError):
            inputs = None
        with Values(engine) as values:
            return _Attempt(case, search, engine, model, inputs).reduced(values)
    finally:
        engine.close()


@dataclass
class _Attempt:
    """The reduction of a model with one set of inputs; it counts what it took."""

    case: Case
    search: Search
    engine: Engine
    model: "ModelProto"
    inputs: Sequence[Array] | None
    whole: CaseResult | None = None
    finite: bool = False
    batches: int = 0
    changes: list[str] = field(default_factory=list)

    def reduced(self, values: Values) -> tuple[Reduced, Draft | None]:
        """Return the smallest model found that fails as the whole does."""
        started = time.monotonic()
        parts = unfed(self.model) if self.inputs is None else parts_of(self.model, self.inputs, values)
        self.finite = self.inputs is not None and all(map(_is_finite, _answers(parts[0])))
        draft = self._of_pieces(parts)
        whole = self._known
        if whole.outcome is not Outcome.FAILED or whole.stage in (Stage.LOAD, Stage.REFERENCE):
            failed = whole.outcome is Outcome.FAILED
            reduction = Reduction.UNKNOWN if failed else Reduction.NOTHING_WRONG
            return self._said(reduction, whole, None, started), None
        draft = draft or self._of_chunks(parts[0], values) or Draft(model=self.model, inputs=tuple(self.inputs or ()))
        if self.inputs is not None:
            draft = self._smaller(draft)
        result = self._run([Model(name=_ALONE, model=draft.model, inputs=draft.inputs or None)])[_ALONE]
        alike = fails_alike(whole, result)
        reduction = Reduction.REDUCED if alike else Reduction.UNREPEATED
        return self._said(reduction, result, draft, started), draft if alike else None

    @property
    def _known(self) -> CaseResult:
        assert self.whole is not None
        return self.whole

    def _of_pieces(self, parts: Sequence[Part]) -> Draft | None:
        """Return the smallest piece that fails as the whole does; finds out how that fails."""
        for wave in waves(every_piece(parts, None)):
            wholes = [Model(name=_WHOLE, model=self.model, inputs=self.inputs)] if self.whole is None else []
            self.batches += 1
            with self.search.batch([*wholes, *models_of(wave)]) as batch:
                self.whole = self.whole or _result(batch, [_WHOLE])[_WHOLE]
                if self.whole.outcome is not Outcome.FAILED:
                    return None
                for some in in_turn(wave, self.whole):
                    results = _result(batch, [name for name, _, _ in some], self.whole)
                    alike = [one for one in some if fails_alike(self.whole, results[one[0]])]
                    if alike:
                        return min(map(_draft_of, alike), key=lambda draft: draft.size)
            if self.search.is_over:
                break
        if self.whole is None:
            self.whole = self._run([Model(name=_WHOLE, model=self.model, inputs=self.inputs)])[_WHOLE]
        return None

    def _of_chunks(self, part: Part, values: Values) -> Draft | None:
        """Return a part of the model that fails as the whole does and of which no chunk can be left out."""
        everything = _some(part, sorted(part.used))
        if self.inputs is not None and not self._alike({"": everything} if everything else {}):
            part = as_it_is(self.model, self.inputs, values)
        nodes, count = sorted(part.used), 2 * _CHUNKS
        best: Draft | None = None
        while len(nodes) > 1 and not self.search.is_over:
            size = max(1, -(-len(nodes) // count))
            chunks = [nodes[start : start + size] for start in range(0, len(nodes), size)]
            rests = [[node for node in nodes if node not in set(chunk)] for chunk in chunks]
            drafts = {str(place): _some(part, some) for place, some in enumerate([*chunks, *rests]) if some}
            alike = self._alike({name: draft for name, draft in drafts.items() if draft is not None})
            if alike:
                chosen = min(alike, key=lambda name: len([*chunks, *rests][int(name)]))
                nodes, best = [*chunks, *rests][int(chosen)], alike[chosen]
                count = 2 * _CHUNKS
            elif size == 1:
                break
            else:
                count *= _CHUNKS
        return best

    def _smaller(self, draft: Draft) -> Draft:
        """Return a draft in which no single change can be made any more, or not in time."""
        for _ in range(_ROUNDS):
            if self.search.is_over:
                break
            tried = {f"{one.target} {one.how}": one for one in changes(draft)}
            made = {
                name: small for name, one in tried.items() if (small := one.apply(draft)) and small.size < draft.size
            }
            alike = self._alike(dict(list(made.items())[:_CANDIDATES]))
            good: dict[str, str] = {}
            for name in sorted(alike, key=lambda name: alike[name].size):
                good.setdefault(tried[name].target, name)
            if not good:
                break
            draft = self._together(draft, {name: tried[name].apply for name in good.values()}, alike)
        return draft

    def _together(self, draft: Draft, good: Mapping[str, Change], alike: Mapping[str, Draft]) -> Draft:
        """Return a draft after as many of some changes as keep the failure together."""
        names = list(good)
        step = max(1, len(names) // _STEPS)
        counts = sorted({*range(2, len(names) + 1, step), len(names)} - {1})
        drafts = {str(count): together(draft, [good[name] for name in names[:count]]) for count in counts}
        both = self._alike(drafts)
        count = max(map(int, both), default=1)
        self.changes += names[:count]
        return both[str(count)] if both else alike[names[0]]

    def _alike(self, drafts: Mapping[str, Draft]) -> dict[str, Draft]:
        """Return the drafts that ONNX Runtime runs and that fail as the whole does."""
        known = {name: found for name, draft in drafts.items() if (found := self._runnable(draft)) is not None}
        if not known:
            return {}
        models = [Model(name=name, model=draft.model, inputs=draft.inputs or None) for name, draft in known.items()]
        results = self._run(models)
        return {name: draft for name, draft in known.items() if fails_alike(self._known, results[name])}

    def _runnable(self, draft: Draft) -> Draft | None:
        """Return a draft with the types of its values; None where the engine refuses it."""
        if self.inputs is None:
            return draft
        with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
            path = Path(folder) / "draft.onnx"
            try:
                path.write_bytes(draft.model.SerializeToString())
                answers = infer(self.engine, path, draft.inputs)
            except OracleError:
                return None
        # A window with nothing in it, or a division by zero, would be another failure.
        return typed(draft, answers) if not self.finite or all(map(_is_finite, answers)) else None

    def _run(self, wanted: Sequence[Model]) -> dict[str, CaseResult]:
        self.batches += 1
        with self.search.batch(wanted) as batch:
            return _result(batch, [one.name for one in wanted], self.whole)

    def _said(self, reduction: Reduction, result: CaseResult, draft: Draft | None, started: float) -> Reduced:
        before = Draft(model=self.model, inputs=tuple(self.inputs or ()))
        after = draft or before
        return Reduced(
            model=self.case.id,
            target=self.search.target.label,
            reduction=reduction,
            stage=result.stage if result.outcome is Outcome.FAILED else None,
            reason=result.reason,
            message=result.message,
            guilty=str(result.details.get("guilty") or ""),
            op_types=op_types(after),
            nodes=(len(op_types(before)), len(op_types(after))),
            elements=(elements(before), elements(after)),
            changes=tuple(self.changes),
            batches=self.batches,
            seconds=time.monotonic() - started,
        )


def _result(batch: Batch, names: Sequence[str], whole: CaseResult | None = None) -> dict[str, CaseResult]:
    """Return results; what burn-onnx and rustc refuse as a whole is not run in parts."""
    built = batch.built(names)
    refused = whole is not None and whole.stage not in ANSWERED
    asked = [name for name in names if built[name].result.outcome is not Outcome.FAILED and not refused]
    return {name: one.result for name, one in {**built, **batch.judged(asked)}.items()}


def _answers(part: Part) -> list[Array]:
    return part.arrays([name for name in part.graph.outputs if name in part.values.specs])


def _is_finite(array: Array) -> bool:
    """Return whether an array has numbers, and neither NaN nor infinity."""
    return bool(array.size and (not is_float(array.dtype) or np.isfinite(array.astype(np.float64)).all()))


def _draft_of(one: Wanted) -> Draft:
    _, part, piece = one
    inputs = part.arrays(piece.cut.feeds) if part.values.specs else []
    return Draft(model=piece.cut.model, inputs=tuple(inputs))


def _some(part: Part, nodes: Sequence[int]) -> Draft | None:
    """Return some nodes of a part, fed their values."""
    found = cut(part.graph, nodes, part.known, bake=True)
    if found is None:
        return None
    piece = neutral(found)
    return Draft(model=piece.model, inputs=tuple(part.arrays(piece.feeds) if part.values.specs else []))
