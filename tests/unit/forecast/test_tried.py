"""The cases that rewriting was tried on, as they are packaged."""

import gzip
import json
from dataclasses import replace

import pytest

from burn_verify.core.target import Checkout, Target
from burn_verify.forecast.tried import NOTHING, Tried, decoded, encoded, packaged

CASES = {
    "node/a": Tried(agrees=True, rewritings=("x", "y")),
    "node/b": Tried(agrees=False, in_the_way="run: no"),
    "node/c": Tried(agrees=True, rewritings=("y",)),
}


def test_a_file_is_read_as_it_was_written():
    assert decoded(encoded(CASES)) == CASES
    assert encoded(dict(reversed(CASES.items()))) == encoded(CASES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{}", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(json.dumps({"schema": 2, "rewritings": [], "cases": {}}).encode(), mtime=0),
        gzip.compress(json.dumps({"schema": 1, "rewritings": [], "cases": {"a": [1, [7], ""]}}).encode(), mtime=0),
        encoded(CASES)[:-9],
    ],
)
def test_another_file_is_refused(content):
    with pytest.raises(ValueError):  # noqa: PT011  (json and this module raise it, each in its own words)
        decoded(content)


def test_what_is_packaged_is_of_the_default_target():
    found = packaged(Target())
    assert any(case.agrees for case in found.values())
    assert any(not case.agrees and case.in_the_way for case in found.values())
    assert packaged(Target(prepared=True)) is found


@pytest.mark.parametrize(
    "other",
    [
        {"backend": "wgpu"},
        {"burn": "0.21.0"},
        {"burn_onnx": "0.21.0"},
        {"simplify": False},
        {"burn_checkout": Checkout(path="here")},
    ],
)
def test_another_target_was_not_tried(other):
    assert packaged(replace(Target(), **other)) == NOTHING
