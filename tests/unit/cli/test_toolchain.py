"""The command ``burn-verify toolchain``."""

import pytest


def test_the_key_of_an_archive_needs_no_build(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("toolchain", "pack", "--key")
    other = command("toolchain", "pack", "--key", "--burn-backend", "ndarray")[1]

    assert code == 0
    assert out.startswith("burn-0.22.1-flex-")
    assert out != other
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("unpack", "gone"), "cannot be unpacked: No such file"),
        (("pack", "-o", "gone/x"), "there is no folder gone"),
        (("pack", "--burn-backend", "flex,wgpu"), "2 targets: choose one"),
        ((), "pack|unpack"),
    ],
)
def test_a_mistake_is_one_line(command, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("toolchain", *words)

    assert (code, out) == (4, "")
    assert message in err
