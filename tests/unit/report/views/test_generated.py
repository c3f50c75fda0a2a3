"""Pages of generated graphs: every operator is there, cells follow from graphs, the oracle's refusals count."""

import json

from burn_verify.cases.generated.registry import FAMILIES, NO_GENERATOR, operator_specs
from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import Record, result_from_json, result_to_line
from burn_verify.report.files import artefacts
from burn_verify.report.views.generated import cell_of, pages


def result(case_id, stage=Stage.COMPARE, outcome=Outcome.PASSED, *, axes=(), op_type="Relu", **fields):
    dtype = case_id.split("/")[2]
    subject = Subject(op_type=op_type, domain="", since_version=14, dtype=dtype, axes=tuple(axes))
    verdict = "agrees" if outcome is Outcome.PASSED else "disagrees" if stage is Stage.COMPARE else None
    return CaseResult(
        case_id=case_id,
        corpus="op",
        stage=stage,
        outcome=outcome,
        op_types=(op_type,),
        opset=14,
        subject=subject,
        verdict=verdict,
        **fields,
    )


RESULTS = (
    result("op/Relu-14/float32/default", axes=[("X", "run")]),
    result("op/Relu-14/int8/X=init", Stage.COMPILE, Outcome.FAILED, axes=[("X", "init")]),
    result("op/Relu-14/float32/X=init", Stage.COMPARE, Outcome.FAILED, axes=[("X", "init")], message="Y: wrong"),
    result("op/Relu-14/float64/X=shape", Stage.CONVERT, Outcome.FAILED, details={"no_reference": "nobody | knows"}),
)
RECORD = Record(results=RESULTS, target=Target())


def test_a_cell_is_decided_by_its_graphs():
    assert cell_of([]).status == "untested"
    assert cell_of(RESULTS[:1]).status == "verified"
    assert cell_of(RESULTS[:2]).status == "partly"
    assert cell_of(RESULTS[:2]).graph == "op/Relu-14/int8/X=init"
    whole = cell_of(RESULTS)
    assert (whole.status, whole.agree, whole.total, whole.graph) == ("refuted", 1, 4, "op/Relu-14/float32/X=init")


def test_every_operator_is_on_a_page_or_in_the_table_of_those_without():
    made = pages(RECORD)
    assert set(made) == {"ops.md", *(f"ops-{family}.md" for family in FAMILIES)}
    text = "".join(made.values())
    assert all(f"## {name}\n" in text.replace("\\", "") for name in operator_specs())
    assert all(f"| {name} |" in made["ops.md"].replace("\\", "") for name in NO_GENERATOR)
    relu = made["ops-elementwise.md"].partition("## Relu\n")[2].partition("## ")[0]
    assert "| 14 | float32 | refuted | 1/2 | op/Relu-14/float32/X=init |" in relu
    assert "| 14 | int16 | untested | 0/0 |  |" in relu
    assert "| X | init | refuted | 0/2 | op/Relu-14/float32/X=init |" in relu


def test_what_the_oracle_refused_is_counted_wherever_the_case_ended():
    text = pages(RECORD)["ops.md"]
    assert "No reference runs 1 of them (25.0%)" in text
    assert "nobody \\| knows" in text


def test_generated_graphs_are_no_models_of_the_matrix():
    made = artefacts(RECORD, {})
    assert "compatibility-matrix.md" not in made
    assert "ops.md" in made
    assert pages(Record()) == {}


def test_axes_survive_the_record_and_other_cases_have_none():
    line = result_to_line(RESULTS[0], Target())
    assert result_from_json(json.loads(line)) == RESULTS[0]
    plain = result("op/Relu-14/float32/default")
    assert '"axes"' not in result_to_line(plain, Target())
