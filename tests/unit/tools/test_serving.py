"""Requests for a served model: good ones fit its metadata, twenty do not."""

import json

import numpy as np

from serving import drawn, malformed

PORTS = [
    {"name": "ids", "datatype": "INT64", "shape": [-1, -1]},
    {"name": "x", "datatype": "FP32", "shape": [2, 3]},
]


def test_inputs_fit_the_metadata():
    ids, x = drawn(PORTS)

    assert (ids.shape, ids.dtype) == ((1, 8), np.int64)
    assert (x.shape, x.dtype) == ((2, 3), np.float32)
    assert np.array_equal(drawn(PORTS)[1], x)


def test_there_are_twenty_malformed_requests_and_no_two_alike():
    found = list(malformed(PORTS, "/v2/models/m/infer"))

    assert len(found) == 20
    assert len({(method, path, body, tuple(headers)) for _, method, path, body, headers in found}) == 20
    assert json.loads(found[6][3]) == {}
