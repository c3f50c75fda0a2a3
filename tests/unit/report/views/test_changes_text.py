"""Changes as text."""

from burn_verify.report.summary.changes import compare
from burn_verify.report.summary.columns import merge
from burn_verify.report.views import changes_text
from reported import a_record, agrees, refused, wrong


def compared(before, after, **environment):
    (comparison,) = compare(merge([a_record(*before)]), merge([a_record(*after, **environment)]))
    return comparison


def test_the_text_says_the_environment_first_and_the_worst_next():
    before = [agrees("a/1"), agrees("a/2"), refused("a/3")]
    after = [refused("a/1"), wrong("a/2"), agrees("a/3")]
    text = changes_text.as_text(compared(before, after, cpu="another"))
    places = [text.index(words) for words in ("environment: cpu: none → another", "Newly wrong", "Regressed", "Fixed")]

    assert places == sorted(places)
    assert "1 newly wrong (1 agreed before), 1 regressed, 1 fixed, 0 as before" in text
    assert "a/2     agrees    wrong numbers: Y: 4/6 elements differ" in text
    assert "| a/1 | agrees | refused: unsupported operator: Foo |" in changes_text.as_markdown(compared(before, after))


def test_many_that_vanished_are_folded():
    text = changes_text.as_text(compared([agrees(f"a/{n}") for n in range(50)], [agrees("a/0")]))

    assert "49 vanished, 1 as before" in text
    assert "… 29 more" in text
