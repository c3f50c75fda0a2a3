"""The schema that is shipped is the one that is checked, and knows every field of the hints."""

import tomllib
from dataclasses import fields

import jsonschema
import pytest

from burn_verify.cases.own.schema import Wrong, check_schema, schema
from burn_verify.core.case import Distribution, Fill, Hints, ImageHint, InputHint, OutputTolerance, TextHint


def keys(*path):
    table = schema()
    for part in path:
        table = table[part]
    return set(table["properties"])


def names(kind, *left_out):
    return {one.name for one in fields(kind)} - set(left_out)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_schema_and_hints_have_the_same_keys():
    # What only options and the rules over a graph say is no key; sizes and relations are values of dims.
    assert keys() == names(Hints, "sizes", "relations", "sample", "draws")
    assert keys("$defs", "input") == names(InputHint, "closed", "distinct", "whole", "values", "first")
    assert keys("properties", "tolerances", "items") == names(OutputTolerance)
    assert keys("properties", "images") == names(ImageHint)
    assert keys("properties", "texts") == names(TextHint)


def test_schema_and_hints_have_the_same_words():
    given = schema()["$defs"]["input"]["properties"]
    assert given["fill"]["anyOf"][0]["enum"] == list(Fill)
    assert set(given["distribution"]["enum"]) == set(Distribution)


def test_every_value_says_what_is_allowed():
    def untitled(value, place=""):
        if isinstance(value, dict):
            if "type" in value and "title" not in value and "$ref" not in value and not place.endswith("]"):
                yield place
            for key, one in value.items():
                yield from untitled(one, f"{place}.{key}")
        elif isinstance(value, list):
            for index, one in enumerate(value):
                yield from untitled(one, f"{place}[{index}]")

    found = [place for place in untitled(schema()) if not place.endswith(".items")]
    assert found == []


@pytest.mark.parametrize("text", ["dims = {n = 1.5}", "texts = 3", "[[inputs]]\nname = ''", "inputs = [1]"])
def test_the_library_and_the_message_agree_on_what_is_wrong(text):
    document = tomllib.loads(text)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(document)
    with pytest.raises(Wrong):
        check_schema(document)
