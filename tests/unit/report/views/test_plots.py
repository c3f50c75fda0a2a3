"""The positions of the marks of the page's plots."""

from burn_verify.report.summary.findings import PastRun
from burn_verify.report.views import plots
from reported import a_record, agrees, output, rendered, wrong


def test_headroom_is_drawn_by_decades():
    results = [agrees(f"zoo/{n}", metrics=(output(used),)) for n, used in enumerate([0.0, 1e-9, 0.05, 0.5, 1.0])]
    results += [wrong("zoo/x", metrics=(output(50.0),)), wrong("zoo/y", metrics=(output(float("inf")),))]
    results += [agrees("zoo/z", metrics=(output(None),))]
    plot = plots.headroom(results)

    assert [mark.label for mark in plot.marks] == [
        "exact: 1 agree",
        "up to 1e-6 of the bound: 1 agree",
        "1e-2 to 1e-1 of the bound: 1 agree",
        "1e-1 to 1 of the bound: 2 agree",
        "10 to 100 of the bound: 1 wrong",
        "above 100 bounds: 1 wrong",
    ]
    assert (plot.silent, plot.summary) == (1, "5 of 7 cases stay within their bound")
    assert all(mark.x >= plot.limit for mark in plot.marks if mark.tone == "wrong")
    assert all(mark.x + mark.width <= plot.limit for mark in plot.marks if mark.tone == "good")
    assert all(0 <= mark.y <= mark.y + mark.height <= plots.HEIGHT for mark in plot.marks)


def test_without_bounds_there_is_no_plot_but_a_word():
    assert plots.headroom([agrees("zoo/1", metrics=(output(None),))]) is None
    assert "no case of this record has a bound that was written down" in rendered(a_record(agrees("zoo/1")))


def test_the_history_ends_with_this_run():
    past = (PastRun(name="0001_abc_20260101", label="Burn 0.22.1 on flex", agree=0, total=2),)
    text = rendered(a_record(agrees("zoo/1"), agrees("zoo/2")), past=past)

    assert "0 of 2 agreed in 0001_abc_20260101, 2 of 2 in this run" in text
    assert plots.history(past) is None


def test_shares_are_drawn_where_the_selection_changed():
    label = "Burn 0.22.1 on flex"
    grown = [PastRun(name="1", label=label, agree=5, total=10), PastRun(name="2", label=label, agree=50, total=100)]
    first, second = plots.history(grown).marks
    assert first.y == second.y
    assert plots.history(grown).most == "100%"
    assert second.label.endswith("50 of 100 agree (50%)")

    same = [PastRun(name="1", label=label, agree=5, total=10), PastRun(name="2", label=label, agree=10, total=10)]
    first, second = plots.history(same).marks
    assert first.y > second.y
    assert plots.history(same).most == "10"
