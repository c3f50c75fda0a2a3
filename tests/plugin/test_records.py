"""What is made of records: shards put together, reports, differences, history; and machines that cannot do the work."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from burn_verify.record import store
from burn_verify.report.summary.columns import merge

FIXTURES = Path(__file__).parents[2] / "fixtures"
MODELS = ",".join(str(FIXTURES / f"{name}.onnx") for name in ("add", "matmul", "two_outputs"))
pytestmark = pytest.mark.usefixtures("as_a_user")


def burn_verify(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from burn_verify.cli.main import main; main()", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def recorded(run, tmp_path):
    """Run pytest on the three models; return the record under a name of its own."""

    def recorded(name, *arguments):
        done, _ = run("--models", MODELS, *arguments)
        assert done.ret == 0
        return Path(shutil.copy("record.jsonl", tmp_path / f"{name}.jsonl"))

    return recorded


def same(matrix):
    return {case_id: (result.stage, result.outcome, result.metrics) for case_id, (result,) in matrix.rows.items()}


def test_shards_put_together_are_the_whole_run(recorded, tmp_path):
    whole = recorded("whole")
    shards = [recorded("1", "--shard=1/2"), recorded("2", "--shard", "2/2", "-n2")]
    merged = merge([store.read(path) for path in shards])

    assert same(merged) == same(merge([store.read(whole)]))
    assert merged.complete
    done = burn_verify("report", *shards, "--out", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "site" / "matrix.json").read_text())["targets"][0]["numbers"]["agree"] == 3
    assert burn_verify("diff", whole, *shards).returncode == 0


def test_shards_are_balanced_by_a_record_that_all_are_given(recorded):
    costs = recorded("whole")
    lines = costs.read_text().replace('"run": ', '"run": 9')
    costs.write_text(lines)
    shards = [store.read(recorded(str(n), f"--shard={n}/3", f"--burn-shard-costs={costs}")) for n in (1, 2, 3)]

    assert [len(record.results) for record in shards] == [1, 1, 1]
    assert merge(shards).complete


def test_a_shard_that_died_is_missing_in_matrix_and_exit_code(recorded, tmp_path):
    first, second = recorded("1", "--shard=1/2"), recorded("2", "--shard=2/2")
    lines = [line for line in second.read_text().splitlines() if '"kind": "result"' not in line]
    second.write_text("\n".join(lines[:2]) + "\n")
    for given, said in (
        ([first], "shard 2 of 2 of Burn 0.22.1 on flex is missing"),
        ([first, second], "shard 2 of 2 of Burn 0.22.1 on flex is not counted: it holds no result"),
    ):
        site = tmp_path / str(len(given))
        done = burn_verify("report", *given, "--out", site)
        made = json.loads((site / "matrix.json").read_text())

        assert done.returncode == 1
        assert said in done.stderr
        assert said in (site / "index.html").read_text()
        assert said in (site / "compatibility-matrix.md").read_text()
        assert not made["complete"]
        assert made["targets"][0]["numbers"]["total"] == 3
        assert made["targets"][0]["numbers"]["missing"] == 3 - made["targets"][0]["numbers"]["agree"] > 0


def test_a_case_of_the_dead_shard_is_a_row(recorded, tmp_path):
    first, second = recorded("1", "--shard=1/2"), recorded("2", "--shard=2/2")
    lost = [result.case_id for result in store.read(second).results]
    second.write_text("\n".join(line for line in second.read_text().splitlines() if '"kind": "result"' not in line))
    burn_verify("report", first, second, "--out", tmp_path / "site")
    cells = json.loads((tmp_path / "site" / "matrix.json").read_text())["cases"]

    assert lost
    assert all(cells[case_id] == [{"state": "missing"}] for case_id in lost)


def test_a_previous_run_without_a_folder_is_a_usage_error(recorded):
    record = recorded("r")
    done = burn_verify("report", record, "--previous", record)

    assert (done.returncode, "are for --out DIR" in done.stderr) == (4, True)


@pytest.mark.parametrize("value", ["0/2", "3/2", "half"])
def test_a_shard_that_cannot_be_is_a_usage_error(run, value):
    done, _ = run("--models", MODELS, "--shard", value)
    assert done.ret == 4
    done.stderr.fnmatch_lines([f"*--shard: I/N is needed, such as 1/4 to 4/4, not '{value}'*"])


def test_a_shard_of_nothing_is_no_failure(tmp_path):
    record = tmp_path / "r.jsonl"
    done = burn_verify("verify", FIXTURES / "add.onnx", "--shard=2/2", f"--burn-record={record}")
    assert done.returncode == 0, done.stderr
    assert store.read(record).selection == ()


def test_without_cargo_nothing_is_reported(recorded, tmp_path):
    before, after = recorded("before"), tmp_path / "after.jsonl"
    # Its own cache: where all is compiled, nobody asks for cargo.
    run = burn_verify(
        "verify",
        FIXTURES / "add.onnx",
        f"--burn-record={after}",
        f"--burn-cache-dir={tmp_path / 'cache'}",
        PATH="/nowhere",
    )
    report = burn_verify("report", after, "--out", tmp_path / "site")
    diff = burn_verify("diff", before, after)

    assert run.returncode == 3
    assert (report.returncode, diff.returncode) == (2, 2)
    for done in (report, diff):
        assert "nothing to report: Burn 0.22.1 on flex was not run: cargo was not found: install Rust" in done.stderr
    assert not (tmp_path / "site").exists()


def test_a_broken_onnxruntime_is_not_told_as_a_failure_of_burn(recorded, tmp_path):
    before, after = recorded("before"), tmp_path / "after.jsonl"
    broken = tmp_path / "path" / "onnxruntime"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libonnxruntime.so: no such file')")
    models = tmp_path / "models"
    models.mkdir()
    for number in range(6):
        # Of a content of their own: a reference that is kept needs no ONNX Runtime.
        model = onnx.load(FIXTURES / "add.onnx")
        model.doc_string = f"{tmp_path} {number}"
        onnx.save(model, models / f"{number}.onnx")
    run = burn_verify("verify", models, f"--burn-record={after}", PYTHONPATH=str(broken.parent))
    report = burn_verify("report", after, "--out", tmp_path / "site")

    assert run.returncode == 1
    assert {result.stage for result in store.read(after).results} == {"reference"}
    assert report.returncode == 2
    assert "6 of 6 cases had nothing to be compared with" in report.stderr
    assert "that is this machine's fault, not Burn's" in report.stderr
    assert not (tmp_path / "site").exists()
    assert burn_verify("diff", before, after).returncode == 2


def test_runs_are_kept_and_told(recorded, tmp_path):
    record, kept = recorded("r"), tmp_path / "kept"
    for number in (1, 2):
        done = burn_verify("history", kept, "--add", record)
        assert done.returncode == 0, done.stderr
        assert f"kept as {kept}/000{number}_" in done.stdout
    names = sorted(path.name for path in kept.iterdir())
    # An installed release knows of no commit.
    commit = (store.read(record).environment["commit"] or "release")[:12]
    assert names[0].startswith(f"0001_{commit}_20")
    totals = burn_verify("history", kept).stdout.splitlines()
    assert [line.split()[-4:] for line in totals[2:]] == [["3", "3", "0", "0"]] * 2
    past = burn_verify("history", kept, "file/add")
    assert [line.split()[-1] for line in past.stdout.splitlines()[2:]] == ["agrees"] * 2
    unknown = burn_verify("history", kept, "file/none")
    assert (unknown.returncode, "knows file/none" in unknown.stderr) == (4, True)


def test_a_page_tells_what_changed_since_the_last_kept_run(recorded, tmp_path):
    record, kept = recorded("r"), tmp_path / "kept"
    older = tmp_path / "older.jsonl"
    older.write_text(record.read_text().replace('"started": "20', '"started": "19').replace("file/add", "file/gone"))
    burn_verify("history", kept, "--add", older)
    burn_verify("history", kept, "--add", record)
    summary = tmp_path / "summary.md"
    done = burn_verify(
        "report", record, "--out", tmp_path / "site", "--history", kept, GITHUB_STEP_SUMMARY=str(summary)
    )
    page = (tmp_path / "site" / "index.html").read_text()

    assert done.returncode == 0, done.stderr
    assert "1 vanished, 1 appeared, 2 as before" in page
    assert "3 of 3 in this run" in page
    assert "**1 vanished, 1 appeared, 2 as before**" in summary.read_text()
