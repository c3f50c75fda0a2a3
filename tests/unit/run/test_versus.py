"""Which answers of two folders are paired, and how a verdict over several outputs is split."""

from pathlib import Path

import pytest

from burn_verify.run.kept_outputs import Kept
from burn_verify.run.versus import paired


def kept(*names):
    return [
        Kept(path=Path(name), notes=dict(zip(("case", "data_set"), name.split(":"), strict=True))) for name in names
    ]


@pytest.mark.parametrize(
    ("mine", "theirs", "pairs", "left"),
    [
        (["a:s"], ["a:s"], ["a:s a:s"], []),
        (["a:s", "a:t"], ["a:t", "a:s"], ["a:s a:s", "a:t a:t"], []),
        (["a:s", "b:s"], ["b:s", "c:s"], ["b:s b:s"], ["a only A has it", "c only B has it"]),
        (["a:s", "a:t"], ["b:s"], ["a:s b:s"], ["a only A has it"]),
        (["a:s"], ["b:s", "c:s"], [], ["a only A has it", "b only B has it", "c only B has it"]),
    ],
)
def test_paired(mine, theirs, pairs, left):
    found, left_out, notes = paired(kept(*mine), kept(*theirs))

    assert [f"{one.path} {other.path}" for one, other in found] == pairs
    assert [f"{one.case} {one.why}" for one in left_out] == left
    assert bool(notes) == (pairs[:1] == ["a:s b:s"])
