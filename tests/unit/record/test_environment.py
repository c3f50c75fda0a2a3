"""The environment of a run: versions, machine and targets, as JSON."""

import json

import numpy
import onnx

from burn_verify.core.target import Target
from burn_verify.record.environment import environment


def test_versions_and_machine_are_recorded():
    made = environment([Target(backend="wgpu")])

    assert (made["burn"], made["burn_backend"]) == ("0.22.1", "wgpu")
    assert (made["onnx"], made["numpy"]) == (onnx.__version__, numpy.__version__)
    assert made["threads"] > 0
    assert made["cpu"]
    json.dumps(made)


def test_one_target_needs_no_list_of_targets():
    assert "targets" not in environment([Target()])


def test_several_targets_are_all_listed():
    made = environment([Target(), Target(backend="wgpu")])

    assert len(made["targets"]) == 2
    assert made["burn_backend"] == "flex"
