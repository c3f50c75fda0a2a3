"""An answer as JSON."""

import json

from burn_verify.core.located import Finding, Located, Node, PieceKind, Suspect
from burn_verify.core.stage import Stage

NODE = Node(name="n", op_type="Exp", cell="Exp-13/float32", inputs=("x: float32[3]",), outputs=("y: float32[3]",))


def test_an_answer_is_json():
    suspect = Suspect(kind=PieceKind.NODE, nodes=(NODE,), stage=Stage.RUN, message="m", reason="r", same_reason=True)
    found = Located(model="a", target="t", finding=Finding.NODE, stage=Stage.RUN, suspects=(suspect,))
    said = json.loads(json.dumps(found.to_json()))
    assert (said["finding"], said["stage"], said["proof"]) == ("a node is wrong", "run", "not tried")
    assert said["suspects"][0]["nodes"][0]["cell"] == "Exp-13/float32"
    assert found.first is suspect


def test_no_suspect_is_none():
    assert Located(model="a", target="t", finding=Finding.UNKNOWN).first is None
