"""The digest of a graph but for its names, so that one graph under two ids is known as one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx


def fingerprint(model: onnx.ModelProto) -> str:
    """Return hex that is equal for models equal but for names, documentation and metadata.

    Sizes, attributes and the data of constants count.
    """
    writer = _Writer()
    writer.add(sorted((entry.domain, entry.version) for entry in model.opset_import))
    writer.graph(model.graph)
    for function in model.functions:
        writer.add((function.domain, function.name, [writer.name(name) for name in function.input]))
        writer.nodes(function.node)
    return str(writer.digest.hexdigest())


@dataclass(slots=True)
class _Writer:
    """Feeds a digest with a graph whose names are numbered in the order in which they are met."""

    digest: Any = field(default_factory=hashlib.sha256)
    names: dict[str, int] = field(default_factory=dict)

    def add(self, value: object) -> None:
        self.digest.update(repr(value).encode())

    def name(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names)) if name else -1

    def graph(self, graph: onnx.GraphProto) -> None:
        for info in graph.input:
            self.add((self.name(info.name), _bytes(info.type)))
        for tensor in graph.initializer:
            self.add(self.name(tensor.name))
            self.tensor(tensor)
        for sparse in graph.sparse_initializer:
            self.add((self.name(sparse.values.name), _bytes(sparse)))
        self.nodes(graph.node)
        self.add([(self.name(info.name), _bytes(info.type)) for info in graph.output])

    def nodes(self, nodes: Sequence[onnx.NodeProto]) -> None:
        for node in nodes:
            self.add((node.domain, node.op_type, [self.name(name) for name in node.input]))
            for attribute in sorted(node.attribute, key=lambda one: one.name):
                self.attribute(attribute)
            self.add([self.name(name) for name in node.output])

    def attribute(self, attribute: onnx.AttributeProto) -> None:
        self.add((attribute.name, attribute.type, attribute.ref_attr_name))
        for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            self.graph(inner)
        for tensor in (*attribute.tensors, *([attribute.t] if attribute.HasField("t") else [])):
            self.tensor(tensor)
        plain = (attribute.i, attribute.f, attribute.s, *attribute.ints, *attribute.floats, *attribute.strings)
        self.add(plain)

    def tensor(self, tensor: onnx.TensorProto) -> None:
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.ClearField("name")
        copy.ClearField("doc_string")
        self.digest.update(_bytes(copy))


def _bytes(message: Any) -> bytes:
    written: bytes = message.SerializeToString(deterministic=True)
    return written
