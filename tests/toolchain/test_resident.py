"""A child process that crashes, hangs or lies: blamed rightly, ended for good, and started again."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from burn_verify.burn.convert import Converter, key_of
from burn_verify.burn.runner import Runner
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import ConvertError, ProcessDied, RunError
from burn_verify.core.stage import ConvertedModel, FailureKind, PreparedCase, RunnerBinary
from burn_verify.system.cache import Cache
from burn_verify.system.resident import Resident
from toolchain.helpers import fake_binary

SHORT = 0.3
LONG = 30.0

# Fault, timeout, how it is told, what is said.
FAULTS = [
    ("abort", LONG, "killed", "the process was ended by SIGABRT"),
    ("exit", LONG, "exited", "the process ended with exit code 7"),
    ("exit-quietly", LONG, "exited", "the process ended with exit code 0"),
    ("overflow", LONG, "killed", "stack overflow"),
    ("memory", LONG, "memory", "out of memory (limit 0 MiB)"),
    ("hang", SHORT, "timeout", "no answer within 0.3 s"),
    ("wrong-id", LONG, "protocol", "the runner broke the protocol: id 1 was expected, 2 came"),
    ("late", LONG, "protocol", "the runner broke the protocol: id 1 was expected, 0 came"),
    ("short-exit", LONG, "exited", "the process ended with exit code 0"),
    ("short-hang", SHORT, "timeout", "no answer within 0.3 s"),
    ("huge-header", LONG, "protocol", "the runner broke the protocol: a frame of 2147483648 + 0 bytes was announced"),
    ("huge-payload", LONG, "protocol", f"+ {1 << 62} bytes was announced"),
    ("not-json", LONG, "protocol", "the runner broke the protocol: Expecting value"),
    ("not-utf8", LONG, "protocol", "the runner broke the protocol: "),
    ("not-an-object", LONG, "protocol", "the runner broke the protocol: a header is a JSON object, got []"),
    ("bottomless", LONG, "protocol", "the runner broke the protocol: "),
]
STARTS = [
    ("abort", "killed", "the process was ended by SIGABRT"),
    ("exit", "exited", "the process ended with exit code 7"),
    ("garbage", "protocol", "the runner broke the protocol: a frame of"),
    ("not-json", "protocol", "the runner broke the protocol: Expecting value"),
    ("wrong-version", "protocol", "the runner broke the protocol: protocol 2 was expected, 999 came"),
    ("wrong-role", "protocol", "the runner broke the protocol: role 'runner' was expected, 'somebody else' came"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A resident fake, and the ids of every process it ever was."""

    resident: Resident
    pids_file: Path

    @property
    def pids(self) -> list[int]:
        return [int(line) for line in self.pids_file.read_text().split()]


def alive(pid: int) -> bool:
    """Say whether a process runs. One that was killed may need a moment, and its new parent may never reap it."""
    try:
        process = psutil.Process(pid)
        _, running = psutil.wait_procs([process], timeout=0 if process.status() == psutil.STATUS_ZOMBIE else 5)
        return any(one.status() != psutil.STATUS_ZOMBIE for one in running)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    made = []

    def make(role: str = "runner", start_timeout: float = LONG, **options: object) -> Child:
        pids = tmp_path / "pids"
        binary = fake_binary(tmp_path / "child", role, pids=pids, **options)
        made.append(
            Resident([str(binary)], role="runner", log=tmp_path / "logs" / "child.log", start_timeout=start_timeout)
        )
        return Child(resident=made[-1], pids_file=pids)

    yield make
    for resident in made:
        resident.close()


@pytest.mark.parametrize(("fault", "timeout", "how", "said"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_is_told_and_the_next_request_works(
    child: Callable[..., Child], fault: str, timeout: float, how: str, said: str
) -> None:
    one = child()
    with pytest.raises(ProcessDied) as died:
        one.resident.request({"fault": fault}, timeout=timeout)
    assert died.value.kind.how == how
    assert said in died.value.message
    assert "\n" not in died.value.message
    answer, payload = one.resident.request({"fine": True}, b"payload", timeout=LONG)
    assert answer["echo"]["fine"] is True
    assert payload == b"payload"
    dead, living = one.pids
    assert not alive(dead)
    one.resident.close()
    assert not alive(living)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("sigkill", FailureKind.ENDED_FROM_OUTSIDE),
        ("sigterm", FailureKind.ENDED_FROM_OUTSIDE),
        ("abort", FailureKind.KILLED),
        ("overflow", FailureKind.KILLED),
    ],
)
def test_a_signal_that_somebody_sent_is_no_fault_of_the_process(
    child: Callable[..., Child], fault: str, kind: FailureKind
) -> None:
    with pytest.raises(ProcessDied) as died:
        child().resident.request({"fault": fault}, timeout=LONG)
    assert died.value.kind is kind
    assert died.value.kind.how == "killed"


