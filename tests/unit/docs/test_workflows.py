"""The workflows of CI: what actionlint says of them, and that they run what is packaged."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from burn_verify.core.versions import DEFAULT, VERSIONS, resolve

ROOT = Path(__file__).parents[3]
WORKFLOWS = ROOT / ".github" / "workflows"
INSTALL = "no actionlint: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


@pytest.mark.parametrize("name", sorted(path.stem for path in WORKFLOWS.glob("*.yml")))
def test_actionlint_finds_nothing(name):
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip(INSTALL)
    done = subprocess.run([actionlint, str(WORKFLOWS / f"{name}.yml")], capture_output=True, text=True, check=False)

    assert done.stdout + done.stderr == ""


def test_the_nightly_run_is_of_every_packaged_burn():
    text = (WORKFLOWS / "nightly.yml").read_text(encoding="utf-8")
    targets = re.findall(r'burn: "(.+?)", backends: "(.+?)"', text)

    assert {burn for burn, _ in targets} == {version.burn for version in VERSIONS}
    for burn, backends in targets:
        assert set(backends.split(",")) <= set(resolve(burn).backends)
    assert (DEFAULT.burn, "flex,ndarray,wgpu") in targets


def test_there_are_as_many_shards_as_each_is_told():
    text = (WORKFLOWS / "nightly.yml").read_text(encoding="utf-8")
    indexes = re.search(r"shard: \[(.*)\]", text)[1].split(", ")

    assert indexes == [str(number) for number in range(1, int(re.search(r"SHARDS: (\d+)", text)[1]) + 1)]


def test_ci_runs_every_environment_of_tox():
    text = (WORKFLOWS / "ci.yml").read_text(encoding="utf-8")
    wanted = re.search(r"env_list = (.*)", (ROOT / "tox.ini").read_text(encoding="utf-8"))[1].split(", ")
    run = {name for names in re.findall(r"tox run -e (\S+)", text) for name in names.split(",")}

    assert run == set(wanted)
