"""An answer as text."""

from dataclasses import replace

import pytest

from burn_verify.core.located import Fault, Finding, Growth, Located, Node, PieceKind, Proof, Side, Suspect
from burn_verify.core.stage import Stage
from burn_verify.report.views.located import located_line, located_text


def node(name, op_type="Exp"):
    return Node(name=name, op_type=op_type, cell=f"{op_type}-13/float32", inputs=("x: float32[3]",), outputs=("y",))


def suspect(*nodes, kind=PieceKind.NODE):
    return Suspect(
        kind=kind, nodes=nodes, stage=Stage.COMPARE, message="y: off\nmore", reason="wrong values", same_reason=True
    )


FOUND = Located(
    model="file/m",
    target="Burn",
    finding=Finding.NODE,
    stage=Stage.COMPARE,
    message="y: differs\nlog",
    suspects=(suspect(node("second")), suspect(node("a"), node("b", "Add"), kind=PieceKind.PAIR)),
    later=(suspect(node("late")),),
    proof=Proof.TOGETHER,
    nodes=3,
    pieces=5,
    unknown=("hidden",),
    growth=tuple(Growth(node=f"n{x}", value=f"v{x}", share=x * x, headroom=1.0, max_abs=1e-3) for x in range(12)),
)


def test_an_answer_names_nodes_cells_shapes_and_proof():
    text = located_text(FOUND)
    for words in ("Exp `second`: fails alone", "Exp-13/float32", "x: float32[3] -> y", "once all of these", "hidden",
                  "Exp `a` and Add `b`: the two fail together", "further obstacles", "Exp `late`"):  # fmt: skip
        assert words in text
    assert "more" not in text.partition("further")[0].partition("compare: y: off")[2].partition("\n")[0]


def test_a_heading_of_burn_gives_way_to_the_reason():
    heading = "=== Tensor Operation Error ===\n  Operation: 'PReLu'\n  Reason:\n    1. Number of channels"
    one = replace(suspect(node("n")), message=heading, reason="panic: PReLu: Number of channels")
    text = located_text(replace(FOUND, message=heading, reason=one.reason, suspects=(one,)))
    assert "===" not in text
    assert text.count("compare: panic: PReLu: Number of channels") == 2
    assert "the whole ends at compare: panic: PReLu: Number of channels" in text


def test_the_digest_of_a_piece_is_left_out():
    message = f"Failed to parse ONNX file '{'0a' * 16}.onnx': no Neg"
    text = located_text(replace(FOUND, message=message))
    assert "the whole ends at compare: Failed to parse ONNX: no Neg" in text


def test_the_table_shows_where_the_error_grows_most_in_the_order_of_the_graph():
    lines = [line.split()[0] for line in located_text(FOUND).splitlines() if line.startswith("n")]
    assert lines == ["node", "n0", "n6", "n7", "n8", "n9", "n10", "n11"]


@pytest.mark.parametrize("finding", Finding)
def test_a_line(finding):
    line = located_line(Located(model="m", target="t", finding=finding, pieces=7, nodes=4))
    assert line == f"{finding}: 7 pieces of 4 nodes tried"
    assert "Exp `second` and 1 more" in located_line(FOUND)


def test_every_kind_and_proof_has_words():
    for kind in PieceKind:
        for proof in Proof:
            found = Located(
                model="m", target="t", finding=Finding.NODE, suspects=(suspect(node("n"), kind=kind),), proof=proof
            )
            assert "Exp `n`" in located_text(found)


def test_amplification_is_said():
    text = located_text(Located(model="m", target="t", finding=Finding.AMPLIFIED, stage=Stage.COMPARE, message="off"))
    assert "the model amplifies" in text


def test_whose_fault_it_is_is_said_below_the_first_node():
    fault = Fault(side=Side.KERNEL, by=("other kernels",), facts=("on ndarray it is right",))
    text = located_text(replace(FOUND, fault=fault))
    assert text.index("whose fault: kernel (on ndarray it is right)") < text.index("2. Exp")
    assert "; whose fault: kernel (" in located_line(replace(FOUND, fault=fault))
    alone = replace(FOUND, suspects=(), fault=Fault(side=Side.UNDECIDED))
    assert "   whose fault: not decidable" in located_text(alone).splitlines()
