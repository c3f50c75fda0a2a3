"""Models on their way out: a builder whose Rust has a signature, and what a crate is made of."""

import dataclasses
from functools import partial

from burn_verify.core.stage import ConvertedModel
from burn_verify.run.seams import Seams
from fakes import FakeBuilder, FakeEngine, Faults

NOTHING = Faults()
RUST = """\
// Generated from ONNX "/somewhere/a.onnx" by burn-onnx
impl Default for Model {{
    fn default() -> Self {{
        Self::from_file("/somewhere/a.bpk", &Default::default())
    }}
}}

impl Model {{
    pub fn forward(&self{takes}) -> {gives} {{
    }}
}}
"""


def tensor(count):
    """Return types of so many values, as burn-onnx writes them."""
    return [f"Tensor<{place + 1}>" for place in range(count)]


class RustBuilder(FakeBuilder):
    """Writes Rust beside the model."""

    def convert(self, prepared, target) -> ConvertedModel:
        """Return the model, and Rust with as many values."""
        model = super().convert(prepared, target)
        rust = self.cache.folder("fake-rust") / f"{prepared.model.stem}.rs"
        takes = "".join(f", a{place}: {kind}" for place, kind in enumerate(tensor(len(prepared.inputs))))
        gives = tensor(len(prepared.outputs))
        rust.write_text(RUST.format(takes=takes, gives=gives[0] if len(gives) == 1 else f"({', '.join(gives)})"))
        return dataclasses.replace(model, rust=rust)


def seams(faults: Faults = NOTHING) -> Seams:
    """Return the seams of a run in which this goes wrong."""
    return Seams(
        engine=partial(FakeEngine, faults=faults),
        builder=lambda cache, settings, listen, targets: RustBuilder(cache, targets, faults),
    )
