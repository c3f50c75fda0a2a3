"""How a compiled model gets its weights: burn-onnx's ways of loading, weights stored as halves, burn-import's records.

Text of generated Rust; pure.
"""

from dataclasses import replace
from typing import Final

from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Target
from burn_verify.core.versions import BURN_ONNX, known
from burn_verify.core.ways import BIN, BURNPACK, BYTES, EMBEDDED, FILE, FULL, MPK


def of_target(model: ConvertedModel, target: Target) -> ConvertedModel:
    """Return a converted model as a target loads it: a module of its own, unless it is loaded as by default."""
    if known(target.burn).importer != BURN_ONNX:
        model = replace(model, alloc=True)
    if target.record != BURNPACK:
        # What embeds its record, or has another type or precision of it, was converted apart, and so is another module.
        module = f"{model.module}_{BYTES}" if target.load == BYTES else model.module
        return replace(model, module=module, load=target.load, stored=target.weights, record=target.record)
    if (target.load, target.weights) == (FILE, FULL):
        return model
    ways = [way for way in (target.load, target.weights) if way not in (FILE, FULL)]
    return replace(model, module="_".join([model.module, *ways]), load=target.load, stored=target.weights)


def loading(model: ConvertedModel) -> str:
    """Return a Rust expression that makes the model, of a path ``weights`` and a ``device``."""
    own = f"{model.module}::Model"
    if model.stored != FULL:
        return _halved(own, from_bytes=model.load == BYTES)
    if model.load == EMBEDDED:
        return f"{own}::from_embedded(device)"
    return f"{own}::from_bytes({_READ}, device)"


def recorded(model: ConvertedModel) -> str:
    """Return the macro of `compat` that registers a model whose weights are a record, with its first arguments."""
    if model.load == BYTES:
        precision = "FullPrecisionSettings" if model.stored == FULL else "HalfPrecisionSettings"
        recorder = f"burn::record::{_OF_BYTES[model.record]}<burn::record::{precision}>"
        return f"runner::compat::insert_bytes!(registry, {model.module}, {recorder}"
    name = "insert_embedded" if model.load == EMBEDDED else "insert"
    return f"runner::compat::{name}!(registry, {model.module}"


_OF_BYTES: Final = {MPK: "NamedMpkBytesRecorder", BIN: "BinBytesRecorder"}

_READ: Final = (
    "burn::tensor::Bytes::from_bytes_vec(std::fs::read(weights)"
    '.unwrap_or_else(|error| panic!("the weights {} cannot be read: {error}", weights.display())))'
)

_HALF: Final = "burn_store::HalfPrecisionAdapter::new()"


def _halved(own: str, *, from_bytes: bool) -> str:
    """Return an expression that stores weights as halves where they are not yet, and loads them."""
    made = 'weights.with_extension(format!("{}.bpk", std::process::id()))'
    save = (
        f"let made = {made}; "
        f'let model = {own}::from_file(weights.with_file_name("model.bpk"), device); '
        f"let mut store = burn_store::BurnpackStore::from_file(&made).overwrite(true).with_to_adapter({_HALF}); "
        'model.save_into(&mut store).unwrap_or_else(|error| panic!("the half weights cannot be stored: {error}")); '
        "std::fs::rename(&made, weights)"
        '.unwrap_or_else(|error| panic!("the half weights cannot be stored: {error}")); '
    )
    store = f"from_bytes(Some({_READ}))" if from_bytes else "from_file(weights)"
    return (
        f"{{ use burn_store::ModuleSnapshot; if !weights.exists() {{ {save}}} "
        f"let mut model = {own}::new(device); "
        f"let mut store = burn_store::BurnpackStore::{store}.with_from_adapter({_HALF}); "
        "model.load_from(&mut store).unwrap_or_else(|error| "
        'panic!("Failed to load burnpack file {}: {error}", weights.display())); model }'
    )
