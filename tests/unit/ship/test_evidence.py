"""The evidence of a failure, with fakes for ONNX Runtime and Burn."""

from pathlib import Path

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.reduced import Reduction
from burn_verify.core.stage import Stage
from burn_verify.core.target import Target
from burn_verify.run.search import Search
from burn_verify.ship.evidence import evidence_of, versions_of
from wrong import has, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"
CASE = Case(id="file/add", corpus="file", source=ModelFile(path=ADD))


def test_a_refusal_has_no_rust(cache):
    search = Search(settings=Settings(), cache=cache, seams=seams(refuses=has("Add")))
    reduced, found = evidence_of(CASE, search, lambda result: (result.reason,))
    assert reduced.reduction is Reduction.REDUCED
    assert (found.rust, found.expected, found.known) == ("", (), ("unsupported Add",))
    assert found.result.stage is Stage.CONVERT


def test_a_model_that_passes_is_no_evidence(cache):
    reduced, found = evidence_of(CASE, Search(settings=Settings(), cache=cache, seams=seams()), lambda result: ())
    assert (reduced.reduction, found) == (Reduction.NOTHING_WRONG, None)


def test_versions_are_those_of_the_programs():
    assert {"burn", "burn-onnx", "onnxruntime"} <= set(versions_of(Target()))
