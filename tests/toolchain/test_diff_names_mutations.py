"""Five cases whose generated code was tampered with between two runs: ``diff`` names exactly these, rightly."""

import subprocess
import sys

import pytest

from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import environment_line, result_to_line
from toolchain.helpers import OwnCache, replacing
from toolchain.test_mutated_models_are_blamed import CHANGES, outcomes

TAMPERED = {
    **CHANGES,
    "node/test_floor": replacing("x.floor()", "x.floor().add_scalar(1.0f32)"),
    "node/test_tril_zero": lambda text: f'{text}\ncompile_error!("spoilt");\n',
}
WORDS = {
    "Newly wrong": ["node/test_abs", "node/test_floor"],
    "Regressed": ["node/test_relu", "node/test_neg"],
    "Moved": ["node/test_tril_zero"],
}


@pytest.fixture(scope="module")
def records(cache: OwnCache, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("records")
    for name, changes in (("before", {}), ("after", TAMPERED)):
        results = outcomes(cache, changes).values()
        lines = [result_to_line(result, Target()) for result in results]
        store.append(folder / f"{name}.jsonl", [environment_line({"burn_backend": "flex"}), *lines])
    return folder


def diff(*paths):
    command = [sys.executable, "-c", "from burn_verify.cli.main import main; main()", "diff", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_exactly_these_five_are_told_with_the_right_words(records):
    done = diff(records / "before.jsonl", records / "after.jsonl")
    parts = done.stdout.split("\n\n")
    told = {part.partition(":")[0].partition(" (")[0]: part for part in parts[1:]}

    assert done.returncode == 1
    assert "2 newly wrong (2 agreed before), 2 regressed, 1 moved, 5 as before" in parts[0]
    assert {name: [line.split()[0] for line in part.splitlines()[3:]] for name, part in told.items()} == WORDS
    assert "agrees    wrong numbers: y: float32[3,4,5]" in told["Newly wrong"]
    assert "agrees    does not compile: E0599" in told["Regressed"]
    assert "agrees    fails at run time" in told["Regressed"]
    assert "fails at run time: panic: Reshape" in told["Moved"]


def test_the_other_way_round_all_are_mended(records):
    done = diff(records / "after.jsonl", records / "before.jsonl")

    assert done.returncode == 0
    assert "1 moved, 4 fixed, 5 as before" in done.stdout
