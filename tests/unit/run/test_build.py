"""Targets made ready: what is done once for all of them, and what one of them cannot do."""

from pathlib import Path

import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import CompileError, ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.stage import PreparedCase, Stage
from burn_verify.core.target import Target
from burn_verify.run.build import TargetBuilder
from burn_verify.run.steps import Built, Loaded
from fakes import FakeBuilder, Faults

NAMES = [f"m{place}" for place in range(9)]
FLEX, WGPU, OLD = Target(), Target(backend="wgpu"), Target(burn="0.21.0", burn_onnx="0.21.0")


def loaded(name):
    case = Case(id=f"file/{name}", corpus="file", source=Unavailable(reason=""))
    path = Path(f"{name}.onnx")
    return Loaded(
        case=case,
        prepared=PreparedCase(case=case, model=path, digest=name, op_types=(), opset=17, inputs=(), outputs=()),
    )


CASES = [loaded(name) for name in NAMES]


def build(cache, faults, *targets, settings=Settings()):  # noqa: B008
    made = TargetBuilder(settings, cache, silent, lambda cache, _s, _l, some: FakeBuilder(cache, some, faults))
    return made.build_all({target: [one.case for one in CASES] for target in targets}, CASES)


def test_every_case_is_built_for_every_target(cache):
    found = build(cache, Faults(), FLEX, WGPU, OLD)
    assert {target: set(made) for target, made in found.made.items()} == {
        target: {one.case.id for one in CASES} for target in (FLEX, WGPU, OLD)
    }
    assert found.made[WGPU]["file/m0"].target == WGPU
    assert found.phases.keys() == {"toolchain", "convert", "compile"}


def test_options_of_the_conversion_are_other_modules(cache):
    plain = Target(simplify=False)
    found = build(cache, Faults(), FLEX, plain)
    modules = [found.made[target]["file/m0"].model.module for target in (FLEX, plain)]
    assert len(set(modules)) == 2


@pytest.mark.parametrize("victims", [("m0",), ("m8",), ("m3", "m4"), ("m0", "m4", "m8")])
def test_a_batch_that_fails_as_it_should_not_is_halved_until_the_guilty_are_found(cache, victims):
    faults = Faults({("build", name): OSError("vanished") for name in victims})
    made = build(cache, faults, FLEX).made[FLEX]
    ended = {case_id: step for case_id, step in made.items() if not isinstance(step, Built)}
    assert ended.keys() == {f"file/{name}" for name in victims}
    assert {step.error.reason for step in ended.values()} == {"internal error: OSError: vanished"}
    assert {step.stage for step in ended.values()} == {Stage.COMPILE}


def test_a_module_that_the_builder_forgets_ends_its_case(cache):
    class Forgetful(FakeBuilder):
        def build(self, models, doubtful=()):
            return {module: made for module, made in super().build(models).items() if "m3" not in module}

    builder = TargetBuilder(Settings(), cache, silent, lambda cache, _s, _l, some: Forgetful(cache, some, Faults()))
    made = builder.build_all({FLEX: [one.case for one in CASES]}, CASES).made[FLEX]
    assert [case_id for case_id, step in made.items() if not isinstance(step, Built)] == ["file/m3"]


def test_a_release_that_does_not_compile_ends_a_case_that_has_a_program(cache):
    faults = Faults({("release", "m1"): CompileError("not in latency")})
    made = build(cache, faults, FLEX, settings=Settings(latency=True)).made[FLEX]
    assert made["file/m1"].stage is Stage.COMPILE
    assert made["file/m1"].built is not None
    assert made["file/m0"].release is not None


def test_a_target_that_cannot_be_meant_is_one_outcome(cache):
    odd = Target(burn="0.21.0", burn_onnx="0.21.0", backend="nonsense")
    found = build(cache, Faults(), FLEX, odd)
    assert isinstance(found.made[odd], str)
    assert len(found.made[FLEX]) == len(CASES)


def test_the_only_target_raises_what_it_raised(cache):
    def builder(*_):
        message = "the checkout does not fit"
        raise UsageError(message)

    alone = TargetBuilder(Settings(), cache, silent, builder)
    with pytest.raises(UsageError, match="does not fit"):
        alone.build_all({FLEX: [CASES[0].case]}, CASES)
    with pytest.raises(ToolchainError, match="does not fit; "):
        alone.build_all({FLEX: [CASES[0].case], WGPU: [CASES[0].case]}, CASES)
