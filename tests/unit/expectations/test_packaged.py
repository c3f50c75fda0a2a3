"""The packaged files of expected failures: by target, each after those from which it inherits."""

import pytest

from burn_verify.core.errors import UsageError
from burn_verify.core.target import Target
from burn_verify.expectations import packaged


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged, "PACKAGED", tmp_path)
    return tmp_path


def entry(pattern, stage="convert"):
    return f'[[expect]]\npattern = "{pattern}"\nstage = "{stage}"\nreason = "known"\n'


def patterns(target):
    return [expectation.pattern for expectation in packaged.load(target)]


def test_a_file_belongs_to_a_minor_version_and_a_backend():
    assert packaged.file_of(Target(burn="0.22.1", backend="wgpu")).name == "0.22-wgpu.toml"


def test_what_is_inherited_comes_first(folder):
    (folder / "0.22-flex.toml").write_text(entry("zoo/a"))
    (folder / "0.22-wgpu.toml").write_text('inherits = "0.22-flex"\n' + entry("zoo/b"))

    assert patterns(Target(burn="0.22.1", backend="wgpu")) == ["zoo/a", "zoo/b"]


def test_a_backend_without_a_file_has_the_expectations_of_the_default_backend(folder):
    (folder / "0.22-flex.toml").write_text(entry("zoo/a"))

    assert patterns(Target(burn="0.22.1", backend="cuda")) == ["zoo/a"]
    assert patterns(Target(burn="0.21.0", backend="flex")) == []


def test_a_new_file_inherits_from_the_default_backend_or_the_nearest_version(folder):
    for name in ("0.21-flex", "0.23-flex"):
        (folder / f"{name}.toml").write_text(entry("zoo/a"))

    assert packaged.parent_of(Target(burn="0.23.0", backend="wgpu")) == "0.23-flex"
    assert packaged.parent_of(Target(burn="0.22.1", backend="flex")) == "0.21-flex"
    assert packaged.parent_of(Target(burn="0.20.0", backend="flex")) == "0.21-flex"
    assert packaged.parent_of(Target(burn="0.22.1", backend="wgpu")) is None


def test_files_that_others_inherit_from_sort_first():
    targets = [Target(burn="0.22.1", backend="wgpu"), Target(burn="0.22.1"), Target(burn="0.21.0")]

    assert sorted(targets, key=packaged.rank_of) == targets[::-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [('inherits = "0.22-flex"\n', "inherits from itself"), ('inherits = "0.19-flex"\n', "there is no")],
)
def test_a_circle_and_a_missing_file_are_refused(folder, text, message):
    (folder / "0.22-flex.toml").write_text(text)

    with pytest.raises(UsageError, match=message):
        packaged.load(Target(burn="0.22.1"))


def test_every_packaged_file_can_be_read():
    files = sorted(packaged.PACKAGED.glob("*.toml"))

    assert files
    assert all(isinstance(packaged.inherited(path.read_text(), "new.toml"), tuple) for path in files)
