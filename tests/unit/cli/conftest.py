"""The command line in this process: exit code, stdout and stderr."""

import pytest

from burn_verify.cli import main
from burn_verify.core.target import Target
from burn_verify.record.codec import environment_line, result_to_line
from burn_verify.run.seams import Seams


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))

    def run(*words, seams=None):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words], seams or Seams())
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a record of results."""

    def write(*results, name="run.jsonl", target=None, **environment):
        path = tmp_path / name
        lines = [environment_line(environment), *(result_to_line(result, target or Target()) for result in results)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
