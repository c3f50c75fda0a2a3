"""Records of cases of one operator, and what the table of operators says of them."""

from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.graph.operators import qualified
from burn_verify.record.codec import Record
from burn_verify.report.summary.operator_rows import support_of
from burn_verify.report.views import supported_ops

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
ENVIRONMENT = {"burn_onnx": "0.22.0"}


def a_case(case_id="node/a", op_type="Conv", stage=Stage.COMPARE, outcome=PASSED, **fields):
    fields.setdefault("verdict", "agrees" if outcome is PASSED else None)
    version, dtype = fields.pop("version", 22), fields.pop("dtype", "float32")
    domain = fields.pop("domain", "")
    fields.setdefault("op_types", (qualified(op_type, domain),))
    fields.setdefault("subject", Subject(op_type=op_type, domain=domain, since_version=version, dtype=dtype))
    fields.setdefault("opset", version)
    return CaseResult(case_id=case_id, corpus="node", stage=stage, outcome=outcome, **fields)


AGREES = a_case()
WRONG = a_case("node/w", outcome=FAILED, verdict="disagrees", reason="wrong values")


def a_record(*results, environment=ENVIRONMENT):
    return Record(environment=environment, results=results, target=Target())


def a_row(*results, name="Conv", environment=ENVIRONMENT, expected=None):
    support = support_of(a_record(*results, environment=environment), expected)
    return next(row for row in support.rows if row.name == name)


def a_line(*results, name="Conv"):
    report = supported_ops.render(a_record(*results))
    return next(line for line in report.splitlines() if line.startswith(f"| {name} |"))
