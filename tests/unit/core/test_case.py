"""A case: a description that is a key, with hints that are empty unless given."""

from pathlib import Path

import pytest

from burn_verify.core.case import Case, Download, Hints, InputHint, ModelFile, Seeded, Unavailable


@pytest.mark.parametrize(
    "source",
    [
        ModelFile(path=Path("a.onnx")),
        Download(path="a.onnx", sha256="00", size=1),
        Seeded(architecture="mnist"),
        Unavailable(reason="offline"),
    ],
)
def test_equal_descriptions_are_one_case(source):
    one, other = (Case(id="zoo/a", corpus="zoo", source=source) for _ in range(2))

    assert len({one, other}) == 1
    assert one != Case(id="zoo/b", corpus="zoo", source=source)


def test_a_case_has_no_hints_unless_they_are_given():
    assert Case(id="zoo/a", corpus="zoo", source=Seeded(architecture="mnist")).hints == Hints()


def test_an_input_without_hints_is_drawn_from_the_standard_normal_distribution():
    hint = InputHint(name="X")

    assert (hint.scale, hint.shift) == (1.0, 0.0)
    assert (hint.shape, hint.value, hint.low, hint.high) == (None, None, None, None)
