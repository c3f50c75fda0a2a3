"""What is known of rewriting the nodes that are expected to fail."""

from burn_verify.forecast.cells import cells
from burn_verify.forecast.model import forecast
from burn_verify.forecast.remedies import remedies
from burn_verify.forecast.tried import Tried
from burn_verify.forecast.typed import typed
from evidences import evidence, example, gather, relu, usual

HELPS = Tried(agrees=True, rewritings=("axis moved",))


def of(made, tried, known=None, fitting=()):
    known = known or usual()
    found = forecast(cells(typed(made)), known)
    return remedies(found, known, tried, {"Gather": tuple(fitting)})


def test_the_nearest_case_says_whether_rewriting_helps():
    (found,) = of(gather(axis=1), {"op/gather-1": HELPS}, fitting=["Gather put differently"])
    assert (found.case_id, found.tried, found.helps) == ("op/gather-1", HELPS, True)
    assert (found.nodes, found.fitting) == (1, ("Gather put differently",))


def test_a_case_that_stays_is_no_help():
    (found,) = of(gather(axis=1), {"op/gather-1": Tried(agrees=False, in_the_way="convert: no")})
    assert not found.helps
    assert found.tried.in_the_way == "convert: no"


def test_of_cases_that_were_not_tried_nothing_is_known():
    (found,) = of(gather(axis=1), {"op/relu-3": HELPS})
    assert (found.case_id, found.tried, found.helps) == ("", None, False)


def test_where_the_nearest_case_was_not_tried_the_nearest_tried_one_speaks():
    known = evidence(
        *(example(f"op/g{axis}", gather(axis), "refused") for axis in (1, 7)),
        example("op/g0", gather(0)),
    )
    (found,) = of(gather(axis=1), {"op/g7": HELPS, "op/g0": HELPS}, known)
    assert found.case_id == "op/g7"


def test_what_should_agree_needs_no_remedy():
    assert of(relu(), {"op/gather-1": HELPS}) == ()
