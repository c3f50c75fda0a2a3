"""How cases ended in the runs that were kept."""

from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.trails import Trails, trails_of
from reported import a_record, agrees, refused, wrong


def columns(*records):
    return merge(records).columns


NOW = columns(a_record(agrees("zoo/a")))[0].target


def test_a_case_is_followed_through_the_runs_of_its_target():
    kept = [
        ("0001", columns(a_record(refused("zoo/a")))),
        ("0002", columns(a_record(agrees("zoo/a"), backend="wgpu"))),
        ("0003", columns(a_record(wrong("zoo/a"), agrees("zoo/b"), selection=("zoo/a", "zoo/b", "zoo/c")))),
    ]
    trails = trails_of(NOW, kept)

    assert trails.runs == ("0001", "0003")
    words = {case: [state and state.word for state in states] for case, states in trails.states.items()}
    assert words == {
        "zoo/a": ["refused", "wrong numbers"],
        "zoo/b": [None, "agrees"],
        "zoo/c": [None, "missing"],
    }


def test_without_kept_runs_there_is_no_trail():
    assert trails_of(NOW, []) == Trails()
