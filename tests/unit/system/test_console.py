"""Progress: lines where nobody watches, bars where somebody does."""

import io
import threading

import pytest

from burn_verify.core.progress import Progress, silent
from burn_verify.system.console import CLOCK, LongWork

PHASES = ["load", "reference", "convert", "compile", "verify", "something else"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def event(phase, done=0, total=2, text=""):
    return Progress(phase=phase, done=done, total=total, text=text)


def said(*events):
    stream = io.StringIO()
    with LongWork(stream) as work:
        for one in events:
            work.listen(one)
    return stream.getvalue()


def test_a_phase_is_told_once():
    text = said(event("load", 0, 2, "zoo/a"), event("load", 1, 2, "zoo/b"), event("compile", 0, 0), event("load", 2, 2))
    assert text == "burn-verify: reading models 0/2 zoo/a\nburn-verify: compiling with cargo\n"


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_words(phase):
    assert said(event(phase)).startswith("burn-verify: ")


def test_an_unknown_phase_goes_by_its_name():
    assert said(event("dance", 1, 3, "tango")) == "burn-verify: dance 1/3 tango\n"


def test_nothing_to_tell_is_nothing_told():
    assert said() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  padded  ", "padded"),
        ("x" * 48, "x" * 48),
        ("x" * 49, "x" * 47 + "…"),
        ("[red]not markup", "[red]not markup"),
    ],
)
def test_long_texts_are_cut(text, shown):
    assert said(event("load", text=text)) == f"burn-verify: reading models 0/2 {shown}\n"


class Watch:
    """A clock that shows what it was set to."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds

    def at(self, seconds):
        self.seconds = 1000.0 + seconds


@pytest.fixture
def watch():
    return Watch()


def ticked(work, count=1):
    for _ in range(count):
        work.tick()


def test_a_line_now_and_then_tells_that_it_goes_on(watch):
    stream = io.StringIO()
    work = LongWork(stream, watch)
    work.listen(event("compile", 3, 10, "burn-flex"))
    watch.at(14)
    ticked(work)
    assert stream.getvalue().count("\n") == 1
    work.listen(event("compile", 7, 10, "burn"))
    watch.at(75)
    ticked(work, count=3)
    assert stream.getvalue().splitlines()[1:] == ["burn-verify: compiling with cargo 7/10 [1:15] burn"]


def test_what_is_done_is_not_told_again(watch):
    stream = io.StringIO()
    work = LongWork(stream, watch)
    work.listen(event("compile", 0, 10))
    work.listen(event("compile", 10, 10))
    watch.at(100)
    ticked(work)
    assert stream.getvalue().count("\n") == 1


def test_what_has_no_known_end_is_told(watch):
    stream = io.StringIO()
    work = LongWork(stream, watch)
    work.listen(event("compile", 0, 0, "waiting"))
    watch.at(20)
    ticked(work)
    assert stream.getvalue().splitlines()[1] == "burn-verify: compiling with cargo [0:20] waiting"


def test_the_clock_ends_with_the_block():
    def names():
        return [thread.name for thread in threading.enumerate()]

    with LongWork(io.StringIO()):
        assert CLOCK in names()
    assert CLOCK not in names()


def fail_inside(stream):
    with LongWork(stream) as work:
        work.listen(event("load"))
        raise KeyboardInterrupt


def test_an_exception_ends_the_clock_too():
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        fail_inside(io.StringIO())
    assert threading.active_count() == before


def test_an_exception_gives_the_cursor_back():
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt):
        fail_inside(stream)
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert stream.getvalue().rindex(show) > stream.getvalue().rindex(hide)


def test_a_terminal_gets_bars():
    stream = Terminal()
    with LongWork(stream) as work:
        for phase in PHASES:
            work.listen(event(phase, 0, 0, "[bold]brackets[/bold] are text"))
            work.listen(event(phase, 1, 2, "half"))
            work.listen(event(phase, 2, 2, "done"))
    assert "reading models" in stream.getvalue()
    assert "2/2" in stream.getvalue()
    assert "burn-verify:" not in stream.getvalue()


def test_brackets_in_a_terminal_are_text():
    stream = Terminal()
    with LongWork(stream) as work:
        work.listen(event("load", text="a[/b]c"))
    assert "a[/b]c" in stream.getvalue()


def test_colours_by_force_do_not_make_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert said(event("load")) == "burn-verify: reading models 0/2\n"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_any_thread_may_tell(stream):
    target = stream()
    with LongWork(target) as work:

        def tell(number):
            for done in range(20):
                work.listen(event(f"phase {number % 2}", done, 20, f"text {done}"))

        threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if stream is io.StringIO:
        assert len(target.getvalue().splitlines()) == 2


def test_silence():
    assert silent(event("load")) is None


@pytest.mark.parametrize("terminal", [False, True])
def test_what_must_not_be_cut_is_told_whole(terminal):
    text = (
        "waiting for 'burn-0.22.1-flex-latency', held by process 12345 since 12:00:00: verify [bold] mnist squeezenet"
    )
    stream = Terminal() if terminal else io.StringIO()
    with LongWork(stream) as work:
        work.listen(Progress(phase="compile", done=0, total=0, text=text, whole=True))
    told = [line for line in stream.getvalue().splitlines() if line.endswith("mnist squeezenet")]
    assert [line.endswith(text) for line in told] == [True]
