"""The command ``burn-verify latency``: times of a record, as text and as Markdown."""

from burn_verify.core.latency import Latency
from fakes import COST
from reported import agrees


def timed(case_id):
    return agrees(case_id, latency=Latency(profile="latency", threads=1, data_set="seeded", cost=COST, why="the fake"))


def test_costs_of_a_record_are_shown(command, written):
    code, out, _ = command("latency", written(timed("zoo/a")))

    assert code == 0
    assert "zoo/a" in out
    assert "the fake" in out


def test_markdown_has_tables(command, written):
    code, out, _ = command("latency", written(timed("zoo/a")), "--markdown")

    assert code == 0
    assert "| zoo/a |" in out


def test_a_record_without_times_is_a_mistake(command, written):
    code, out, err = command("latency", written(agrees("zoo/a")))

    assert (code, out) == (4, "")
    assert "nothing was timed in that run" in err


def test_a_record_has_to_be_named(command):
    code, _, err = command("latency")

    assert code == 4
    assert err == "burn-verify: error: name a record, or say --last\n"
