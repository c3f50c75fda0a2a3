"""What programs of hostile models try, and what stops it. A C compiler is not needed: a shell and Python try it."""

import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from burn_verify.core.errors import ProcessDied, ToolchainError
from burn_verify.core.option_values import Sandbox
from burn_verify.core.stage import FailureKind
from burn_verify.system import sandbox
from burn_verify.system.resident import Resident

pytestmark = pytest.mark.skipif(bool(sandbox.lacking()), reason=sandbox.lacking() or "it can")


def tried(script, writable=(), processes=None, **options):
    """Run Python source within the walls."""
    words = [*sandbox.prefix(Sandbox.ON, writable), sys.executable, "-c", script]
    if processes is not None:
        words[words.index(str(sandbox.PROCESSES))] = str(processes)
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


def test_it_may_write_into_its_folder_and_nowhere_else(tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    done = tried(f"open({str(own / 'a')!r}, 'w').close(); open({str(other / 'b')!r}, 'w').close()", [own])

    assert "Read-only file system" in done.stderr
    assert [path.name for path in tmp_path.rglob("?")] == ["a"]


@pytest.mark.parametrize("path", ["~/.bashrc", "~/.cargo/config.toml", "/etc/passwd", "/tmp/x", "/dev/shm/x"])
def test_files_of_the_user_and_of_the_system_cannot_be_written(path):
    done = tried(f"import os; open(os.path.expanduser({path!r}), 'a')")

    assert "Error" in done.stderr
    assert done.returncode == 1


def test_the_model_cannot_be_replaced_or_removed(tmp_path):
    (tmp_path / "model.onnx").write_text("model")
    done = tried(f"import os; os.remove({str(tmp_path / 'model.onnx')!r})")

    assert "Read-only file system" in done.stderr
    assert (tmp_path / "model.onnx").read_text() == "model"


def test_there_is_no_network_not_even_to_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for address in (("127.0.0.1", port), ("192.0.2.1", 80)):
            done = tried(f"import socket; socket.create_connection({address!r}, 3)")
            assert "OSError" in done.stderr or "Refused" in done.stderr


def test_other_processes_cannot_be_seen_or_ended():
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        done = tried(f"import os\ntry: os.kill({bystander.pid}, 9)\nexcept OSError: pass\nos.kill(-1, 9)")
        assert bystander.poll() is None
        assert done.returncode in (0, 1)
    finally:
        bystander.kill()
        bystander.wait()


MARK = f"left-by-the-test-{os.getpid()}"
"""In the source of what should end: another run of these tests on this machine has its own."""


def staying():
    """Return the processes with the mark that stay: the kernel ends those of a namespace after its first one."""
    found = [one for one in psutil.process_iter(["cmdline"]) if any(MARK in word for word in one.info["cmdline"] or ())]
    return psutil.wait_procs(found, timeout=30)[1]


def test_what_it_leaves_running_ends_with_it():
    done = tried(f"import os, time  # {MARK}\nif not os.fork():\n    os.setsid()\n    os.close(1)\n    time.sleep(60)")

    assert done.returncode == 0
    assert staying() == []


def test_privileges_cannot_be_had_back():
    script = """
import ctypes, subprocess
libc = ctypes.CDLL(None, use_errno=True)
print(libc.mount(b"none", b"/", None, 32 | 4096, None), libc.unshare(0x00020000), libc.umount2(b"/proc", 2))
print(open("/proc/self/status").read())
"""
    done = tried(script)

    assert done.stdout.splitlines()[0] == "-1 -1 -1"
    assert "CapEff:\t0000000000000000" in done.stdout
    assert "NoNewPrivs:\t1" in done.stdout


@pytest.mark.skipif(os.getuid() == 0, reason="the kernel does not count processes of root")
def test_a_fork_bomb_is_limited():
    done = tried("import os\nwhile True: os.fork()", processes=20)

    assert "Resource temporarily unavailable" in done.stderr


def test_a_fork_bomb_is_ended_with_its_request(cache):
    bomb = f"import os, time  # {MARK}\nfor _ in range(5): os.fork()\nos.setsid()\ntime.sleep(60)"
    words = [*sandbox.prefix(Sandbox.ON), sys.executable, "-c", bomb]
    process = Resident(words, role="bomb", log=cache.folder("logs") / "log", start_timeout=3)
    with pytest.raises(ProcessDied) as caught:
        process.request({}, timeout=1)
    process.close()

    assert caught.value.kind is FailureKind.TIMEOUT
    assert staying() == []


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("raise SystemExit(7)", 7),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 11)", -signal.SIGSEGV),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_it_ends_as_its_command_ends(script, code):
    assert tried(script).returncode == code


def test_a_command_that_is_missing_is_said():
    done = subprocess.run([*sandbox.prefix(Sandbox.ON), "/no/such"], capture_output=True, text=True, check=False)

    assert "not confined: No such file" in done.stderr
    assert done.returncode == 125


def test_off_is_no_prefix_and_auto_is_that_of_on():
    assert sandbox.prefix(Sandbox.OFF) == ()
    assert sandbox.prefix(Sandbox.AUTO) == sandbox.prefix(Sandbox.ON)


def test_a_folder_that_is_missing_cannot_be_opened(tmp_path):
    done = tried("", [tmp_path / "gone"])

    assert done.returncode == 125


def test_the_error_names_the_option(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    sandbox.lacking.cache_clear()
    try:
        with pytest.raises(ToolchainError, match="--burn-sandbox on: there are no namespaces on win32"):
            sandbox.prefix(Sandbox.ON)
        assert sandbox.prefix(Sandbox.AUTO) == ()
    finally:
        monkeypatch.undo()
        sandbox.lacking.cache_clear()
