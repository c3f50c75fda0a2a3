"""What is said about a model: by the description beside it, and over that by the options."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from burn_verify.cases.files import CORPUS
from burn_verify.cases.own import described
from burn_verify.cases.own.checked import check, check_inputs
from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import Case, Hints, ModelFacts
from burn_verify.core.given import put_over

_OPTIONS: Final = Path("--input (--burn-input)")


def hints_for(case: Case, stem: Path, facts: ModelFacts) -> Hints:
    """Return the hints for a model that was read.

    Only a file of the user's own has a description; what is known of other cases is in the case already.

    Arguments:
        stem: of the model's file, see `described.beside`.

    Raises:
        LoadError: the description, or what the options say, does not fit the model.
    """
    return with_tokenizer(_said(case, stem, facts), stem)


def with_tokenizer(hints: Hints, stem: Path) -> Hints:
    """Return hints with the ``tokenizer.json`` beside the model, where none is named."""
    path = stem.with_name("tokenizer.json")
    if hints.texts.tokenizer is not None or not hints.data or not path.is_file():
        return hints
    return replace(hints, texts=replace(hints.texts, tokenizer=path))


def _said(case: Case, stem: Path, facts: ModelFacts) -> Hints:
    said = case.hints
    try:
        check_inputs(said.inputs, facts)
    except Wrong as error:
        raise described.mistake(_OPTIONS, "", error.text) from error
    path = described.beside(stem)
    if case.corpus != CORPUS or not path.is_file():
        return said
    found = described.read(path)
    try:
        check(found, facts)
    except Wrong as error:
        raise described.mistake(path, error.place, error.text) from error
    return put_over(said, found)
