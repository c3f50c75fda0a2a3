"""Two conversions are the same program where only places and drawn ids differ, and nowhere else."""

import pytest

from burn_verify.burn.program_text import program_digest
from burn_verify.core.stage import ConvertedModel

TEXT = '// Generated from ONNX "{folder}/m.onnx" by burn-onnx\nfn forward() {{ load("{folder}/m.bpk") + 1 }}\n'


def weights(identity=b"12345678", name=b"w", data=b"data"):
    about = b"\xa2gtensors" + name + b"hparam_id\x1b" + identity
    return b"NRUB\x01\x00" + len(about).to_bytes(4, "little") + about + data


def made(folder, text=TEXT, content=None):
    folder.mkdir(exist_ok=True)
    (folder / "model.rs").write_text(text.format(folder=folder))
    (folder / "model.bpk").write_bytes(weights() if content is None else content)
    return program_digest(
        ConvertedModel(
            label="m", module=folder.name, rust=folder / "model.rs", weights=folder / "model.bpk", seconds=0.0
        )
    )


@pytest.mark.parametrize("content", [weights(), weights(b"\n\x00345678"), weights(b"........")])
def test_place_and_ids_are_no_difference(tmp_path, content):
    assert made(tmp_path / "a") == made(tmp_path / "b", content=content)


@pytest.mark.parametrize(
    "text", ["//\n" + TEXT, TEXT.replace("fn", "/// # Arguments\n    /// - `x`: DType::F32\nfn"), TEXT + "\t// end"]
)
def test_what_is_written_about_the_program_is_no_difference(tmp_path, text):
    assert made(tmp_path / "a") == made(tmp_path / "b", text)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (TEXT.replace("+ 1", "+ 2"), None),
        (TEXT.replace("m.bpk", "n.bpk"), None),
        (TEXT + "fn other() {{ }}\n", None),
        (TEXT.replace("+ 1", "+ 1 / 1"), None),
        (TEXT.replace("m.bpk", "// m.bpk"), None),
        (TEXT, weights(data=b"Data")),
        (TEXT, weights(name=b"v")),
        (TEXT, weights(data=b"hparam_id\x1b12345678")),
        (TEXT, b""),
        (TEXT, b"other form"),
    ],
)
def test_everything_else_is(tmp_path, text, content):
    assert made(tmp_path / "a") != made(tmp_path / "b", text, content)


def test_what_looks_like_an_id_among_the_numbers_is_a_number(tmp_path):
    one, other = (weights(data=b"hparam_id\x1b" + number) for number in (b"12345678", b"12345679"))
    assert made(tmp_path / "a", content=one) != made(tmp_path / "b", content=other)
