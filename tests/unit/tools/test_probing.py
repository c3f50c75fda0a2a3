"""The page of probes says what the rows say, and a program is damaged where its weights and answers lie."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from probing import Row, answer_in, page, weight_in

RED = (
    (1, "the embedded weights are not those that were verified: sha256 1, expected 2"),
    (1, "y: max_abs=1e0, greatest error in units of the bound is 3e0, allowed 1e0 [seeded]"),
)
FINE = Row(
    model="a",
    platform="native",
    here="agrees",
    there="agrees",
    code=0,
    size=2_000_000,
    building=7,
    running=0.1,
    damaged=RED,
)
ROWS = [
    FINE,
    Row(model="b", platform="native", here="agrees", there="disagrees", why="y: far", code=1, size=1, damaged=RED),
    Row(model="c", platform="native", here="convert", why="no such operator"),
]


def test_a_page_counts_probes_and_names_those_that_differ():
    text = page(ROWS, "Made by hand.")

    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "native" in line]
    assert cells[0] == ["native", "3", "2", "1", "4 of 4"]
    assert cells[1] == ["a", "native", "agrees", "agrees", "2 MB", "7 s", "0.1 s"]
    assert "- c, native: convert: no such operator" in text
    assert "- b, native: disagrees: y: far" in text
    assert "- the embedded weights are not those that were verified: sha256 …" in text
    assert "- max_abs=…, greatest error in units of the bound is …, allowed …" in text


@pytest.mark.parametrize("damaged", [(), RED[:1], ((1, ""), (0, ""))])
def test_a_probe_that_damage_does_not_fail_is_not_as_it_should_be(damaged):
    assert FINE.alike
    assert not Row(model="a", platform="native", here="agrees", there="agrees", damaged=damaged).alike


def test_weights_are_found_behind_their_header():
    header = b"\xa2gtensors" + bytes(5)
    weights = b"NRUB\x01\x00" + len(header).to_bytes(4, "little") + header + bytes(3) + b"\x07"
    program = b"code NRUB more code" + weights

    assert program[weight_in(program)] == 7
    with pytest.raises(ValueError, match="no weights"):
        weight_in(b"code NRUB more code")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_an_answer_is_found(dtype):
    stored = save({"000/out/000": np.array([1, 0], dtype), "001/out/000": np.array([1], dtype)})
    program = b'{ "000/in/000" code' + stored + b"more code"

    place = answer_in(program)
    changed = program[:place] + bytes([program[place] ^ 0x10]) + program[place + 1 :]

    start = program.index(stored)
    came = load(changed[start : start + len(stored)])["000/out/000"]
    assert came.tobytes() != np.array([1, 0], dtype).tobytes()
    assert came[1] == 0
