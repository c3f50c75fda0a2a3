"""The command that runs a failed case again."""

import shlex
from pathlib import Path

import pytest

from burn_verify.cases import sized
from burn_verify.cases.reproduce import reproduce, reproduce_recorded
from burn_verify.core.case import Case, ModelFile, Seeded, Unavailable
from burn_verify.core.options import Settings
from burn_verify.core.target import Checkout, Target
from reported import a_result


def zoo_case(name):
    return Case(id=f"zoo/{name}", corpus="zoo", source=Unavailable(reason="none"))


def file_case(path):
    return Case(id="file/a", corpus="file", source=ModelFile(path=Path(path)))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (zoo_case("mnist-12"), ["mnist-12"]),
        (
            Case(id="zoo/mnist@seeded", corpus="zoo", source=Seeded(architecture="mnist")),
            ["mnist"],
        ),
        (
            Case(id="zoo/mnist-8", corpus="zoo", source=ModelFile(path=Path("/mirror/mnist-8.onnx"))),
            ["mnist-8"],
        ),
        (file_case("/models/a.onnx"), ["/models/a.onnx"]),
        (file_case("/my models/it's $HOME;a.onnx"), ["/my models/it's $HOME;a.onnx"]),
    ],
)
def test_the_line_to_paste(case, words):
    line = reproduce(case, Settings())
    assert shlex.split(line.removeprefix("reproduce: ")) == ["pytest", f"--models={words[0]}"]


def test_a_comma_in_a_path_would_part_names():
    assert reproduce(file_case("/m/a,b.onnx"), Settings()) == "reproduce: pytest --models='/m/a?b.onnx'"


def test_options_that_matter_are_said_again():
    settings = Settings(zoo_mirror=Path("/the zoo"), simplify=False, record=Path("/r.jsonl"))
    line = reproduce(zoo_case("candy"), settings)
    assert line == "reproduce: pytest --models=candy --zoo-mirror='/the zoo' --burn-simplify=off"


def test_the_command_for_an_operator_at_a_useful_size_selects_the_same_graph():
    graph = sized.GRAPHS[0]
    case = Case(id=graph.case_id, corpus=sized.CORPUS, source=ModelFile(path=Path("/cache/Conv.onnx")))
    line = reproduce(case, Settings())
    assert shlex.split(line.removeprefix("reproduce: ")) == ["pytest", f"--ops={graph.case_id}"]
    recorded = reproduce_recorded(a_result(case.id), Target())
    assert f"reproduce: {recorded}" == line
    assert sized.chosen([graph.case_id]) == (graph,)


@pytest.mark.parametrize(
    ("burn", "burn_onnx", "is_said"),
    [("0.22.1", "0.22.0", False), ("0.22.1", "0.23.0-pre.1", True), ("0.23.0-pre.1", "0.22.0", True)],
)
def test_the_burn_is_said_where_a_checkout_brings_another_latest_one(burn, burn_onnx, is_said):
    target = Target(burn=burn, burn_onnx=burn_onnx, burn_onnx_checkout=Checkout(path=Path()))
    line = reproduce_recorded(a_result("zoo/candy"), target)

    assert (f"--burn-version={burn}" in line) is is_said
    assert "--burn-onnx-path=PATH/TO/burn-onnx" in line
