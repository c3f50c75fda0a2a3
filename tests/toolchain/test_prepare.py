"""The five refusals of docs/prepare.md, by the real burn-onnx: refused as the page says, rewritten, and running."""

import onnx
import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.prepared import Grade, Status
from burn_verify.run.models import Model, models
from burn_verify.run.prepare.preparing import preparation
from refused import REFUSALS, refused


@pytest.fixture(scope="module")
def found(cache, tmp_path_factory):
    """Prepare all five in one batch."""
    folder = tmp_path_factory.mktemp("refused")
    cases = []
    for name, made in refused().items():
        path = folder / f"{name}.onnx"
        onnx.save(made, path)
        cases.append(Case(id=name, corpus="file", source=ModelFile(path=path)))
    with preparation(Settings(), cache=cache) as one:
        return one.prepare(cases)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_what_the_page_says_and_is_lifted(found, name):
    one, message = found[name], REFUSALS[name][1]
    assert message in one.before.message
    assert one.status is Status.LIFTED, one.in_the_way
    assert {proof.grade for proof in one.proofs} <= {Grade.SAME, Grade.CLOSE}


def test_what_was_written_runs(found, cache):
    """The rewritten models are verified as any others: converted, compiled, run on data of their own."""
    rewritten = [Model(name=name, model=one.model) for name, one in found.items()]
    verified = models(rewritten, Settings(), cache=cache)
    assert {name: one.result.outcome.value for name, one in verified.items()} == dict.fromkeys(found, "passed")
