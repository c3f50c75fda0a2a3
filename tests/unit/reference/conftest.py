"""The real ONNX Runtime, in its worker process."""

from collections.abc import Iterator

import pytest

from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache


@pytest.fixture
def engine(cache: Cache) -> Iterator[OnnxRuntime]:
    engine = OnnxRuntime(cache, timeout=60.0)
    yield engine
    engine.close()
