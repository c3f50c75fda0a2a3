"""Parsers of option values: what they accept, and a message for what they refuse."""

import pytest

from burn_verify.core import option_values
from burn_verify.core.result import JudgeMode


def test_names_are_separated_by_commas():
    assert option_values.names(" mnist, ,squeezenet ") == ("mnist", "squeezenet")


def test_several_values_lose_duplicates_and_keep_their_order():
    assert option_values.several(option_values.switch)("off,on,no") == (False, True)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (option_values.backend, "WGPU", "wgpu"),
        (option_values.burn_version, "Latest", "latest"),
        (option_values.burn_version, "0.23.0-pre.1", "0.23.0-pre.1"),
        (option_values.seconds, "0.5", 0.5),
        (option_values.mebibytes, "0", 0),
        (option_values.mode, "Strict", JudgeMode.STRICT),
        (option_values.count, "0", 0),
        (option_values.thread_count, "4", 4),
        (option_values.profile, "FULL", "full"),
        (option_values.part, "2/4", (2, 4)),
    ],
)
def test_a_value_is_read(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (option_values.names, ",", "names nothing"),
        (option_values.several(option_values.switch), "", "a value is needed"),
        (option_values.backend, "tpu", "flex, ndarray, wgpu, cuda are known"),
        (option_values.burn_version, "0.22", "a version such as"),
        (option_values.seconds, "0", "above 0 and up to a week"),
        (option_values.seconds, "nan", "above 0 and up to a week"),
        (option_values.mebibytes, "-1", "a whole number of MiB"),
        (option_values.mode, "lax", "default, strict, onnx are known"),
        (option_values.count, "1.5", "a whole number is needed"),
        (option_values.thread_count, "0", "a whole number from 1"),
        (option_values.profile, "slow", "quick or nightly or full"),
        (option_values.switch, "maybe", "on or off"),
        (option_values.part, "5/4", "I/N is needed"),
        (option_values.part, "0/4", "I/N is needed"),
    ],
)
def test_a_refusal_says_what_is_needed(parse, text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_checkout_is_a_folder_with_or_without_a_revision(tmp_path):
    assert option_values.checkout("Release") is None
    assert option_values.checkout(str(tmp_path)) == str(tmp_path)
    assert option_values.checkout(f"{tmp_path}@main") == f"{tmp_path}@main"
    with pytest.raises(ValueError, match="a revision is needed"):
        option_values.checkout(f"{tmp_path}@")


def test_a_folder_may_have_an_at_sign_in_its_name(tmp_path):
    odd = tmp_path / "burn@home"
    odd.mkdir()

    assert option_values.checkout(str(odd)) == str(odd)


def test_files_and_folders_have_to_exist(tmp_path):
    file = tmp_path / "file"
    file.touch()

    assert option_values.path(str(tmp_path / "missing")) == tmp_path / "missing"
    assert option_values.file(str(file)) == file
    assert option_values.folder(str(tmp_path)) == tmp_path
    with pytest.raises(ValueError, match="is not a file"):
        option_values.file(str(tmp_path))
    with pytest.raises(ValueError, match="is not a folder"):
        option_values.folder(str(file))


@pytest.mark.parametrize(("text", "columns"), [("on", (False, True)), ("off", (False,)), ("yes", (False, True))])
def test_a_column_stands_beside_the_one_as_is(text, columns):
    assert option_values.beside(text) == columns


def test_tasks():
    for text in (*option_values.TASKS, "metrics:f", "folder/metrics.py:f"):
        assert option_values.task(text) == text
    for text in ("", "classify", ":f", "metrics:"):
        with pytest.raises(ValueError, match="or module:function is needed"):
            option_values.task(text)


def test_drops():
    assert option_values.drops("AP=0.01,ap50 = 0\nar=1") == ("AP=0.01", "ap50 = 0", "ar=1")
    assert option_values.drop("ap50 = 0.5") == ("ap50", 0.5)
    for text in ("ap", "=1", "ap=-1", "ap=nan", "ap=inf", "ap=1,"):
        with pytest.raises(ValueError, match="METRIC=X"):
            option_values.drops(text)
    with pytest.raises(ValueError, match="ap is given twice"):
        option_values.drops("ap=1,AP=2")


def test_places(tmp_path):
    assert option_values.place(str(tmp_path)) == tmp_path
    with pytest.raises(ValueError, match="no such file or folder"):
        option_values.place(str(tmp_path / "none"))
