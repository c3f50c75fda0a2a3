"""Shards as jobs of submitit on this machine: processes of their own, one of which is killed."""

import os
import signal
from pathlib import Path

import pytest

from burn_verify.core.errors import UsageError
from burn_verify.core.progress import silent
from burn_verify.run.sweep import fleet
from burn_verify.run.sweep.fleet import Fleet
from burn_verify.system.signals import ending_as_ctrl_c

pytest.importorskip("submitit")


def of(folder, numbers=(1, 2, 3), cluster="local", **parameters):
    return Fleet(cluster=cluster, folder=folder, numbers=numbers, parallel=3, parameters=parameters, again=1)


def task(folder):
    """Return a task that notes its number; that of shard 2 kills its process the first time, shard 3's always."""

    def noted(number):
        with Path(folder, f"{number}").open("a") as file:
            file.write("x")
        first = Path(folder, f"{number}").read_text() == "x"
        if number == 3 or (number == 2 and first):
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    return noted


def test_a_shard_that_dies_is_started_again_alone(tmp_path):
    events = []
    failed = fleet.run(task(tmp_path), of(tmp_path / "logs"), events.append)

    assert list(failed) == [3]
    assert [(tmp_path / str(number)).read_text() for number in (1, 2, 3)] == ["x", "xx", "xx"]
    assert [event.text for event in events] == ["shards 1 to 3", "shard 2 again, alone", "shard 3 again, alone"]


def test_only_shards_that_are_named_run(tmp_path):
    events = []
    failed = fleet.run(task(tmp_path), of(tmp_path / "logs", numbers=(1, 4, 5, 7)), events.append)

    assert failed == {}
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["1", "4", "5", "7"]
    assert [event.text for event in events] == ["shards 1 to 5, 3 of them", "shard 7"]


def test_a_cluster_that_is_not_here_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="submitit cannot start jobs on slurm"):
        fleet.run(task(tmp_path), of(tmp_path / "logs", cluster="slurm"), silent)


def test_a_parameter_that_there_is_not_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="submitit cannot start jobs on local"):
        fleet.run(task(tmp_path), of(tmp_path / "logs", nonsense=1), silent)


class Interrupted:
    """An executor that is interrupted once it has started its first job, before it returns any."""

    cluster = "local"

    def __init__(self):
        self.cancelled = []

    def map_array(self, task, wave):
        os.kill(os.getpid(), signal.SIGINT)
        return [Job(number, self.cancelled) for number in wave]


class Job:
    def __init__(self, number, cancelled):
        self.number, self.cancelled = number, cancelled

    def cancel(self, *, check):
        self.cancelled.append(self.number)


def test_jobs_that_are_started_when_the_user_ends_the_sweep_are_cancelled():
    executor = Interrupted()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), ending_as_ctrl_c():
            fleet.wave(executor, lambda number: number, [1, 2])
    finally:
        signal.signal(signal.SIGINT, before)
    assert executor.cancelled == [1, 2]
