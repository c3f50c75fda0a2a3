"""Texts become token ids, masks and segments, by a ``tokenizer.json`` and the library ``tokenizers``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import fitted
from burn_verify.cases.samples.sample import Array, Model, required
from burn_verify.core.case import TensorSpec

if TYPE_CHECKING:
    from tokenizers import Encoding

_MASK: Final = ("mask",)
_SEGMENTS: Final = ("token_type", "segment")
_IDS: Final = ("input_ids", "ids", "tokens", "token", "text")


class Tokens:
    """Makes the inputs of a model from texts.

    Arguments:
        name: of the data, for messages.

    Raises:
        Wrong: there is no tokenizer, it cannot be read, or the model takes no token ids.
    """

    def __init__(self, name: str, model: Model) -> None:
        hint = model.hints.texts
        self._fields = _fields(name, model)
        spec = next(iter(self._fields))
        self.batch = model.batch(spec)
        fixed = spec.shape[-1] if len(spec.shape) > 1 else None
        length = hint.length or model.asked(fixed, 0) or None
        if hint.tokenizer is None:
            text = "texts need a tokenizer.json beside the model, [texts] tokenizer in its description, or "
            text += "--tokenizer of evaluate"
            raise Wrong(place=name, text=text)
        self._tokenizer = _loaded(name, hint.tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if length is not None:
            self._tokenizer.enable_truncation(length)
        if length is not None or self.batch > 1:
            self._tokenizer.enable_padding(length=length)
        self.how = f"tokens by {hint.tokenizer.name}" + ("" if length is None else f", {length} of each text")

    def inputs(self, name: str, texts: Sequence[str]) -> dict[str, Array]:
        """Return the inputs of a batch of texts, by name.

        Raises:
            Wrong: there is no token, or the tokens do not fit the model.
        """
        found = self._tokenizer.encode_batch(list(texts))
        if not all(one.ids for one in found):
            raise Wrong(place=name, text="the text has no token")
        return {spec.name: _stacked(name, found, key, spec) for spec, key in self._fields.items()}


def _loaded(name: str, path: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise required(name, "tokenizers", "text") from None
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no other class
        raise Wrong(place=path.name, text=f"no tokenizer that can be read: {' '.join(str(error).split())}") from error


def _fields(name: str, model: Model) -> dict[TensorSpec, str]:
    """Return which part of an encoding each input takes: the ids first."""
    integers = [spec for spec in model.inputs if "int" in spec.dtype or "mask" in spec.name.lower()]
    masks = {spec: "attention_mask" for spec in integers if _has(spec, _MASK)}
    segments = {spec: "type_ids" for spec in integers if _has(spec, _SEGMENTS)}
    rest = [spec for spec in integers if spec not in masks and spec not in segments]
    ids = [spec for spec in rest if _has(spec, _IDS)] or (rest if len(rest) == 1 else [])
    if not ids:
        has = ", ".join(spec.name for spec in model.inputs)
        raise Wrong(place=name, text=f"the model takes no token ids: its inputs are {has}")
    return {ids[0]: "ids", **masks, **segments}


def _has(spec: TensorSpec, words: Sequence[str]) -> bool:
    return any(word in spec.name.lower() for word in words)


def _stacked(name: str, found: "Sequence[Encoding]", key: str, spec: TensorSpec) -> Array:
    rows = np.array([getattr(one, key) for one in found], dtype=np.int64)
    rows = rows[0] if len(spec.shape) == 1 else rows
    return fitted(name, rows.astype(np.bool_) if spec.dtype == "bool" else rows, spec)
