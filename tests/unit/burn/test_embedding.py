"""The converter of models that embed their weights is the packaged one with three changes."""

import pytest

from burn_verify.burn.embedding import converter_files
from burn_verify.burn.recipe import overlaid, packaged_sources
from burn_verify.core.versions import VERSIONS


@pytest.mark.parametrize("version", [one for one in VERSIONS if one.ways], ids=lambda one: one.burn)
def test_it_fits_the_packaged_converter(version):
    files = converter_files(overlaid(packaged_sources(), version))

    code = files["converter-embedding/src/main.rs"]
    assert ".load_strategy(compat::burn_onnx::LoadStrategy::Embedded)" in code
    assert "fs::rename" not in code
    assert 'name = "converter-embedding"' in files["converter-embedding/Cargo.toml"]


def test_another_converter_is_told():
    sources = packaged_sources()
    with pytest.raises(ValueError, match="0 times"):
        converter_files({**sources, "converter/src/main.rs": "fn main() {}"})