def test_a_program_that_is_not_there_is_not_started(tmp_path: Path) -> None:
    absent = Resident([str(tmp_path / "absent")], role="runner", log=tmp_path / "log")
    with pytest.raises(ProcessDied) as died:
        absent.request({}, timeout=LONG)
    assert died.value.kind is FailureKind.NOT_STARTED


@pytest.mark.parametrize(("fault", "how", "said"), STARTS, ids=[row[0] for row in STARTS])
def test_a_bad_handshake_is_told_and_the_next_start_works(
    child: Callable[..., Child], tmp_path: Path, fault: str, how: str, said: str
) -> None:
    one = child(start=fault, once=tmp_path / "once")
    with pytest.raises(ProcessDied) as died:
        one.resident.request({}, timeout=LONG)
    assert died.value.kind.how == how
    assert said in died.value.message
    assert one.resident.request({}, timeout=LONG)[0]["ok"]
    assert not alive(one.pids[0])


def test_a_child_that_never_shakes_hands_is_ended(child: Callable[..., Child], tmp_path: Path) -> None:
    # The next start has to be in time.
    one = child(start="hang", once=tmp_path / "once", start_timeout=2.0)
    with pytest.raises(ProcessDied, match=r"^the runner did not start within 2 s$") as died:
        one.resident.request({}, timeout=LONG)
    assert died.value.kind.how == "timeout"
    assert one.resident.request({}, timeout=LONG)[0]["ok"]
    assert not any(alive(pid) for pid in one.pids[:1])


def test_a_child_that_does_not_read_times_out(child: Callable[..., Child], tmp_path: Path) -> None:
    one = child(start="deaf", once=tmp_path / "once")
    with pytest.raises(ProcessDied) as died:
        one.resident.request({}, bytes(8 << 20), timeout=SHORT)
    assert died.value.kind.how == "timeout"
    payload = bytes(8 << 20)
    assert one.resident.request({}, payload, timeout=LONG)[1] == payload


def test_a_child_that_closes_its_output_and_lives_on_is_ended(child: Callable[..., Child]) -> None:
    one = child()
    with pytest.raises(ProcessDied, match=r"^the runner closed its output and went on$") as died:
        one.resident.request({"fault": "close-stdout"}, timeout=LONG)
    assert died.value.kind.how == "protocol"
    assert not alive(one.pids[0])
    assert one.resident.request({}, timeout=LONG)[0]["ok"]


@pytest.mark.parametrize("fault", ["family", "orphan"])
def test_what_a_child_started_ends_with_it(child: Callable[..., Child], fault: str) -> None:
    one = child()
    with pytest.raises(ProcessDied):
        one.resident.request({"fault": fault}, timeout=1.0)
    assert len(one.pids) == 2
    assert not any(alive(pid) for pid in one.pids)


def test_the_last_words_are_kept_and_belong_to_one_request(child: Callable[..., Child]) -> None:
    one = child()
    for _ in range(2):
        with pytest.raises(ProcessDied) as died:
            one.resident.request({"fault": "abort"}, timeout=LONG)
        assert died.value.log == "last words"
    with pytest.raises(ProcessDied) as died:
        one.resident.request({"fault": "exit"}, timeout=LONG)
    assert died.value.log == ""


def test_a_binary_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    resident = Resident([str(tmp_path / "missing")], role="runner", log=tmp_path / "log")
    with pytest.raises(ProcessDied, match=r"^the runner cannot be started: .*No such file"):
        resident.request({}, timeout=LONG)


def test_a_request_in_flight_ends_when_another_thread_closes(child: Callable[..., Child], tmp_path: Path) -> None:
    one = child()
    assert one.resident.request({}, timeout=LONG)[0]["ok"]
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(one.resident.request, {"fault": "gate", "gate": str(gate)}, timeout=LONG)
        # The child writes once it has the request, and then does nothing any more.
        assert gate.read_text() == "in flight"
        one.resident.close()
        with pytest.raises(ProcessDied) as died:
            waiting.result(timeout=LONG)
    assert died.value.kind.how == "killed"
    with pytest.raises(ProcessDied, match=r"^the runner was closed$"):
        one.resident.request({}, timeout=LONG)
    assert len(one.pids) == 1
    assert not alive(one.pids[0])


def test_it_gives_up_after_twenty_deaths_in_a_row(child: Callable[..., Child]) -> None:
    one = child()
    for _ in range(19):
        with pytest.raises(ProcessDied, match="exit code 7"):
            one.resident.request({"fault": "exit"}, timeout=LONG)
    # An answer starts the count again.
    one.resident.request({}, timeout=LONG)
    for _ in range(20):
        with pytest.raises(ProcessDied, match="exit code 7"):
            one.resident.request({"fault": "exit"}, timeout=LONG)
    started = len(one.pids)
    with pytest.raises(ProcessDied, match="died 20 times in a row and is not started again"):
        one.resident.request({}, timeout=LONG)
    assert len(one.pids) == started
    assert not any(alive(pid) for pid in one.pids)


