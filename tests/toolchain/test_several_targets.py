"""Several targets at once with real parts: conversion options, a checkout, and blame that names the part."""

import pytest
from rooms import FIXTURES, Rooms, case

from burn_verify import cli, cli_blame, session, targets
from burn_verify.options import settings_from
from burn_verify.pipeline import Pipeline
from burn_verify.types import Checkout, Target


@pytest.fixture
def here(cache: Rooms, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    """Let the command line use the rooms of the tests."""
    for module in (session, cli_blame):
        monkeypatch.setattr(module, "Cache", lambda folder: cache)
    return cache


def test_conversion_options_share_a_binary_and_a_reference(cache: Rooms) -> None:
    settings = settings_from({"simplify": "on,off", "partition": "on,off"})
    asked = [one.target for one in targets.asked(settings, lambda text, project: pytest.fail(text))]
    pipeline = Pipeline(settings, cache)
    try:
        plans = pipeline.prepare_all({key: [case("add", FIXTURES / "add.onnx")] for key in asked})
        verdicts = {target: pipeline.verify(plan.cases["file/add"]).verdict for target, plan in plans.items()}
    finally:
        pipeline.close()
    planned = [plan.cases["file/add"] for plan in plans.values()]
    assert set(verdicts.values()) == {"agrees"}
    assert len({one.binary for one in planned}) == 1
    assert len({one.reference for one in planned}) == 1
    assert len({one.model.module for one in planned if one.model}) == 4


def test_a_checkout_that_does_not_fit_is_one_outcome(cache: Rooms, broken: Checkout) -> None:
    misfit = Target(burn="0.21.0", burn_onnx="0.21.0", burn_onnx_checkout=broken)
    pipeline = Pipeline(settings_from({}), cache)
    try:
        plans = pipeline.prepare_all({key: [case("add", FIXTURES / "add.onnx")] for key in [Target(), misfit]})
        assert pipeline.verify(plans[Target()].cases["file/add"]).verdict == "agrees"
    finally:
        pipeline.close()
    assert "the checkout is burn-onnx 0.22.0, and Burn 0.21.0 goes with burn-onnx 0.21.0" in plans[misfit].failure


def test_blame_names_burn_onnx(here: Rooms, broken: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    bad = f"burn-onnx={broken.path},partition=off"
    with pytest.raises(SystemExit) as ended:
        cli.main(["blame", str(FIXTURES / "add.onnx"), "--good", "latest", "--bad", bad])
    said, problems = capsys.readouterr()
    assert ended.value.code == 0, problems
    assert "good: Burn 0.22.1 on flex: agrees" in said
    assert "not partitioned: wrong numbers: Y: float32[2,3]" in said
    assert said.endswith("to blame: burn-onnx\n")
