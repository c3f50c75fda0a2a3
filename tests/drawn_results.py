"""Results of cases of every kind, drawn by Hypothesis."""

from hypothesis import strategies as st

from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.operators import all_operators

operators = st.sampled_from([*all_operators()[:12], *all_operators()[-4:]])


@st.composite
def results(draw):
    """Draw a result, of an operator that is known or not, that ended anywhere."""
    operator = draw(operators)
    subject = Subject(
        op_type=operator.op_type,
        domain=draw(st.sampled_from([operator.domain, operator.domain, "ai.onnx.preview.training"])),
        since_version=draw(st.sampled_from([*operator.versions, 99])),
        dtype=draw(st.sampled_from(["float32", "int4", ""])),
    )
    return CaseResult(
        case_id=draw(st.text(max_size=8)),
        corpus="node",
        stage=draw(st.sampled_from(Stage)),
        outcome=draw(st.sampled_from(Outcome)),
        verdict=draw(st.sampled_from(["agrees", "disagrees", "nondeterministic", None])),
        subject=draw(st.sampled_from([subject, None])),
        op_types=(operator.op_type, *draw(st.sampled_from([(), ("Conv",)]))),
        opset=draw(st.sampled_from([0, 9, 22])),
        reason=draw(st.text(max_size=12)),
    )
