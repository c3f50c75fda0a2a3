"""Which part flips a result: what is tried, and what follows."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Checkout, Target
from burn_verify.run import exchange

FIELDS = ("burn", "burn_onnx", "backend", "simplify", "partition", "load", "weights", "via")
SIDES = st.builds(
    Target,
    burn=st.sampled_from(["0.21.0", "0.22.1"]),
    burn_onnx=st.sampled_from(["0.21.0", "0.22.0"]),
    backend=st.sampled_from(["flex", "wgpu"]),
    simplify=st.booleans(),
    partition=st.booleans(),
    load=st.sampled_from(["file", "bytes"]),
    weights=st.sampled_from(["full", "half"]),
    via=st.sampled_from(["process", "http-binary"]),
)
PART_OF = {"burn": "burn", "burn_onnx": "burn-onnx", "backend": "backend", "simplify": "simplify"}


def a_result(outcome=Outcome.PASSED, stage=Stage.COMPARE, reason="", verdict=None):
    return CaseResult(case_id="a", corpus="node", stage=stage, outcome=outcome, reason=reason, verdict=verdict)


FINE = a_result(verdict="agrees")
WRONG = a_result(Outcome.FAILED, verdict="disagrees", reason="wrong values")
REFUSED = a_result(Outcome.FAILED, Stage.CONVERT, "unsupported operator: Foo")
NO_PROGRAM = a_result(Outcome.FAILED, Stage.COMPILE, "E0308: mismatched types")


def findings(good, bad, ends):
    """Return what follows where `ends` says how a target ends."""
    results = {
        side: ends(side) for one in exchange.exchanges(good, bad) for side in (one.mended, one.broken, good, bad)
    }
    return tuple(exchange.judged(one, results[good], results[bad], results) for one in exchange.exchanges(good, bad))


def opened(text, project):
    return Checkout(path=Path(text), commit=project)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("0.21.0", Target(burn="0.21.0", burn_onnx="0.21.0")),
        ("latest", Target()),
        ("wgpu", Target(backend="wgpu")),
        ("0.23.0-pre.1/wgpu", Target(burn="0.23.0-pre.1", burn_onnx="0.23.0-pre.1", backend="wgpu")),
        ("wgpu, simplify=off,partition=on", Target(backend="wgpu", simplify=False)),
        ("burn-onnx=0.21.0,0.22.1", Target(burn_onnx="0.21.0")),
        ("0.22.1,burn-onnx=0.21.0", Target(burn_onnx="0.21.0")),
        ("burn=../a/b@main", Target(burn_checkout=Checkout(path=Path("../a/b@main"), commit="burn"))),
        ("burn-onnx=x", Target(burn_onnx_checkout=Checkout(path=Path("x"), commit="burn-onnx"))),
    ],
)
def test_a_side_is_named_in_words(text, target):
    assert exchange.side(text, opened) == target


def test_a_checkout_of_a_side_brings_its_version():
    checkout = Checkout(path=Path("x"), version="0.21.4")
    assert exchange.side("burn-onnx=x,0.22.1", lambda *_: checkout) == Target(
        burn_onnx="0.21.4", burn_onnx_checkout=checkout
    )


@pytest.mark.parametrize("text", ["", ",", "metal", "0.1.0", "simplify=perhaps", "burn-onnx=9.9.9", "a/b"])
def test_a_side_that_cannot_be_meant_is_a_mistake(text):
    with pytest.raises(UsageError):
        exchange.side(text, opened)


@given(SIDES, SIDES)
def test_every_exchange_moves_towards_the_other_side(good, bad):
    tried = exchange.exchanges(good, bad)
    different = [name for name in FIELDS if getattr(good, name) != getattr(bad, name)]

    assert len({one.part for one in tried}) == len(tried)
    assert {one.part for one in tried} - {exchange.TOGETHER} == {
        {"burn_onnx": "burn-onnx"}.get(name, name) for name in different
    }
    for one in tried:
        for name in FIELDS:
            pair = {getattr(one.mended, name), getattr(one.broken, name)}
            assert pair == {getattr(good, name), getattr(bad, name)}


@given(SIDES, SIDES, st.sampled_from(FIELDS))
def test_the_part_that_decides_is_named(good, bad, name):
    assume(getattr(good, name) != getattr(bad, name))
    said = exchange.conclusion(
        findings(good, bad, lambda side: FINE if getattr(side, name) == getattr(good, name) else WRONG)
    )

    part = "burn-onnx" if name == "burn_onnx" else name
    assert (said.blame, said.parts, said.text) == (exchange.Blame.NAMED, (part,), f"to blame: {part}")


@given(SIDES, SIDES)
def test_nothing_is_named_where_two_parts_are_needed(good, bad):
    different = [name for name in FIELDS if getattr(good, name) != getattr(bad, name)]
    assume(len(different) > 1 and not {"burn", "burn_onnx"} <= set(different))
    said = exchange.conclusion(
        findings(good, bad, lambda side: WRONG if all(getattr(side, n) == getattr(bad, n) for n in different) else FINE)
    )

    assert said.blame is exchange.Blame.TOGETHER
    assert said.text.startswith("no part alone is to blame: ")
    assert said.text.endswith(" break it only together")


def test_two_parts_may_each_be_enough():
    good, bad = Target(), Target(backend="wgpu", simplify=False)
    said = exchange.conclusion(findings(good, bad, lambda side: FINE if side == good else WRONG))

    assert said.blame is exchange.Blame.EACH_BREAKS
    assert said.text == "no part alone is to blame: each of backend and simplify is enough to break it"


def test_what_cannot_be_built_is_said():
    good, bad = Target(burn="0.21.0", burn_onnx="0.21.0"), Target()

    def ends(side):
        if side in (good, bad):
            return FINE if side == good else WRONG
        return "no such combination"

    found = findings(good, bad, ends)
    assert [one.text for one in found] == ["cannot be exchanged alone: no such combination"] * 2
    said = exchange.conclusion(found)
    assert (said.blame, said.stuck) == (exchange.Blame.STUCK, ("burn", "burn-onnx"))
    assert said.text == "no part can be named: burn and burn-onnx cannot be exchanged alone"


def test_nothing_is_named_where_nothing_changes():
    found = tuple(exchange.Finding(part=part, mends=False, breaks=False, text="") for part in ("burn", "backend"))
    stuck = exchange.Finding(part="simplify", mends=None, breaks=None, text="")

    assert exchange.conclusion(found).blame is exchange.Blame.NOTHING
    assert exchange.conclusion((*found, stuck)).text == (
        "no part alone flips the result; simplify cannot be exchanged alone"
    )


def test_what_does_not_compile_together_is_no_answer():
    good, bad = Target(burn="0.21.0", burn_onnx="0.21.0"), Target()
    ends = {good: REFUSED, bad: FINE}
    found = findings(bad, good, lambda side: ends.get(side, NO_PROGRAM))

    assert "what burn-onnx writes does not compile with that Burn (E0308" in found[0].text
    assert not any(one.guilty for one in found)


def test_one_side_that_can_be_built_is_enough():
    good, bad = Target(burn="0.21.0", burn_onnx="0.21.0"), Target()
    old_burn_new_onnx = Target(burn="0.21.0", burn_onnx="0.22.0")

    def ends(side):
        if side == old_burn_new_onnx:
            return NO_PROGRAM
        return FINE if side.burn == "0.21.0" else WRONG

    found = {one.part: one for one in findings(good, bad, ends)}
    assert found["burn"].guilty is False or found["burn-onnx"].guilty is False
    assert "cannot be built" in found["burn-onnx"].text


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (FINE, a_result(verdict="loose"), True),
        (FINE, WRONG, False),
        (WRONG, REFUSED, False),
        (
            a_result(Outcome.FAILED, Stage.RUN, "panic: 3 > 2"),
            a_result(Outcome.FAILED, Stage.RUN, "panic: 5 > 4"),
            True,
        ),
        (a_result(Outcome.FAILED, Stage.RUN, "panic: a"), a_result(Outcome.FAILED, Stage.RUN, "panic: b"), False),
    ],
)
def test_results_are_alike_in_what_counts(one, two, same):
    assert exchange.alike(one, two) is same
