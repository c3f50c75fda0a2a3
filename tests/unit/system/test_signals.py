"""Signals that ask a process to end."""

import contextlib
import os
import signal
import threading

import pytest

from burn_verify.system.signals import Terminated, check, ending_as_ctrl_c, held

ASKED = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def _usual():
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ASKED}
    # A shell that starts the tests in the background makes them ignore it.
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ASKED)
def test_it_is_raised_as_ctrl_c_is_and_says_which(number):
    with pytest.raises(KeyboardInterrupt, match=f"ended by {number.name}") as raised, ending_as_ctrl_c():
        os.kill(os.getpid(), number)
    assert isinstance(raised.value, Terminated)
    assert raised.value.exit_code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("first", [*ASKED, signal.SIGINT])
def test_what_ends_the_run_is_not_interrupted_again(first):
    cleaned = []

    def work():
        try:
            os.kill(os.getpid(), first)
        finally:
            for number in ASKED:
                os.kill(os.getpid(), number)
            cleaned.append(True)

    with pytest.raises(KeyboardInterrupt), ending_as_ctrl_c():
        work()
    assert cleaned


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ending_as_ctrl_c():
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_another_thread_leaves_signals_alone():
    found = []

    def look():
        with ending_as_ctrl_c():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


@pytest.mark.parametrize("number", [*ASKED, signal.SIGINT])
def test_a_signal_waits_for_what_is_being_started(number):
    started = []

    def start():
        with held():
            with held():
                os.kill(os.getpid(), number)
            started.append(True)
        started.append(False)

    with pytest.raises(KeyboardInterrupt), ending_as_ctrl_c():
        start()
    assert started == [True]


@pytest.mark.parametrize("number", [*ASKED, signal.SIGINT])
def test_an_interrupt_that_was_lost_is_raised_again(number):
    looked = []

    def lose():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        thread = threading.Thread(target=lambda: looked.append(check()))
        thread.start()
        thread.join()
        with held():
            check()
        looked.append(True)
        check()
        looked.append(False)

    with pytest.raises(KeyboardInterrupt), ending_as_ctrl_c():
        lose()
    assert looked == [None, True]
    check()
