"""The targets of a run: their product, what they are called, and which are compared."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from burn_verify.core import targets, versions
from burn_verify.core.target import VIAS, Checkout, Target
from burn_verify.core.ways import LOADS, RECORDS, WEIGHTS

OLD = Target(burn="0.19.1", burn_onnx="0.19.1", backend="ndarray", record="mpk")
LAST = replace(OLD, burn="0.20.1", burn_onnx="0.20.1")
CHECKOUTS = st.none() | st.builds(Checkout, path=st.just(Path()), commit=st.sampled_from(["a" * 40, "b" * 40]))
TARGETS = st.builds(
    Target,
    burn=st.sampled_from([version.burn for version in versions.VERSIONS]),
    backend=st.sampled_from(versions.BACKENDS),
    simplify=st.booleans(),
    partition=st.booleans(),
    load=st.sampled_from(LOADS),
    weights=st.sampled_from(WEIGHTS),
    record=st.sampled_from(RECORDS),
    via=st.sampled_from([*VIAS, "probe"]),
    burn_checkout=CHECKOUTS,
    burn_onnx_checkout=CHECKOUTS,
    hooks=CHECKOUTS,
)
SEVERAL = st.lists(TARGETS, min_size=1, max_size=6, unique=True)


@given(SEVERAL)
def test_no_two_targets_share_a_name(found):
    called = targets.names(found)

    assert len(set(called.values())) == len(found)
    assert (len(found) == 1) == (list(called.values()) == [""])


@given(SEVERAL)
def test_neighbours_differ_in_one_part_and_the_older_comes_first(found):
    for pair in targets.neighbours(found):
        options = ("simplify", "partition", "load", "weights", "via")
        fields = ("burn", "backend", *options, "burn_checkout", "burn_onnx_checkout", "hooks")
        different = [name for name in fields if getattr(pair.before, name) != getattr(pair.after, name)]
        # A version brings the record type that it writes by default.
        if len({one.record == versions.known(one.burn).records[0] for one in (pair.before, pair.after)}) == 2 or (
            not different
        ):
            different.append("record")
        assert len(different) == 1
        assert different[0].startswith(pair.part.split(" ")[0].replace("-", "_"))
        assert targets.age(pair.before) <= targets.age(pair.after)


@given(SEVERAL, st.randoms())
def test_only_the_order_of_checkouts_matters(found, random):
    for source in ("burn_checkout", "burn_onnx_checkout", "hooks"):
        assume(len({getattr(one, source) for one in found} - {None}) < 2)
    shuffled = list(found)
    random.shuffle(shuffled)

    assert targets.neighbours(shuffled) == targets.neighbours(found)


def test_backends_are_compared_with_the_first_and_versions_with_the_one_before():
    backends = [Target(backend=name) for name in ("wgpu", "flex", "ndarray")]
    assert [(pair.before.backend, pair.after.backend) for pair in targets.neighbours(backends)] == [
        ("flex", "ndarray"),
        ("flex", "wgpu"),
    ]
    burns = [Target(burn=name) for name in ("0.23.0-pre.1", "0.21.0", "0.23.0", "0.22.1")]
    assert [(pair.before.burn, pair.after.burn) for pair in targets.neighbours(burns)] == [
        ("0.21.0", "0.22.1"),
        ("0.22.1", "0.23.0-pre.1"),
        ("0.23.0-pre.1", "0.23.0"),
    ]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (Target(load="bytes"), None),
        (Target(load="bytes", weights="half"), None),
        (Target(via="wasm", load="embedded"), None),
        (Target(burn="0.21.0", load="embedded"), "Burn 0.21.0 is asked with full weights from a file only"),
        (Target(burn="0.21.0", weights="half"), "Burn 0.21.0 is asked with full weights from a file only"),
        (Target(load="embedded", weights="half"), "half weights are made by the compiled model"),
        (Target(via="wasm", backend="wgpu"), "only flex"),
        (Target(via="wasm-node", burn="0.21.0"), "not run as WebAssembly"),
        (Target(backend="wgpu", burn="0.21.0"), "no backend 'wgpu'"),
        (Target(record="mpk"), "Burn 0.22.1 writes no weights as mpk, but as bpk: --burn-record-type"),
        (replace(OLD, record="bpk"), "Burn 0.19.1 writes no weights as bpk, but as mpk, mpk.gz, bin, json"),
        (replace(OLD, simplify=False), "burn-import of Burn 0.19.1 neither simplifies nor partitions"),
        (LAST, "Burn 0.20.1 writes no weights as mpk, but as bpk: --burn-record-type"),
        (replace(LAST, record="bpk", partition=False), "burn-import of Burn 0.20.1 neither simplifies nor partitions"),
        (replace(LAST, record="bpk", load="embedded"), "Burn 0.20.1 is asked with full weights from a file only"),
        (replace(OLD, weights="half"), None),
        (replace(OLD, load="bytes"), None),
        (replace(OLD, load="embedded"), "does not load mpk records as embedded: --burn-record-type bin does"),
        (replace(OLD, load="bytes", record="json"), "--burn-record-type mpk,bin does"),
        (replace(OLD, load="embedded", record="bin", weights="half"), None),
        (replace(OLD, via="wasm"), "not run as WebAssembly"),
    ],
)
def test_what_no_version_has_is_refused_in_a_line(target, why):
    said = targets.refusal(target)

    assert said is None if why is None else why in said


@pytest.mark.parametrize("digests", [("0a", "f1"), ("f1", "0a")])
@pytest.mark.parametrize("source", ["burn_checkout", "burn_onnx_checkout"])
def test_the_checkout_that_is_given_first_is_the_one_before_the_change(source, digests):
    before, after = (Target(**{source: Checkout(path=Path(one), digest=one)}) for one in digests)
    (pair,) = targets.neighbours([before, after])
    assert (pair.before, pair.after) == (before, after)
    (pair,) = targets.neighbours([after, Target()])
    assert (pair.before, pair.after) == (Target(), after)


@pytest.mark.parametrize("numbers", [("0.22.0", "0.23.0-pre.1"), ("0.23.0-pre.1", "0.22.0")])
def test_which_checkout_is_before_the_change_is_not_told_by_its_version(numbers):
    before, after = (
        Target(burn_onnx=number, burn_onnx_checkout=Checkout(path=Path(number), digest=number)) for number in numbers
    )
    (pair,) = targets.neighbours([before, after])
    assert (pair.part, pair.before, pair.after) == ("burn-onnx checkout", before, after)
