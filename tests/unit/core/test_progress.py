"""Progress events: values with defaults, and a listener that ignores them."""

from burn_verify.core.progress import Progress, silent


def test_an_event_may_have_no_item():
    assert Progress(phase="compile", done=1, total=2).text == ""


def test_the_silent_listener_takes_any_event():
    assert silent(Progress(phase="compile", done=0, total=0, text="mnist")) is None
