//! One place where every Burn crate meets, as in the packaged workspace; with burn-onnx's exporter.

pub use burn;
pub use burn_onnx;
pub use burn_store;

pub use burn::tensor::{Bool, BoolStore, DType, Device, Float, Int, Shape, Tensor, TensorData, bf16, f16};

/// Registers a generated module under its own name; it is loaded on the device of each recording.
#[macro_export]
macro_rules! insert {
    ($registry:ident, $module:ident) => {
        $registry.insert(stringify!($module), |weights, _device| {
            let weights = weights.to_path_buf();
            runner::bind(
                move |device: &runner::compat::Device| $module::Model::from_file(&weights, device),
                $module::Model::forward,
            )
        })
    };
    ($registry:ident, $module:ident, [$($input:ident)*], [$($output:ident)*]) => {
        $registry.insert(stringify!($module), |_weights, _device| runner::too_wide())
    };
}

/// The element type of values on their way in or out.
pub fn dtype_of(data: &TensorData) -> DType {
    data.dtype()
}

/// The dimensions of values on their way in or out.
pub fn dims_of(data: &TensorData) -> Vec<usize> {
    data.shape().to_vec()
}

/// Waits until a device has done what it was told.
///
/// # Errors
/// What went wrong meanwhile, in Burn's words.
pub fn sync(device: &Device) -> Result<(), String> {
    device.sync().map_err(|error| error.to_string())
}

/// Whether a device still computes; the one that values wait on does.
pub fn works(_device: &Device) -> bool {
    true
}

/// A device that was started.
pub struct Started {
    pub device: Device,
    pub name: String,
    pub lacks: Vec<&'static str>,
}

/// Starts the backend on which values wait for the exporter.
///
/// # Errors
/// When it is another one.
pub fn start(backend: &str) -> Result<Started, String> {
    match backend {
        "flex" => Ok(Started { device: Device::flex(), name: "CPU".into(), lacks: Vec::new() }),
        other => Err(format!("an exporter has no backend '{other}'")),
    }
}
