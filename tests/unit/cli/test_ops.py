"""The command ``burn-verify ops list``: every operator, or the graphs of one."""

from burn_verify.cases.generated.registry import NO_GENERATOR, operator_specs


def test_every_operator_is_listed_with_its_family_or_a_reason(command):
    code, out, _ = command("ops", "list")

    assert code == 0
    lines = out.splitlines()
    names = {line.split()[0] for line in lines[2:]}
    assert names >= {*operator_specs(), *NO_GENERATOR}


def test_graphs_of_an_operator_are_listed_with_their_axes(command):
    code, out, _ = command("ops", "list", "relu", "--ops-profile", "quick")

    assert code == 0
    assert out.startswith("Relu, family elementwise")
    assert "op/Relu-14/float32/default" in out
    assert "nightly" not in out.split("graphs in the profile")[1].splitlines()[0]


def test_an_operator_without_graphs_has_its_reason(command):
    name = next(iter(NO_GENERATOR))

    code, out, _ = command("ops", "list", name)

    assert (code, out) == (0, f"{name} has no generated graphs: {NO_GENERATOR[name]}\n")


def test_an_unknown_operator_is_a_mistake(command):
    code, _, err = command("ops", "list", "Convolution")

    assert code == 4
    assert "no operator is called 'Convolution'" in err
