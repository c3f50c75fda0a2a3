"""A model that passed, without cargo and ONNX Runtime."""

from pathlib import Path

import pytest

import shipped
from burn_verify.cli.common import one_case
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.ship.proven import prove
from burn_verify.system.cache import Cache

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


@pytest.fixture
def proven(tmp_path):
    cache = Cache(tmp_path / "cache")
    return prove(Settings(), cache, one_case(str(ADD), Settings(), cache), shipped.seams(), silent)