def test_a_child_that_never_starts_is_given_up_too(child: Callable[..., Child]) -> None:
    one = child(start="wrong-role")
    for _ in range(20):
        with pytest.raises(ProcessDied, match="somebody else"):
            one.resident.request({}, timeout=LONG)
    with pytest.raises(ProcessDied, match="died 20 times in a row"):
        one.resident.request({}, timeout=LONG)
    assert len(one.pids) == 20
    assert not any(alive(pid) for pid in one.pids)


# ── the runner ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Callable[[float], Runner]]:
    made = []

    def make(timeout: float) -> Runner:
        binary = fake_binary(tmp_path / "runner", "runner")
        modules: frozenset[str] = frozenset()
        made.append(
            Runner(Cache(tmp_path), RunnerBinary(path=binary, modules=modules), timeout=timeout, memory_limit=0)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def converted(module: str) -> ConvertedModel:
    return ConvertedModel(label=module, module=module, rust=Path("model.rs"), weights=Path("model.bpk"), seconds=0.0)


@pytest.mark.parametrize(
    ("fault", "timeout", "how", "said"),
    [
        *(row for row in FAULTS if row[0] in ("abort", "exit", "memory", "hang", "wrong-id", "short-exit")),
        ("bad-payload", LONG, "protocol", "the runner's answer cannot be read: the payload is not safetensors"),
        ("no-ok", LONG, "protocol", "an answer is ok or has a message"),
        ("no-message", LONG, "protocol", "an answer is ok or has a message"),
    ],
)
def test_the_runner_blames_the_model_and_answers_the_next(
    runner: Callable[[float], Runner], fault: str, timeout: float, how: str, said: str
) -> None:
    one = runner(timeout)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    with pytest.raises(RunError) as failed:
        one.infer(converted(fault), [array], "flex")
    assert failed.value.details["how"] == how
    assert said in failed.value.message
    assert failed.value.reason.startswith(how)
    (output,) = one.infer(converted("m_fine"), [array], "flex").outputs
    np.testing.assert_array_equal(output, array)


# ── the converter ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def converter(tmp_path: Path) -> Iterator[Callable[[float], Converter]]:
    made = []

    def make(timeout: float) -> Converter:
        rust = tmp_path / "rust"
        rust.mkdir()
        (rust / "model.rs").write_text("// a model\n")
        (rust / "model.bpk").write_bytes(b"weights")
        binary = fake_binary(tmp_path / "converter", "converter", rust=rust)
        made.append(
            Converter(Cache(tmp_path), binary, "fake", simplify=True, partition=True, timeout=timeout, memory_limit=0)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def prepared(name: str) -> PreparedCase:
    path = Path(f"{name}.onnx")
    case = Case(id=f"file/{name}", corpus="file", source=ModelFile(path=path))
    return PreparedCase(case=case, model=path, digest=name, op_types=(), opset=17, inputs=(), outputs=())


@pytest.mark.parametrize(
    ("fault", "timeout", "how", "said"),
    [
        *(row for row in FAULTS if row[0] in ("abort", "exit", "memory", "hang", "short-exit")),
        ("wrong-id", LONG, "protocol", "the converter broke the protocol"),
        ("no-ok", LONG, "protocol", "an answer is ok or has a message"),
        ("no-message", LONG, "protocol", "an answer is ok or has a message"),
        ("no-files", LONG, "protocol", "there is no model.rs"),
    ],
)
def test_the_converter_blames_the_model_and_converts_the_next(
    converter: Callable[[float], Converter], fault: str, timeout: float, how: str, said: str
) -> None:
    one = converter(timeout)
    for _ in range(2):  # This is not kept: it is tried again.
        with pytest.raises(ConvertError) as failed:
            one.convert(prepared(fault))
        assert failed.value.details["how"] == how
        assert said in failed.value.message
    model = one.convert(prepared("fine"))
    assert model.rust.read_text() == "// a model\n"
    assert model.weights.read_bytes() == b"weights"


def test_another_run_may_make_the_folder_again(converter: Callable[[float], Converter], tmp_path: Path) -> None:
    one = converter(LONG)
    key = key_of(prepared("fine"), "fake", {"simplify": True, "partition": True})
    # A folder that is there once it was removed: a link to one is not removed.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Cache(tmp_path).folder("converted").joinpath(key).symlink_to(elsewhere)
    assert one.convert(prepared("fine")).rust.is_file()
    assert (elsewhere / "model.rs").is_file()
