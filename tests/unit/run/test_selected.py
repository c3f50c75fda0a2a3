"""What a run is about: the product of the targets that were asked for."""

from pathlib import Path

import pytest

from burn_verify.core import targets
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.target import Checkout, Target
from burn_verify.run.selected import asked


def no_checkout(text, project):
    pytest.fail(f"nobody asked for {text}")


def test_nothing_said_is_one_target_without_a_name():
    (only,) = asked(Settings(), no_checkout)

    assert only.target == Target()
    assert only.settings == Settings()
    assert targets.names([only.target]) == {only.target: ""}


def test_the_product_is_in_the_order_of_what_was_typed():
    settings = settings_from({"burn_version": "0.23.0-pre.1,latest,0.22.1", "burn_backend": "wgpu,flex"})
    found = asked(settings, no_checkout)

    assert list(targets.names(one.target for one in found).values()) == [
        "0.23.0-pre.1/wgpu",
        "0.23.0-pre.1/flex",
        "0.22.1/wgpu",
        "0.22.1/flex",
    ]


def test_a_target_alone_is_meant_by_its_own_settings():
    settings = settings_from({"simplify": "on,off", "burn_backend": "flex,wgpu", "timeout": "5"})
    found = asked(settings, no_checkout)

    assert len(found) == 4
    for one in found:
        assert asked(one.settings, no_checkout) == (one,)
        assert one.settings.timeout == 5


def test_checkouts_are_opened_by_their_project(tmp_path):
    settings = settings_from({"burn_path": f"release,{tmp_path}@main", "burn_onnx_path": str(tmp_path)})
    seen = []

    def opened(text, project):
        seen.append((text, project))
        return Checkout(path=Path(text), commit=project * 8)

    found = [one.target for one in asked(settings, opened)]

    assert set(seen) == {(f"{tmp_path}@main", "burn"), (str(tmp_path), "burn-onnx")}
    assert [target.burn_checkout is None for target in found] == [True, False]
    assert all(target.burn_onnx_checkout for target in found)


def test_what_cannot_be_is_a_mistake_only_where_it_is_all_there_is():
    with pytest.raises(UsageError, match=r"Burn 0\.21\.0 has no backend 'wgpu' here; it has flex"):
        asked(settings_from({"burn_version": "0.21.0", "burn_backend": "wgpu"}), no_checkout)
    found = asked(settings_from({"burn_version": "0.21.0", "burn_backend": "flex,wgpu"}), no_checkout)
    assert [targets.refusal(one.target) is None for one in found] == [True, False]
    with pytest.raises(UsageError, match="is not supported"):
        asked(settings_from({"burn_version": "0.1.0,latest"}), no_checkout)
