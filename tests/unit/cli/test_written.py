"""Models that commands write: where they may go, and what is noted in them."""

import json

import pytest

from burn_verify.cli.written import annotate, check_files, write_model
from burn_verify.core.errors import StoreError, UsageError
from quantisable import network


def test_a_new_file_in_a_folder_is_fine(tmp_path):
    check_files([tmp_path / "a.onnx", None, tmp_path / "a.md"], [tmp_path / "m.onnx"], force=False)


def test_what_could_not_be_written_is_refused_before(tmp_path):
    model, there = tmp_path / "m.onnx", tmp_path / "there"
    model.write_bytes(b"m")
    there.write_bytes(b"t")
    for paths, force, message in (
        ([model], True, "never written over"),
        ([there], False, "--force"),
        ([tmp_path / "no" / "a.onnx"], True, "in none"),
        ([tmp_path], True, "it is a folder"),
        ([tmp_path / "a", tmp_path / "a"], True, "named twice"),
    ):
        with pytest.raises(UsageError, match=message):
            check_files(paths, [model], force=force)
    check_files([there], [model], force=True)


def test_a_note_replaces_the_older_one_and_keeps_others():
    made = network()
    made.metadata_props.add(key="author", value="me")
    for number in (1, 2):
        annotate(made, "about", {"number": number})
    assert {one.key: one.value for one in made.metadata_props} == {"author": "me", "about": json.dumps({"number": 2})}


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        write_model(tmp_path / "file" / "a.onnx", network())
