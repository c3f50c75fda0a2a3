"""The commands and files of a page of docs/, for tests that do what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from burn_verify.cli import main
from fakes import Faults, seams

TESTS = Path(__file__).parent
CONFTEST = "from fakes import seams\n\n\ndef pytest_burn_verify_seams():\n    return seams()\n"


def code_of(text, kind):
    """Return the blocks of a kind, in their order."""
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands_of(text):
    """Return the lines to be typed."""
    return [line for block in code_of(text, "sh") for line in block.splitlines() if line.strip()]


def run(command, capsys, faults=None, code=0):
    """Run a command of burn-verify with stand-ins for the engines; return what it prints."""
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:], seams(faults or Faults()))
    out, err = capsys.readouterr()
    assert ended.value.code == code, f"{command}\n{out}{err}"
    return out


def run_pytest(command, pytester):
    """Run a command of pytest with stand-ins for the engines; return its lines."""
    pytester.makeini(f"[pytest]\npythonpath = {TESTS}\n")
    pytester.makeconftest(CONFTEST)
    done = pytester.runpytest_subprocess(*shlex.split(command)[1:])
    assert done.ret == 0
    return done.outlines


def save_tokenizer(path, words):
    """Save a tokenizer of words with their ids; ``[UNK]`` is one of them."""
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(path))
