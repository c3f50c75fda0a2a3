"""The command ``burn-verify sweep``: shards, deaths and damage, and always the same tables as one run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from burn_verify.core.errors import ConvertError
from burn_verify.record import store
from fakes import Faults, seams
from swept import killed, models, picklable

pytest.importorskip("duckdb")

TABLES = ("results", "outputs")
TESTS = Path(__file__).parents[2]


@pytest.fixture
def swept(command, tmp_path, monkeypatch):
    """Return a function that sweeps the models in ``in`` into a folder."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *sys.path]))

    def run(*words, out="out", made=None):
        return command("sweep", tmp_path / "in", "--out", tmp_path / out, *words, seams=made or seams())

    return run


@pytest.fixture
def tables(tmp_path):
    return lambda out: [(tmp_path / out / f"{name}.parquet").read_bytes() for name in TABLES]


def test_three_shards_are_one_run(swept, tables, tmp_path):
    models(tmp_path / "in", 6)
    assert swept(out="one")[0] == 0
    for index in (2, 3, 1):
        code, out, _ = swept("--shard", f"{index}/3")
        assert code == 0
    (record,) = store.read_run(tmp_path / "out" / "record.jsonl")

    assert tables("out") == tables("one")
    assert len(record.results) == 6
    assert "agree (100% of all)" in out


def test_a_shard_that_is_killed_and_a_record_that_is_cut_lose_nothing(swept, tables, tmp_path):
    models(tmp_path / "in", 9)
    assert swept(out="one")[0] == 0
    for index in (1, 2):
        assert swept("--shard", f"{index}/3")[0] == 0
    # The third is killed in a process of its own, in the middle of its models.
    script = (
        "import sys; from burn_verify.cli import main; from swept import killed, picklable; from fakes import Faults\n"
        "main(sys.argv[1:], picklable(Faults({('run', name): killed for name in ('m004', 'm005', 'm006')})))"
    )
    words = ["sweep", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--shard", "3/3"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, check=False)
    cut = tmp_path / "out" / "shards" / "0001-of-0003.jsonl"
    cut.write_bytes(cut.read_bytes()[:-1500])

    assert done.returncode == -9
    code, _, err = swept("--gather")
    assert code == 2
    assert "have no result on Burn" in err
    assert swept()[0] == 0
    assert tables("out") == tables("one")


def test_all_shards_through_submitit_are_one_run_although_one_dies(swept, tables, tmp_path):
    pytest.importorskip("submitit")
    models(tmp_path / "in", 6)
    assert swept(out="one")[0] == 0
    once = tmp_path / "once"
    faults = Faults({("run", "m004"): Once(once)})
    code, _, err = swept("--shards", "3", "--parallel", "3", made=picklable(faults))

    assert once.exists()
    assert (code, err.count("died")) == (0, 0)
    assert tables("out") == tables("one")


class Once:
    """A fault that kills its process once; a file remembers it."""

    def __init__(self, path):
        self.path = path

    def __call__(self, outputs):
        if not self.path.exists():
            self.path.touch()
            killed(outputs)
        return outputs


def test_a_model_that_fails_is_code_1_and_its_shard_alone_counts(swept, tmp_path):
    models(tmp_path / "in", 4)
    broken = seams(Faults({("convert", "m002"): ConvertError("no", "no")}))
    codes = [swept("--shard", f"{index}/2", made=broken)[0] for index in (1, 2)]

    assert sorted(codes) == [0, 1]
    assert swept(made=broken)[0] == 1
    expected = tmp_path / "expected.toml"
    expected.write_text('[[expect]]\npattern = "file/m002"\nstage = "convert"\nreason = "known"\n')
    assert swept("--burn-expectations", expected)[0] == 0


def test_cover_runs_first_what_adds_most(swept, tmp_path):
    models(tmp_path / "in", 12)
    code, out, _ = swept("--cover")
    assert code == 0
    assert "models hold 4 operators" in out
    assert "each of the others adds nothing" in out
    code, out, _ = swept("--cover", "2", out="two")
    assert code == 0
    assert "the rest could add 2 operators and " in out
    assert len(store.read_run(tmp_path / "two" / "record.jsonl")[0].results) == 2


def test_the_kubernetes_manifest_repeats_the_command(swept, tmp_path):
    models(tmp_path / "in", 1)
    code, out, _ = swept("--shards", "8", "--kubernetes", "image:1", "--burn-timeout", "7", "--burn-dim", "n=2")
    container = yaml.safe_load(out)["spec"]["template"]["spec"]["containers"][0]

    assert code == 0
    assert " --burn-dim=n=2 --burn-timeout=7 --shard " in container["command"][2]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--shard", "1/2", "--shards", "2"), "say one of them"),
        (("--gather", "--shards", "2"), "say one of them"),
        (("--gather",), "no sweep was begun there"),
        (("--parallel", "2"), "say --shards N too"),
        (("--shards", "2", "--slurm", "x=1"), "say --cluster slurm too"),
        (("--shards", "0"), "--shards: a number from 1"),
        (("--kubernetes", "x"), "need a number of parts: --shards N"),
        (("--cover", "-1"), "--cover"),
        (("--shards", "2", "--cluster", "slurm", "--slurm", "x"), "--slurm: KEY=VALUE is needed"),
        (("--burn-backend", "none"), "--burn-backend"),
        (("--only-changed",), "unrecognized arguments: --only-changed"),
    ],
)
def test_a_mistake_is_one_line(swept, tmp_path, words, message):
    models(tmp_path / "in", 1)
    code, out, err = swept(*words)

    assert (code, out) == (4, "")
    assert message in err
    assert "Traceback" not in err


def test_nothing_is_written_into_a_folder_of_something_else(swept, tmp_path):
    models(tmp_path / "in", 1)
    code, _, err = swept(out="in")

    assert code == 4
    assert "something else than a sweep" in err
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["m000.onnx"]
