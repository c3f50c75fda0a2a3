"""Only what two checkouts treat differently is run, and a run over it says the same as one over everything."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from burn_verify.cases import files
from burn_verify.core.errors import ConvertError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.target import Checkout, Target
from burn_verify.run.changed import changed
from fakes import FakeBuilder, Faults
from swept import models

ONE, OTHER = (Target(burn_onnx_checkout=Checkout(path=Path(name), digest=name)) for name in ("one", "other"))


@dataclass
class Differing(FakeBuilder):
    """Writes other text for some models with one of the checkouts, and refuses others."""

    texts: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def convert(self, prepared, target):
        stem = prepared.model.stem
        made = super().convert(prepared, target)
        if target.burn_onnx_checkout != OTHER.burn_onnx_checkout:
            return made
        if stem in self.refused:
            raise ConvertError("no", "no")
        if stem not in self.texts:
            return made
        rust = prepared.model.with_suffix(".rs")
        rust.write_text("other")
        return replace(made, rust=rust)


def of(tmp_path, cache, targets=(ONE, OTHER), **what):
    cases = files.cases(sorted((tmp_path / "in").glob("*.onnx")))
    return changed(
        cases,
        targets,
        Settings(),
        cache,
        lambda cache, settings, listen, some: Differing(cache, some, Faults(), **what),
        silent,
    )


def test_what_becomes_other_rust_or_is_refused_newly_is_changed(tmp_path, cache):
    models(tmp_path / "in", 5)
    found = of(tmp_path, cache, texts=("m001",), refused=("m003",))

    assert [case.id for case in found.cases] == ["file/m001", "file/m003"]
    assert found.alike == ("file/m000", "file/m002", "file/m004")


def test_checkouts_of_two_versions_are_compared_on_one_burn(tmp_path, cache):
    models(tmp_path / "in", 3)
    raised = replace(OTHER, burn_onnx="0.23.0-pre.1")
    pairs = [replace(one, burn=burn) for burn in ("0.22.1", "0.23.0-pre.1") for one in (ONE, raised)]

    for targets in (pairs[:2], pairs):
        assert [case.id for case in of(tmp_path, cache, targets, texts=("m001",)).cases] == ["file/m001"]


def test_what_both_refuse_in_the_same_words_is_alike(tmp_path, cache):
    models(tmp_path / "in", 4)
    found = of(tmp_path, cache, refuses=("Add",))

    assert found.cases == ()
    assert len(found.alike) == 4


def test_what_cannot_be_read_stays(tmp_path, cache):
    models(tmp_path / "in", 1)
    (tmp_path / "in" / "x.onnx").write_bytes(b"no model")

    assert [case.id for case in of(tmp_path, cache).cases] == ["file/x"]


def test_every_backend_is_compared_with_itself(tmp_path, cache):
    models(tmp_path / "in", 2)
    targets = [replace(one, backend=backend) for backend in ("flex", "wgpu") for one in (ONE, OTHER)]

    assert [case.id for case in of(tmp_path, cache, targets, texts=("m000",)).cases] == ["file/m000"]


def test_another_burn_may_change_everything_unless_its_crates_say_no(tmp_path, cache):
    models(tmp_path / "in", 2)
    release = Target()
    checkout = Target(burn_checkout=Checkout(path=tmp_path, digest="x"))

    assert len(of(tmp_path, cache, (release, checkout)).cases) == 2


@pytest.mark.parametrize(
    "targets",
    [
        (ONE,),
        (Target(), Target(backend="wgpu")),
        (ONE, OTHER, Target(backend="wgpu")),
        (ONE, replace(OTHER, burn="0.21.0")),
    ],
)
def test_targets_that_differ_otherwise_are_a_mistake(tmp_path, cache, targets):
    models(tmp_path / "in", 1)
    with pytest.raises(UsageError, match="--only-changed compares checkouts"):
        of(tmp_path, cache, targets)


def test_two_versions_of_burn_are_a_mistake_that_says_how_releases_are_compared(tmp_path, cache):
    models(tmp_path / "in", 1)
    with pytest.raises(UsageError, match=r"two releases of burn-onnx are two checkouts, --burn-onnx-path") as caught:
        of(tmp_path, cache, (Target(burn="0.22.1"), Target(burn="0.23.0-pre.1", burn_onnx="0.23.0-pre.1")))
    assert "\n" not in str(caught.value)
