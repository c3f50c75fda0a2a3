"""The table of options: complete, in one style, with the defaults of the settings."""

import dataclasses

import pytest

from burn_verify.core.option_table import OPTIONS, SELECTIONS
from burn_verify.core.options import Settings

BY_FIELD = {option.field: option for option in OPTIONS}
FLAGS = {option.field: option.flag for option in OPTIONS}


def test_the_table_fills_every_field_that_a_user_may_set():
    fields = [field.name for field in dataclasses.fields(Settings)]
    # The seed is Hypothesis's own option.
    assert set(BY_FIELD) == set(fields) - {"ops_seed"}
    assert [option.field for option in OPTIONS] == list(BY_FIELD)


@pytest.mark.parametrize("attribute", ["flag", "ini", "env", "help"])
def test_no_two_options_share(attribute):
    values = [value for option in OPTIONS if (value := getattr(option, attribute)) is not None]
    assert len(values) == len(set(values))


@pytest.mark.parametrize("option", OPTIONS, ids=FLAGS.values())
def test_names_are_in_style(option):
    assert option.flag.startswith("--")
    assert option.ini.startswith("burn_")
    assert option.env is None or option.env.startswith("BURN_VERIFY_")
    assert option.metavar
    assert option.help
    assert not option.help.endswith(".")


def test_only_locations_have_a_variable():
    assert {option.field for option in OPTIONS if option.env} == {"zoo_mirror", "cache_dir"}


def test_the_flags_that_select_are_in_the_table():
    assert set(SELECTIONS) <= set(FLAGS.values())


@pytest.mark.parametrize("option", OPTIONS, ids=FLAGS.values())
def test_both_defaults_are_the_same(option):
    assert option.default == getattr(Settings(), option.field)
