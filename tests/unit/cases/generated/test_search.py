"""The search for values on which a graph differs: small, repeatable, and bounded."""

import pytest

from burn_verify.cases.generated.search import Failed, search
from burn_verify.cases.generated.strategies import varies
from choices import arrays, choice_of


def looking(tmp_path, check, **more):
    given = {"examples": 200, "seed": 1, "memory": tmp_path, "shrink": True} | more
    return search(choice_of("Neg", 13), check, **given)


def failing_on_negative(tried=None):
    def check(several):
        if tried is not None:
            tried.append(len(several))
        for feeds in several:
            if (feeds["X"] < 0).any():
                raise Failed(ValueError("negative"), feeds)
        return len(several)

    return check


def test_a_failure_is_made_small(tmp_path):
    found = looking(tmp_path, failing_on_negative())
    assert str(found.error) == "negative"
    (values,) = found.feeds.values()
    assert list(values.reshape(-1)[:-1]) == [0] * 5
    assert values.reshape(-1)[-1] < 0


def test_a_failure_is_remembered(tmp_path):
    looking(tmp_path, failing_on_negative())
    tried = []
    looking(tmp_path, failing_on_negative(tried), seed=2, shrink=False)
    assert len(tried) <= 3


def test_the_same_seed_draws_the_same(tmp_path):
    def noting(seen):
        def check(several):
            seen.extend(arrays(feeds) for feeds in several)
            return len(several)

        return check

    runs = []
    for place, seed in enumerate((1, 1, 2)):
        runs.append([])
        looking(tmp_path / str(place), noting(runs[-1]), seed=seed)
    assert runs[0] == runs[1] != runs[2]


def test_at_least_as_many_sets_as_asked_for_are_compared(tmp_path):
    found = looking(tmp_path, lambda several: len(several) - 1, examples=150)
    assert found.error is None
    assert found.rejected > 0
    assert found.examples + found.rejected >= 150


def test_sets_that_no_reference_answers_are_no_failure(tmp_path):
    found = looking(tmp_path, lambda several: 0, examples=150)
    assert (found.error, found.examples) == (None, 0)
    assert found.rejected >= 150


def test_an_error_of_our_own_is_not_taken_for_a_difference(tmp_path):
    def broken(several):
        raise KeyError(len(several))

    with pytest.raises(KeyError):
        looking(tmp_path, broken)


def test_a_graph_that_takes_nothing_is_not_searched(tmp_path):
    choice = choice_of("Constant", 13)
    assert not varies(choice)
    found = search(choice, pytest.fail, examples=9, seed=0, memory=tmp_path, shrink=True)
    assert (found.examples, found.error) == (0, None)


def test_a_failure_that_is_expected_is_not_made_small(tmp_path):
    small, quick = [], []
    looking(tmp_path / "a", failing_on_negative(small))
    found = looking(tmp_path / "b", failing_on_negative(quick), shrink=False)
    assert found.error is not None
    assert len(quick) < len(small)
