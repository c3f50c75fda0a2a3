import pytest

from burn_verify.core.dims import names_in, resolved, size_of


@pytest.mark.parametrize(
    ("expression", "size"),
    [("past + seq", 10), ("2*seq", 14), ("(past+seq)//2 - 1", 4), ("seq % 4", 3), ("5", 5), (" seq ", 7)],
)
def test_an_expression_of_sizes(expression: str, size: int) -> None:
    assert size_of(expression, {"past": 3, "seq": 7}) == size


@pytest.mark.parametrize(
    "expression",
    ["", "past +", "past ** 2", "f(past)", "past.x", "[1]", "1.5", "'a'", "past if 1 else 2", "-past", "past / 2",
     "True", "lambda: 1", "a" * 300, "9" * 100, "(" * 150, "x := 1", "import os"],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(ValueError, match="is no expression of names") as refused:
        size_of(expression, {"past": 3})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("past + other", "names the dimension 'other', which has no size"),
        ("past - 4", "is -1, which is no size"),
        ("past // 0", "divides by zero"),
        ("1099511627776*1099511627776", "no size of a dimension"),
    ],
)
def test_an_expression_without_a_size(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        size_of(expression, {"past": 3})


def test_names_come_once_and_in_order() -> None:
    assert names_in("past + 2*seq - past") == ("past", "seq")


def test_relations_may_name_relations_and_other_dimensions() -> None:
    relations = (("twice", "2*total"), ("total", "past + seq"))
    assert resolved(relations, {"past": 3, "seq": 7}.__getitem__) == {"total": 10, "twice": 20}


def test_a_circle_is_named() -> None:
    with pytest.raises(ValueError, match="'a' depends on itself: a → b → a"):
        resolved((("a", "b + 1"), ("b", "a + 1")), {}.__getitem__)
