"""Functions for all commands: options from the table, typed values, written files."""

import argparse

import pytest

from burn_verify.cli.common import add_command, add_options, typed, write_file
from burn_verify.core.errors import StoreError
from burn_verify.core.options import OPTIONS


@pytest.fixture
def parser():
    made = argparse.ArgumentParser()
    command = add_command(made.add_subparsers(), "try", "in short", "In full.", "examples:\n  try")
    add_options(command, {"timeout", "models"})
    return made


def test_a_command_has_the_options_it_asked_for(parser):
    arguments = parser.parse_args(["try", "--burn-timeout", "3"])

    values = typed(arguments)

    assert values.keys() == {option.field for option in OPTIONS}
    assert {field: value for field, value in values.items() if value is not None} == {"timeout": "3"}


def test_an_option_of_another_command_is_refused(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["try", "--judge", "strict"])
    assert "unrecognized arguments: --judge" in capsys.readouterr().err


def test_the_help_keeps_its_lines(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["try", "--help"])
    assert "examples:\n  try\n" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_one_line_with_advice(tmp_path):
    write_file(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"

    with pytest.raises(StoreError, match=r"cannot be written: .*; try another"):
        write_file(tmp_path / "a" / "b", "text", "; try another")
