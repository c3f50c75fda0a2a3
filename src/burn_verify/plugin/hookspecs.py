"""Hooks that other pytest plugins may implement."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from burn_verify.run.seams import Seams


@pytest.hookspec(firstresult=True)
def pytest_burn_verify_seams() -> "Seams | None":
    """Return what a run is made of, see `burn_verify.run.seams.Seams`; the first plugin that returns anything counts.

    Asked in the controller and in every worker of pytest-xdist: a program that is built in one is asked in the others.
    """
