"""A status follows from how cases ended, in any order."""

from hypothesis import given
from hypothesis import strategies as st

from burn_verify.report.summary.ends import End
from burn_verify.report.summary.status import Status, status_of


@given(st.lists(st.sampled_from(list(End))))
def test_verified_means_that_every_case_agrees(ends):
    status = status_of(ends)
    assert (status is Status.VERIFIED) == (bool(ends) and set(ends) == {End.AGREES})
    assert (End.WRONG not in ends) or status is Status.REFUTED
    assert (status is Status.UNTESTED) == (
        set(ends) <= {End.RANDOM, End.INSENSITIVE, End.SILENT, End.DEVICE, End.NOT_SERVABLE}
    )


@given(st.lists(st.sampled_from(list(End))), st.randoms())
def test_a_status_does_not_depend_on_the_order(ends, random):
    shuffled = random.sample(ends, len(ends))
    assert status_of(shuffled) is status_of(ends)
