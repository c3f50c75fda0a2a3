"""Exceptions from bounds: each needs a reason, and applies to what its keys name."""

import pytest

from burn_verify.core.errors import UsageError
from burn_verify.judge import overrides

ENTRY = '[[override]]\nname = "a"\nfactor = 2\nreason = "measured"\nlink = "https://example.org"\n'
OUTPUT = {"op_type": "Exp", "case": "node/test_exp", "output": "Y", "dtype": "float32", "burn_backend": "flex"}


@pytest.mark.parametrize(
    ("keys", "fits"),
    [
        ('op_type = "Exp"', True),
        ('op_type = "Log"', False),
        ('case = "node/*"', True),
        ('case = "zoo/*"', False),
        ('case = "node/*"\nburn_backend = "wgpu"', False),
        ('op_type = "Exp"\noutput = "Y"\ndtype = "float32"', True),
    ],
)
def test_an_exception_applies_to_what_its_keys_name(keys, fits):
    (override,) = overrides.parse(f"{ENTRY}{keys}\n")

    assert override.fits(**OUTPUT) is fits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[override", "not TOML"),
        ("[[other]]\n", "only tables"),
        (ENTRY, "neither 'op_type' nor 'case'"),
        (f'{ENTRY}op_type = "Exp"\n' * 2, "two entries have one name"),
        (f'{ENTRY}op_type = "Exp"\nodd = 1\n', "unknown key 'odd'"),
        (ENTRY.replace("2", "1") + 'op_type = "Exp"\n', "'factor' is a number above 1"),
        (ENTRY.replace('reason = "measured"\n', ""), "'reason' is missing"),
    ],
)
def test_an_exception_that_is_incomplete_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        overrides.parse(text)


def test_exceptions_that_no_case_needed_are_listed():
    one, other = overrides.parse(
        f'{ENTRY}op_type = "Exp"\n{ENTRY.replace(chr(34) + "a", chr(34) + "b")}op_type = "Log"\n'
    )

    assert overrides.unused([one, other], ["b"]) == (one,)
