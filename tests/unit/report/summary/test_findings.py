"""The counts at the top of a report."""

from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import counts_of
from reported import a_record, a_result, agrees, no_reference, refused, skipped, wrong


def test_the_numbers_sum_up():
    results = [
        agrees("a/1"),
        wrong("a/2"),
        refused("a/3"),
        no_reference("a/4"),
        skipped("a/5"),
        a_result("a/6", verdict="nondeterministic"),
        a_result("a/7", Stage.RUN, Outcome.FAILED),
    ]
    numbers = counts_of(merge([a_record(*results, selection=("a/8",))]).columns[0])

    assert (numbers.total, numbers.missing, numbers.attempted) == (8, 1, 4)
    named = (numbers.agree, numbers.wrong, numbers.refused, numbers.no_program, numbers.failed, numbers.silent)
    assert named == (1, 1, 1, 0, 1, 3)
    assert sum(named) + numbers.missing == numbers.total
