"""One option on a command line."""

import argparse

from burn_verify.core.option import Option


def option(**fields):
    return Option(
        field="inputs", flag="--burn-input", metavar="SPEC", help="h", parse=str, default="", ini="burn_input", **fields
    )


def typed(one, *words):
    parser = argparse.ArgumentParser()
    parser.add_argument(one.flag, **one.argument)
    return parser.parse_args(words).burn_input


def test_an_option_that_repeats_keeps_all_values():
    assert typed(option(repeat=True), "--burn-input", "a", "--burn-input", "b") == ["a", "b"]
    assert typed(option(repeat=True)) is None


def test_a_bare_option_has_a_value():
    assert typed(option(bare="all"), "--burn-input") == "all"


def test_a_message_names_both_flags():
    assert option().said == "--burn-input"
    assert option(word="--input").said == "--input (--burn-input)"
