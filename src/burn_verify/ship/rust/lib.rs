//! {{title}}, as a Burn module.
//!
//! README.md says what was verified, when and against what; `cargo test` verifies it again.

use burn::tensor::{Device, TensorData};
#[allow(unused_imports)]
use burn::tensor::{Bool, Int, Tensor};
use sha2::{Digest, Sha256};

use crate::wire::{FromWire, IntoWire};

mod compat {
    pub use burn::tensor::{Bool, BoolStore, DType, Device, Float, Int, Shape, Tensor, TensorData, bf16, f16};

    pub fn dtype_of(data: &TensorData) -> DType {
        data.dtype()
    }

    pub fn dims_of(data: &TensorData) -> Vec<usize> {
        data.shape().to_vec()
    }
}
#[allow(warnings)]
{{generated}}
pub mod wire;

/// What is handed to the caller when something is wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// An input or an output of the graph; a dimension that is free is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    pub name: &'static str,
    pub dtype: &'static str,
    pub shape: &'static [Option<usize>],
}

/// The inputs of the graph, in its order.
{{inputs}}
/// The outputs of the graph, in its order.
{{outputs}}
{{input_struct}}
{{output_struct}}
/// The sha256 of the weights that were verified.
pub const WEIGHTS_SHA256: &str = "{{digest}}";

/// The model with its weights.
#[derive(Debug)]
pub struct Model(generated::Model);

{{loading}}

impl Model {
    /// Runs the model.
    pub fn run(&self, inputs: Inputs) -> Outputs {
{{call}}
    }
}

impl Inputs {
    /// Makes the inputs of values in the order of [`INPUTS`].
    ///
    /// # Errors
    /// When a value is missing, or has another dtype or shape.
    pub fn from_data(values: Vec<TensorData>, device: &Device) -> Result<Self> {
        if values.len() != INPUTS.len() {
            return Err(format!("the model takes {} values, {} came", INPUTS.len(), values.len()));
        }
        #[allow(unused_mut, unused_variables)]
        let mut values = values.into_iter();
        #[allow(unused_variables)]
        let device = device;
        Ok(Self {
{{taken}}        })
    }
}

impl Outputs {
    /// The values in the order of [`OUTPUTS`].
    pub fn into_data(self) -> Vec<TensorData> {
        let mut values = Vec::new();
{{given}}        values
    }
}

#[allow(dead_code)]
fn taken<T: FromWire>(port: &Port, value: Option<TensorData>, device: &Device) -> Result<T> {
    let value = value.ok_or_else(|| format!("{}: no value", port.name))?;
    let dims = value.shape().to_vec();
    let fits = dims.len() == port.shape.len()
        && dims.iter().zip(port.shape).all(|(came, wanted)| wanted.is_none_or(|wanted| wanted == *came));
    if !fits {
        return Err(format!("{}: shape {dims:?}, the model takes {:?}", port.name, port.shape));
    }
    let dtype = dtype_name(value.dtype());
    if dtype != port.dtype {
        return Err(format!("{}: dtype {dtype}, the model takes {}", port.name, port.dtype));
    }
    T::from_wire(value, device).map_err(|why| format!("{}: {why}", port.name))
}

/// Burn's dtype by NumPy's name.
fn dtype_name(dtype: burn::tensor::DType) -> String {
    use burn::tensor::DType::*;
    match dtype {
        F64 => "float64".into(),
        F32 | Flex32 => "float32".into(),
        F16 => "float16".into(),
        BF16 => "bfloat16".into(),
        I64 => "int64".into(),
        I32 => "int32".into(),
        I16 => "int16".into(),
        I8 => "int8".into(),
        U64 => "uint64".into(),
        U32 => "uint32".into(),
        U16 => "uint16".into(),
        U8 => "uint8".into(),
        Bool(_) => "bool".into(),
        other => format!("{other:?}"),
    }
}

fn check_weights(bytes: &[u8], from: &str) -> Result<()> {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest == WEIGHTS_SHA256 {
        return Ok(());
    }
    Err(format!("{from} are not those that were verified: sha256 {digest}, expected {WEIGHTS_SHA256}"))
}

fn filled(store: burn_store::BurnpackStore, device: &Device, from: &str) -> Result<Model> {
    use burn_store::ModuleSnapshot;
    let mut model = generated::Model::new(device);
    model.load_from({{store}}).map_err(|error| format!("{from} cannot be loaded: {error}"))?;
    Ok(Model(model))
}
