"""The targets of a run: their product, what they are called, and which are compared."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify import targets, versions
from burn_verify.errors import UsageError
from burn_verify.options import Settings, settings_from
from burn_verify.types import Checkout, Target

CHECKOUTS = st.none() | st.builds(Checkout, path=st.just(Path()), commit=st.sampled_from(["a" * 40, "b" * 40]))
TARGETS = st.builds(
    Target,
    burn=st.sampled_from([version.burn for version in versions.VERSIONS]),
    backend=st.sampled_from(versions.BACKENDS),
    simplify=st.booleans(),
    partition=st.booleans(),
    burn_checkout=CHECKOUTS,
    burn_onnx_checkout=CHECKOUTS,
)
SEVERAL = st.lists(TARGETS, min_size=1, max_size=6, unique=True)


def no_checkout(text, project):
    pytest.fail(f"nobody asked for {text}")


def test_nothing_said_is_one_target_without_a_name():
    (only,) = targets.asked(Settings(), no_checkout)

    assert only.target == Target()
    assert only.settings == Settings()
    assert targets.names([only.target]) == {only.target: ""}


def test_the_product_is_in_the_order_of_what_was_typed():
    settings = settings_from({"burn_version": "0.23.0-pre.1,latest,0.22.1", "burn_backend": "wgpu,flex"})
    found = targets.asked(settings, no_checkout)

    assert list(targets.names(one.target for one in found).values()) == [
        "0.23.0-pre.1/wgpu",
        "0.23.0-pre.1/flex",
        "0.22.1/wgpu",
        "0.22.1/flex",
    ]


def test_a_target_alone_is_meant_by_its_own_settings():
    settings = settings_from({"simplify": "on,off", "burn_backend": "flex,wgpu", "timeout": "5"})
    found = targets.asked(settings, no_checkout)

    assert len(found) == 4
    for one in found:
        assert targets.asked(one.settings, no_checkout) == (one,)
        assert one.settings.timeout == 5


def test_checkouts_are_opened_by_their_project(tmp_path):
    settings = settings_from({"burn_path": f"release,{tmp_path}@main", "burn_onnx_path": str(tmp_path)})
    seen = []

    def opened(text, project):
        seen.append((text, project))
        return Checkout(path=Path(text), commit=project * 8)

    found = [one.target for one in targets.asked(settings, opened)]

    assert set(seen) == {(f"{tmp_path}@main", "burn"), (str(tmp_path), "burn-onnx")}
    assert [target.burn_checkout is None for target in found] == [True, False]
    assert all(target.burn_onnx_checkout for target in found)


def test_what_cannot_be_is_a_mistake_only_where_it_is_all_there_is():
    with pytest.raises(UsageError, match=r"Burn 0\.21\.0 has no backend 'wgpu' here; it has flex"):
        targets.asked(settings_from({"burn_version": "0.21.0", "burn_backend": "wgpu"}), no_checkout)
    found = targets.asked(settings_from({"burn_version": "0.21.0", "burn_backend": "flex,wgpu"}), no_checkout)
    assert [targets.refusal(one.target) is None for one in found] == [True, False]
    with pytest.raises(UsageError, match="is not supported"):
        targets.asked(settings_from({"burn_version": "0.1.0,latest"}), no_checkout)


@given(SEVERAL)
def test_no_two_targets_share_a_name(found):
    called = targets.names(found)

    assert len(set(called.values())) == len(found)
    assert (len(found) == 1) == (list(called.values()) == [""])


@given(SEVERAL)
def test_neighbours_differ_in_one_part_and_the_older_comes_first(found):
    for pair in targets.neighbours(found):
        fields = ("burn", "backend", "simplify", "partition", "burn_checkout", "burn_onnx_checkout")
        different = [name for name in fields if getattr(pair.before, name) != getattr(pair.after, name)]
        assert len(different) == 1
        assert different[0].startswith(pair.part.split(" ")[0].replace("-", "_"))
        assert targets.age(pair.before) < targets.age(pair.after)


@given(SEVERAL, st.randoms())
def test_neighbours_do_not_depend_on_the_order_of_what_was_typed(found, random):
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
