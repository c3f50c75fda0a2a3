"""The shell of the action: what it asks burn-verify, and what it makes of the answer."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from burn_verify.core.target import Checkout, Target
from burn_verify.record.codec import environment_line, result_to_line, selection_line
from burn_verify.record.targets import target_environment, target_to_json
from reported import agrees, wrong

ROOT = Path(__file__).parents[3]
SHELL = ROOT / ".github" / "action"
FAKE = """\
#!{python}
import os, pathlib, sys
with open("said", "a") as file:
    file.write(repr(sys.argv[1:]) + "\\n")
if sys.argv[1] == "verify":
    record = next(word.partition("=")[2] for word in sys.argv if word.startswith("--burn-record="))
    pathlib.Path(record).write_text(pathlib.Path("record").read_text())
    sys.exit(int(os.environ["CODE"]))
if sys.argv[1] == "toolchain":
    print("burn-0.22.1-flex-0123.tar.zst")
    sys.exit(0)
from burn_verify.cli import main
main()
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a script of the action; it returns code, outputs, summary and what was asked."""
    tool = tmp_path / "bin" / "burn-verify"
    tool.parent.mkdir()
    tool.write_text(FAKE.format(python=sys.executable))
    tool.chmod(0o755)

    def run(script, code=0, results=(), **settings):
        _write_record(tmp_path / "record", results, settings.get("PULL_REQUEST"))
        places = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
        environment = {
            **settings,
            **{name: str(tmp_path / file) for name, file in places.items()},
            "RUNNER_TEMP": str(tmp_path),
            "CODE": str(code),
            "PATH": f"{tool.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "BURN_VERIFY_CACHE": str(tmp_path / "cache"),
        }
        done = subprocess.run(
            ["bash", str(SHELL / script)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        texts = {
            name: (tmp_path / name).read_text() if (tmp_path / name).exists() else "" for name in ("output", "summary")
        }
        outputs = dict(line.split("=", 1) for line in texts["output"].splitlines())
        said = (
            [eval(line) for line in (tmp_path / "said").read_text().splitlines()]
            if (tmp_path / "said").exists()
            else []
        )
        return done, outputs, texts["summary"], said

    return run


def _write_record(path, results, pull_request):
    """Write a record; of a pull request, with a base on which everything agrees."""
    targets = [Target(burn_onnx_checkout=Checkout(path=Path(), digest=name)) for name in ("1" * 9, "2" * 9)]
    chosen = targets if pull_request else [Target()]
    environment = {**target_environment(chosen[0]), "targets": [target_to_json(target) for target in chosen]}
    lines = [environment_line(environment), selection_line(one.case_id for one in results)]
    for target in chosen:
        sides = [agrees(one.case_id) for one in results] if pull_request and target is targets[0] else results
        lines += [result_to_line(one, target) for one in sides]
    path.write_text("".join(f"{line}\n" for line in lines))


def test_models_options_and_names_with_spaces_arrive_whole(run):
    done, outputs, _, said = run(
        "verify.sh",
        results=[agrees("file/a")],
        MODELS="a b.onnx\n\nmodels/*.onnx\r\n",
        OPS="Conv,Gemm",
        BURN_BACKEND="",
        EXPECTATIONS="it's.toml",
        OPTIONS="--burn-timeout=9\n--judge=strict",
    )

    assert done.returncode == 0, done.stderr
    assert said[0][2:] == [
        *("--ops=Conv,Gemm", "--burn-expectations=it's.toml", "--burn-timeout=9", "--judge=strict"),
        *("a b.onnx", "models/*.onnx"),
    ]
    assert (outputs["code"], outputs["comment"]) == ("0", "")
    assert Path(outputs["record"]).is_file()


def test_failing_cases_are_named_in_the_summary_and_fail_the_step(run):
    done, outputs, summary, _ = run("verify.sh", 1, [agrees("file/good"), wrong("file/bad")], MODELS="x.onnx")

    assert (done.returncode, outputs["code"]) == (1, "1")
    assert "file/bad" in summary
    assert "file/good" not in summary


@pytest.mark.parametrize("code", [3, 130])
def test_an_error_is_handed_on_without_a_report(run, code):
    done, outputs, summary, said = run("verify.sh", code, [agrees("file/a")], MODELS="x.onnx")

    assert (done.returncode, outputs["code"], summary, len(said)) == (code, str(code), "", 1)


@pytest.mark.parametrize(
    ("project", "make", "code", "title"),
    [("burn-onnx", wrong, 1, "1 newly wrong"), ("burn", agrees, 0, "nothing changed")],
)
def test_a_pull_request_is_judged_by_what_became_worse(run, project, make, code, title):
    done, outputs, summary, said = run(
        "verify.sh", 1, [make("node/a")], PULL_REQUEST=project, BASE="abc", CHECKOUT=".", CONFORMANCE="node"
    )

    assert done.returncode == code, done.stderr
    assert said[0][2:] == ["--conformance=node", f"--{project}-path=.@abc,.", "--only-changed"]
    assert outputs["code"] == str(code)
    assert title in Path(outputs["comment"]).read_text()
    assert title in summary


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"PULL_REQUEST": "burn"}, "needs base"), ({"PULL_REQUEST": "other", "BASE": "abc"}, "burn-onnx, burn or empty")],
)
def test_a_mistake_is_an_annotation(run, settings, message):
    done, _, _, said = run("verify.sh", **settings)

    assert (done.returncode, said) == (4, [])
    assert done.stderr.startswith("::error::")
    assert message in done.stderr


def test_the_key_of_the_cache_is_that_of_the_toolchain(run):
    done, _, _, said = run("key.sh", RUNNER_OS="Linux", BURN_VERSION="0.21.0")

    assert done.stdout == "key=Linux-burn-0.22.1-flex-0123\n"
    assert said == [["toolchain", "pack", "--key", "--burn-version=0.21.0"]]


def test_several_versions_and_backends_have_a_key_of_all(run):
    done, _, _, said = run("key.sh", RUNNER_OS="Linux", BURN_VERSION="0.21.0,latest", BURN_BACKEND="flex,ndarray")

    assert done.stdout == f"key=Linux{4 * '-burn-0.22.1-flex-0123'}\n"
    assert [words[3:] for words in said] == [
        [f"--burn-version={version}", f"--burn-backend={backend}"]
        for version in ("0.21.0", "latest")
        for backend in ("flex", "ndarray")
    ]


def test_every_input_reaches_the_script_and_nothing_is_pasted_into_shell():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = action["runs"]["steps"]
    texts = yaml.safe_dump(steps)
    (verify,) = [step for step in steps if step.get("id") == "run"]

    assert all(f"inputs.{name} " in texts for name in action["inputs"])
    assert not any("${{" in step.get("run", "") for step in steps)
    used = (SHELL / "verify.sh").read_text()
    assert all(f"{name}" in used for name in verify["env"] if name != "ACTION")
    assert all(shlex.split(step["run"], comments=True) for step in steps if "run" in step)
