"""References of many cases by several engines at once: each case once, and none after a fault of the machine."""

import errno
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import OracleError, ToolchainError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Progress
from burn_verify.run.references import ENOUGH, References
from burn_verify.run.steps import Ended, Loaded, Referred
from burn_verify.system.cache import Cache
from fakes import FakeEngine, Faults
from parsed import parsed

MANY = ENOUGH + 3


@pytest.fixture
def loaded(tmp_path: Path, cache: Cache) -> list[Loaded]:
    """Many models, each with weights of its own."""
    made = []
    for place in range(MANY):
        path = tmp_path / f"m{place}.onnx"
        model = parsed("(float[2] x) => (float[2] y) { y = Add(x, w) }", w=np.full(2, place, np.float32))
        path.write_bytes(model.SerializeToString())
        case = Case(id=f"file/m{place}", corpus="file", source=ModelFile(path=path))
        made.append(Loaded(case=case, prepared=prepare(case, cache)))
    return made


@dataclass
class Together(FakeEngine):
    """An engine whose first answer waits until another engine answers too."""

    met: threading.Barrier | None = None
    asked: int = 0

    def infer_all(self, model: Path, sets: Sequence[Sequence[Any]], **options: Any) -> list[list[Any]]:
        self.asked += 1
        if self.met is not None and self.asked == 1:
            self.met.wait(timeout=60)
        return super().infer_all(model, sets, **options)


def references_of(
    cache: Cache, make: Callable[..., FakeEngine], count: int, seen: list[Progress], processors: int = 2
) -> References:
    return References(count, Settings(), cache, make, seen.append, processors)


def test_many_cases_are_asked_of_several_engines_at_once(cache: Cache, loaded: list[Loaded]) -> None:
    engines: list[Together] = []
    met, seen = threading.Barrier(2), list[Progress]()

    def make(cache: Cache, timeout: float, *, memory_limit: int) -> Together:
        engines.append(Together(cache, timeout, Faults(), met=met))
        return engines[-1]

    references = references_of(cache, make, MANY, seen)
    found = references.of(loaded)
    references.close()
    assert [*found] == [one.case.id for one in loaded]
    assert all(isinstance(step, Referred) for step in found.values())
    assert all(engine.asked and engine.closed for engine in engines)
    assert sorted(one.done for one in seen) == [*range(MANY + 1)]
    assert {one.total for one in seen} == {MANY}


@pytest.mark.parametrize(("count", "processors", "engines"), [(ENOUGH - 1, 8, 1), (ENOUGH, 1, 1), (1000, 3, 3)])
def test_a_further_engine_has_to_be_worth_it(cache: Cache, count: int, processors: int, engines: int) -> None:
    made = []

    def make(cache: Cache, timeout: float, *, memory_limit: int) -> FakeEngine:
        made.append(FakeEngine(cache, timeout, Faults()))
        return made[-1]

    references_of(cache, make, count, [], processors).close()
    assert len(made) == engines


def test_no_cases(cache: Cache) -> None:
    seen: list[Progress] = []
    assert references_of(cache, lambda *_, **__: FakeEngine(cache, 1.0, Faults()), 0, seen).of([]) == {}
    assert not seen


def test_a_failure_of_one_case_is_its_own(cache: Cache, loaded: list[Loaded]) -> None:
    faults = Faults({("infer", "m7"): OracleError("no")})
    references = references_of(cache, lambda *_, **__: FakeEngine(cache, 1.0, faults), MANY, [])
    found = references.of(loaded)
    assert [case_id for case_id, step in found.items() if isinstance(step, Ended)] == ["file/m7"]


def test_a_fault_of_the_machine_ends_all(cache: Cache, loaded: list[Loaded]) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    faults = Faults({("infer", f"m{place}"): full for place in range(2)})
    references = references_of(cache, lambda *_, **__: FakeEngine(cache, 1.0, faults), MANY, [])
    with pytest.raises(ToolchainError, match="space"):
        references.of(loaded)
    assert sum(faults.calls.values()) < MANY


def test_nothing_is_asked_once_it_is_closed(cache: Cache, loaded: list[Loaded]) -> None:
    closing: list[References] = []

    @dataclass
    class Closing(FakeEngine):
        def infer_all(self, model: Path, sets: Sequence[Sequence[Any]], **options: Any) -> list[list[Any]]:
            closing[0].close()
            return super().infer_all(model, sets, **options)

    faults = Faults()
    closing.append(references_of(cache, lambda *_, **__: Closing(cache, 1.0, faults), MANY, []))
    assert len(closing[0].of(loaded)) <= 2
