"""Several targets at once with real parts: conversion options, a checkout, and blame that names the part."""

import pytest

from burn_verify.cli import main
from burn_verify.core.options import settings_from
from burn_verify.core.target import Checkout, Target
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.seams import Seams
from burn_verify.run.selected import asked
from burn_verify.run.steps import Ready
from toolchain.helpers import FIXTURES, OwnCache, case


@pytest.fixture
def here(cache: OwnCache) -> Seams:
    """Let the command line use the cache of the tests."""
    return Seams(cache=lambda folder: cache)


def test_conversion_options_share_a_binary_and_a_reference(cache: OwnCache) -> None:
    settings = settings_from({"simplify": "on,off", "partition": "on,off"})
    chosen = [one.target for one in asked(settings, lambda text, project: pytest.fail(text))]
    pipeline = Pipeline(settings, cache)
    try:
        plans = pipeline.prepare_all({key: [case("add", FIXTURES / "add.onnx")] for key in chosen})
        verdicts = {target: pipeline.verify(plan.cases["file/add"]).result.verdict for target, plan in plans.items()}
    finally:
        pipeline.close()
    steps = [step for plan in plans.values() if isinstance(step := plan.cases["file/add"], Ready)]
    assert set(verdicts.values()) == {"agrees"}
    assert len({step.built.program for step in steps}) == 1
    assert len({step.reference for step in steps}) == 1
    assert len({step.built.model.module for step in steps}) == 4


def test_a_checkout_that_does_not_fit_is_one_outcome(cache: OwnCache, broken: Checkout) -> None:
    misfit = Target(burn_onnx="0.18.0", burn_onnx_checkout=broken)
    pipeline = Pipeline(settings_from({}), cache)
    try:
        plans = pipeline.prepare_all({key: [case("add", FIXTURES / "add.onnx")] for key in [Target(), misfit]})
        assert pipeline.verify(plans[Target()].cases["file/add"]).result.verdict == "agrees"
    finally:
        pipeline.close()
    assert "the checkout is burn-onnx 0.18.0, and only 0.21, 0.22, 0.23 are supported" in plans[misfit].failure


def test_blame_names_burn_onnx(here: Seams, broken: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    bad = f"burn-onnx={broken.path},partition=off"
    with pytest.raises(SystemExit) as ended:
        main(["blame", str(FIXTURES / "add.onnx"), "--good", "latest", "--bad", bad], here)
    said, problems = capsys.readouterr()
    assert ended.value.code == 0, problems
    assert "good: Burn 0.22.1 on flex: agrees" in said
    assert "not partitioned: wrong numbers: Y: float32[2,3]" in said
    assert said.endswith("to blame: burn-onnx\n")
