"""Changes of burn-onnx 0.22.0, one at a time: what a pull request might do, by mistake or on purpose; and a release."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

VERSION: Final = "0.22.0"
"""Of burn-onnx, in which the changes are planted."""
CRATES: Final = ("burn-onnx", "onnx-ir")
"""The crates that are copied, each a member of one workspace."""

RELEASE: Final = "release"
"""The part that two releases differ in."""

_NODE: Final = "burn-onnx/src/import/burn/node"
_SIMPLIFY: Final = "onnx-ir/src/simplify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        part: what of burn-onnx it is in.
        file: in the workspace of the crates.
        before, after: texts; only the first place is changed, since tests below it may say the same.
    """

    name: str
    part: str
    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """Two releases of burn-onnx, compared on one version of Burn."""

    before: str
    after: str
    burn: str
    part: str = RELEASE

    @property
    def name(self) -> str:
        """What the row is called."""
        return f"{self.before} → {self.after}, on Burn {self.burn}"


RELEASES: Final = tuple(
    Releases(before=VERSION, after="0.23.0-pre.1", burn=burn) for burn in ("0.22.1", "0.23.0-pre.1")
)

CHANGES: Final = (
    Change(
        name="Sigmoid after Sigmoid is taken for one",
        part="simplifier",
        file=f"{_SIMPLIFY}/idempotent.rs",
        before="    NodeType::Abs,\n];",
        after="    NodeType::Abs,\n    NodeType::Sigmoid,\n];",
    ),
    Change(
        name="operands that change nothing stay",
        part="simplifier",
        file=f"{_SIMPLIFY}/identity_element.rs",
        before="values.iter().all(|&v| v == target)",
        after="values.iter().all(|&v| v == target + 0.5)",
    ),
    Change(
        name="a Reshape to permuted sizes stays one",
        part="simplifier",
        file=f"{_SIMPLIFY}/permute_reshape.rs",
        before="            replacements.push((ri, perm));",
        after="            let _ = (ri, perm);",
    ),
    Change(
        name="nodes whose values nobody takes stay",
        part="simplifier",
        file=f"{_SIMPLIFY}/dead_nodes.rs",
        before="            alive\n        });",
        after="            true\n        });",
    ),
    Change(
        name="products of constants are sums",
        part="constant fold",
        file=f"{_SIMPLIFY}/constant_fold.rs",
        before="            BinaryOp::Mul => a * b,",
        after="            BinaryOp::Mul => a + b,",
    ),
    Change(
        name="Add subtracts",
        part="code of a node",
        file=f"{_NODE}/add.rs",
        before="quote! { #lhs_bc.add(#rhs_bc) }",
        after="quote! { #lhs_bc.sub(#rhs_bc) }",
    ),
    Change(
        name="the mean along one axis is a sum",
        part="code of a node",
        file=f"{_NODE}/reduce.rs",
        before="            ReductionType::Mean => quote! { #input.mean_dim(#dim) },",
        after="            ReductionType::Mean => quote! { #input.sum_dim(#dim) },",
    ),
    Change(
        name="the slope of LeakyRelu is halved",
        part="code of a node",
        file=f"{_NODE}/leaky_relu.rs",
        before="let alpha = self.config.alpha.to_tokens();",
        after="let alpha = (self.config.alpha / 2.0).to_tokens();",
    ),
    Change(
        name="Neg is written with another method of the same answer",
        part="code of a node",
        file=f"{_NODE}/neg.rs",
        before="quote! { #input.neg() }",
        after="quote! { #input.mul_scalar(-1) }",
    ),
    Change(
        name="a broadcast has the rank of its first operand",
        part="inference of shapes",
        file="onnx-ir/src/processor.rs",
        before="    let max_rank = compute_broadcast_rank(inputs);",
        after="    let max_rank = compute_broadcast_rank(&inputs[..1]);",
    ),
    Change(
        name="ArgMax that keeps its axis gives int32",
        part="inference of types",
        file="onnx-ir/src/node/argmax.rs",
        before="                dtype: DType::I64,",
        after="                dtype: DType::I32,",
    ),
    Change(
        name="the weights of Gemm are written as they are, and in the shape of their transpose",
        part="weights",
        file="burn-onnx/src/import/burn/node_traits.rs",
        before="                data = transpose_2d(&data);",
        after="                let back = [data.shape()[1], data.shape()[0]];\n"
        "                data = TensorData::from_bytes_vec(data.as_bytes().to_vec(), back, data.dtype());",
    ),
    Change(
        name="Softmax of one axis is refused",
        part="refusal",
        file="onnx-ir/src/node/softmax.rs",
        before="        if rank == 0 {",
        after="        if rank < 2 {",
    ),
    Change(
        name="only what is logged changes",
        part="nothing",
        file=f"{_SIMPLIFY}/dead_nodes.rs",
        before="\"Dead node elimination: {:?} '{}'\",",
        after="\"Dead node eliminated: {:?} '{}'\",",
    ),
)


def planted(change: Change, text: str) -> str:
    """Return the text of the file with the change.

    Raises:
        ValueError: the text to change is not there.
    """
    if change.before not in text:
        message = f"{change.file}: there is no {change.before!r}"
        raise ValueError(message)
    return text.replace(change.before, change.after, 1)


def plant(change: Change, workspace: Path) -> None:
    """Change a workspace that `fresh` made."""
    path = workspace / change.file
    path.write_text(planted(change, path.read_text(encoding="utf-8")), encoding="utf-8")


MANIFEST: Final = f"""[workspace]
resolver = "2"
members = [{", ".join(f'"{crate}"' for crate in CRATES)}]
"""
