"""Burn with a fault in one node: the converter reads the node with the fault, ONNX Runtime reads the right one.

The node is known by its `doc_string`, which cuts keep: the generated Rust is wrong in the same statement, or in the
same weight, in the whole model, in every piece that has the node, and in no other module. All nodes are marked,
whichever is wrong: so pieces, their references and their programs are the same for all faults of a model.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import onnx

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.program import Builders
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of
from planting.faults import Kind, planted

MARK: Final = "node of burn-verify's planting"


def marked(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose nodes are marked with their places."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    for place, node in enumerate(found.graph.node):
        node.doc_string = _mark(place)
    return found


def builders(place: int, kind: Kind, folder: Path) -> Builders:
    """Return what makes builders that plant a fault in a marked node.

    Arguments:
        folder: for the models that the converter reads.
    """
    return lambda cache, settings, listen, targets: _Planting(cache, settings, listen, targets, place, kind, folder)


def _mark(place: int) -> str:
    return f"{MARK} {place}."


class _Planting(CargoBuilder):
    """Converts marked models with a fault."""

    def __init__(
        self,
        cache: Cache,
        settings: Settings,
        listen: Listener,
        targets: Sequence[Target],
        place: int,
        kind: Kind,
        folder: Path,
    ) -> None:
        super().__init__(cache, settings, listen, targets)
        self._mark = _mark(place)
        self._kind = kind
        self._folder = folder

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Convert one model; see `Builder.convert`."""
        if self._mark.encode() not in prepared.model.read_bytes():
            return super().convert(prepared, target)
        model = onnx.load(prepared.model)
        place = next((place for place, node in enumerate(model.graph.node) if node.doc_string == self._mark), None)
        if place is None or not planted(model, place, self._kind):
            return super().convert(prepared, target)
        for node in model.graph.node:
            node.doc_string = ""
        path = self._folder / f"{prepared.digest[:32]}-{self._kind.name}.onnx"
        path.write_bytes(model.SerializeToString())
        return super().convert(replace(prepared, model=path, digest=sha256_of(path)), target)
