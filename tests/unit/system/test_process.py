"""Short commands: what they print, and that nothing they say is lost where they fail."""

import contextlib
import os
import signal
import sys
import threading

import pytest

from burn_verify.core.errors import CommandFailed
from burn_verify.system.process import Commands, in_one_line, output_of, stream
from burn_verify.system.signals import ending_as_ctrl_c

CARGO = """\
    Updating crates.io index
error: failed to download `anstyle-wincon v3.0.11`

Caused by:
  unable to get packages from source

Caused by:
  attempting to make an HTTP request, but --offline was specified
"""


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_what_a_command_prints():
    assert output_of(python(r"import sys; sys.stdout.buffer.write(b' caf\xc3\xa9 \xff\n')")) == "café \ufffd"
    assert output_of(python("import sys; print(repr(sys.stdin.read()))")) == "''", "nobody types for it"


@pytest.mark.parametrize(
    ("script", "code", "words", "summary"),
    [
        ("import sys; sys.exit('first\\nfatal: second\\nthird')", 1, "first\nfatal: second\nthird", "fatal: second"),
        ("import sys; print('on stdout'); sys.exit(3)", 3, "on stdout", "on stdout"),
        ("import sys; sys.exit(7)", 7, "exit code 7", "exit code 7"),
        ("raise ValueError('why')", 1, "ValueError: why", "ValueError: why"),
        (
            "import os, sys; print('words', file=sys.stderr, flush=True); os.kill(os.getpid(), 6)",
            -6,
            "words",
            "it was ended by SIGABRT",
        ),
    ],
)
def test_a_command_that_fails_keeps_its_words(script, code, words, summary):
    with pytest.raises(CommandFailed) as caught:
        output_of(python(script))
    assert caught.value.code == code
    assert caught.value.words.endswith(words)
    assert caught.value.summary == summary
    assert str(caught.value) == f"{sys.executable} -c failed: {summary}"


def test_a_command_that_is_not_there(tmp_path):
    with pytest.raises(CommandFailed, match="it cannot be started: No such file") as caught:
        output_of([str(tmp_path / "nothing")])
    assert caught.value.code is None


def test_a_command_that_takes_too_long():
    slow = "import sys, threading; print('waiting for a lock', file=sys.stderr, flush=True); threading.Event().wait()"
    with pytest.raises(CommandFailed, match=r"no answer within 0\.5 s") as caught:
        output_of(python(slow), timeout=0.5)
    assert caught.value.code is None
    assert caught.value.words in ("waiting for a lock", "no answer within 0.5 s")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            CARGO,
            "error: failed to download `anstyle-wincon v3.0.11`: unable to get packages from source: "
            "attempting to make an HTTP request, but --offline was specified",
        ),
        (
            "Traceback:\n  File\nModuleNotFoundError: No module named 'onnx'\n",
            "ModuleNotFoundError: No module named 'onnx'",
        ),
        ("one\n\n", "one"),
        (" \n", ""),
        ("", ""),
    ],
)
def test_one_line_is_the_first_error_with_its_causes(words, line):
    assert in_one_line(words) == line


def test_commands_on_threads_end_together(tmp_path):
    commands, up = Commands(), threading.Barrier(3)
    codes = []

    def none(value):
        return None

    def run():
        argv = python("import threading; print('up', flush=True); threading.Event().wait()")
        codes.append(
            stream(
                argv,
                cwd=tmp_path,
                env=os.environ,
                on_stdout=lambda line: none(up.wait()),
                on_stderr=none,
                among=commands,
            )
        )

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    up.wait()
    commands.end()
    for thread in threads:
        thread.join()
    assert codes == [-9, -9]
    with pytest.raises(CommandFailed, match="the run is over"), commands.started(python(""), tmp_path, {}):
        pass


@pytest.mark.parametrize("stage", ["before", "meanwhile"])
def test_an_interrupt_that_was_lost_ends_a_command_that_says_nothing(tmp_path, stage):
    def lose(text=""):
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)

    def run():
        if stage == "before":
            lose()
        said = "pass;" if stage == "before" else "print('a line', flush=True);"
        wait = python(f"{said} import threading; threading.Event().wait()")
        stream(wait, cwd=tmp_path, env=os.environ, on_stdout=lose, on_stderr=print)

    with pytest.raises(KeyboardInterrupt), ending_as_ctrl_c():
        run()
