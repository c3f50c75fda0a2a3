"""The rewritings for a model on a target."""

from pathlib import Path

from onnx import helper

from burn_verify.burn.checkouts import look
from burn_verify.core.target import Target
from burn_verify.run.prepare.rules import rewritings_for, sparing_rewritings_for, supported_by
from burn_verify.system.cache import Cache
from handmade import model, value

EXAMPLE = Path(__file__).parents[4] / "examples" / "hooks" / "roi-align"


def test_burn_onnx_says_what_it_supports():
    assert {"Conv", "Add"} <= supported_by(Target())
    assert "Compress" not in supported_by(Target())


def test_nothing_is_known_of_an_unknown_version():
    assert supported_by(Target(burn_onnx="0.0.1")) == frozenset()


def test_the_operators_of_a_model_decide():
    made = model([helper.make_node("Compress", ["x", "c"], ["y"])], [value("x")], [value("y")])
    names = [one.name for one in rewritings_for(made.SerializeToString(), Target())]
    assert "Compress put differently" in names
    assert "Resize put differently" not in names


def test_burn_import_has_no_options():
    made = model([helper.make_node("Relu", ["x"], ["y"])], [value("x")], [value("y")]).SerializeToString()
    old = Target(burn="0.19.1", burn_onnx="0.19.1", backend="ndarray", record="mpk")
    new, few = ({one.name for one in rewritings_for(made, target)} for target in (Target(), old))
    assert new - few == {"simplify off", "partition off"}


def test_what_hooks_have_is_left_to_them(tmp_path):
    target = Target(hooks=look(Cache(tmp_path / "cache"), "hooks", str(EXAMPLE)))
    made = model([helper.make_node("RoiAlign", ["x", "r", "b"], ["y"])], [value("x")], [value("y")])
    names, hooked = ([one.name for one in rewritings_for(made.SerializeToString(), of)] for of in (Target(), target))
    assert "RoiAlign" in supported_by(target) - supported_by(Target())
    assert [one for one in names if one not in hooked] == ["RoiAlign put differently"]


def test_sparing_rewritings_leave_weights_in_8_bits():
    nodes = [helper.make_node("DequantizeLinear", ["w", "s"], ["d"]), helper.make_node("Gemm", ["x", "d"], ["y"])]
    made = model(nodes, [value("x"), value("w"), value("s")], [value("y")]).SerializeToString()
    every, sparing = ([one.name for one in of(made, Target())] for of in (rewritings_for, sparing_rewritings_for))
    inflating = {"DequantizeLinear put differently", "weights dequantised", "constants folded"}
    assert inflating <= set(every)
    assert not inflating & set(sparing)
    assert {"Gemm put differently", "constants of one element"} <= set(sparing) < set(every)
