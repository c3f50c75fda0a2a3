"""The builder by cargo, as far as it goes without cargo."""

import pytest

from burn_verify.burn.builder import CargoBuilder
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.target import Target


def test_a_backend_that_the_version_does_not_have_is_refused(cache):
    target = Target(burn="0.21.0", burn_onnx="0.21.0", backend="wgpu")

    with pytest.raises(UsageError, match=r"0\.21\.0"):
        CargoBuilder(cache, Settings(), silent, [target])


def test_a_builder_that_did_nothing_can_be_closed_twice(cache):
    builder = CargoBuilder(cache, Settings(), silent, [Target()])

    builder.close()
    builder.close()

    assert not list(cache.root.rglob("*.log"))
