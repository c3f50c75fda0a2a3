"""Small facts in the cache."""

import pytest

from burn_verify.system.notes import Notes


@pytest.fixture
def notes(cache):
    return Notes(cache, "forecast", "0123456789abcdef")


def test_what_is_noted_is_read(notes):
    assert notes.read("a") is None
    notes.write("a", {"ending": "agrees", "sure": 0.5})
    assert notes.read("a") == {"ending": "agrees", "sure": 0.5}


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"ending": "agrees", "sure": 0.5}'])
def test_a_damaged_note_is_none(notes, cache, damage):
    notes.write("a", {"ending": "agrees", "sure": 0.5})
    (path,) = cache.root.rglob("a.json")
    path.write_bytes(damage)
    assert notes.read("a") is None
    path.write_bytes(path.read_bytes().replace(b"0.5", b"0.6"))
    assert notes.read("a") is None


def test_a_note_that_cannot_be_written_is_left_out(notes, cache):
    notes.write("a", {"sure": 1})
    (path,) = cache.root.rglob("a.json")
    path.unlink()
    path.mkdir()
    notes.write("a", {"sure": 2})
    assert notes.read("a") is None
