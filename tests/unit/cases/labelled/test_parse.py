"""Labels that are none are told with the reason."""

import pytest

from burn_verify.cases.labelled import parse


def test_corners_become_pixels():
    found = parse.corners([0.25, 0.5, 0.75, 1], (100, 200), 2)
    assert found.box == (25, 100, 50, 100)
    assert (found.category, found.area, found.crowd) == (2, 5000, False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([0, 0, 1], "four numbers are needed"),
        ("box", "four numbers are needed"),
        ([0, 0, 0.5, float("nan")], "a number is needed, not nan"),
        ([0, 0, "1", 1], "a number is needed, not '1'"),
        ([0.5, 0, 0.5, 1], "x1 < x2"),
        ([0.5, 0.5, 0.1, 0.9], "x1 < x2"),
        ([10, 10, 20, 20], "from 0 to 1 are needed"),
        ([-0.1, 0, 1, 1], "from 0 to 1 are needed"),
        (None, "four numbers are needed"),
    ],
)
def test_corners_that_are_none(value, said):
    with pytest.raises(ValueError, match=said):
        parse.corners(value, (10, 10), 1)


def test_annotations():
    given = {"bbox": [1, 2, 3, 4], "category_id": 7, "area": 5, "iscrowd": 1}
    found = parse.annotation(given, [7])
    assert (found.box, found.category, found.area, found.crowd) == ((1, 2, 3, 4), 7, 5, True)
    with pytest.raises(ValueError, match="8 is none of the categories"):
        parse.annotation({**given, "category_id": 8}, [7])
    with pytest.raises(ValueError, match="width and height from 0"):
        parse.annotation({**given, "bbox": [1, 2, -3, 4]}, [7])


def test_numbers():
    assert parse.numbers(2, "v") == (2.0,)
    assert parse.numbers([1, 2.5], "v") == (1.0, 2.5)
    assert parse.numeral("2.5", "v") == 2.5
    for text in ("nan", "inf", "five", ""):
        with pytest.raises(ValueError, match="a number is needed"):
            parse.numeral(text, "v")
    for value in (True, None, "1", float("inf"), [1]):
        with pytest.raises(ValueError, match="a number is needed"):
            parse.number(value, "v")
    for value in (-1, 1.5):
        with pytest.raises(ValueError, match="a whole number from 0"):
            parse.whole(value, "v")


def test_sizes():
    assert parse.size({}) is None
    assert parse.size({"width": 3, "height": 4}) == (3, 4)
    with pytest.raises(ValueError, match="width and height from 1"):
        parse.size({"width": 0, "height": 4})
    with pytest.raises(ValueError, match="height: a number is needed"):
        parse.size({"width": 3})
