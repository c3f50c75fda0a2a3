"""The manifest is YAML of an Indexed Job, and its script a shell line that says the shard."""

import subprocess

import yaml

from burn_verify.run.sweep.kubernetes import manifest


def job(*words):
    return yaml.safe_load(manifest(words, image='re"gistry/x:1', shards=8, parallel=3))


def test_it_is_an_indexed_job_with_a_limit_for_each_index():
    spec = job("burn-verify", "sweep")["spec"]

    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 8, 3)
    assert spec["backoffLimitPerIndex"] > 0
    assert spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [3, 4]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["template"]["spec"]["containers"][0]["image"] == 're"gistry/x:1'


def test_each_index_runs_its_shard_and_failures_of_models_are_results(tmp_path):
    shell, flag, script = job("fake sweep", "a b.txt", "--out", "it's")["spec"]["template"]["spec"]["containers"][0][
        "command"
    ]
    fake = tmp_path / "fake sweep"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > said\nexit $CODE\n')
    fake.chmod(0o755)

    def run(code):
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "JOB_COMPLETION_INDEX": "4", "CODE": str(code)}
        return subprocess.run([shell, flag, script], cwd=tmp_path, env=environment, check=False).returncode

    assert [run(code) for code in (0, 1, 2, 3, 137)] == [0, 0, 2, 3, 137]
    assert (tmp_path / "said").read_text().splitlines() == ["a b.txt", "--out", "it's", "--shard", "5/8"]
